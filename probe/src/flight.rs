//! The flight recorder: the last minutes of history, in memory that is bounded, ready to be saved as a history that stands alone.
//!
//! What falls out of the window is folded into a base (who is connected, what is registered, what each subscriber was shown last),
//! and a saved history begins with that base: so `upheaval check` and `upheaval report` read it like any other.

use crate::ask::Elements;
use history::{
    ClientId, Connection, ConnectionState, DataIx, Event, Fault, FaultStage, Function, Interner, Nanos, NodeIx, OpId,
    Operation, Outcome, Phase, PhaseName, Push, SessionId,
};
use std::collections::{BTreeMap, VecDeque};

/// About what an event takes beside its texts.
const EVENT_BYTES: usize = 400;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Record {
    /// An event of the history.
    Event(Event),
    /// A push, with its content; its snapshot is numbered when it is saved.
    Push(Push, Elements),
}

impl Record {
    fn time(&self) -> Nanos {
        match self {
            Record::Event(event) => event.time().unwrap_or_default(),
            Record::Push(push, _) => push.time,
        }
    }

    fn bytes(&self) -> usize {
        let texts = match self {
            Record::Event(Event::Op(op)) => {
                op.value.as_ref().map_or(0, String::len) + op.error.as_ref().map_or(0, String::len)
            }
            Record::Event(Event::Connection(one)) => one.reason.as_ref().map_or(0, String::len),
            Record::Event(_) => 0,
            // Elements are mostly shared with the content before; a hostile content is not.
            Record::Push(_, elements) => elements.iter().map(|element| 16 + element.len() / 4).sum(),
        };
        EVENT_BYTES + texts
    }
}

/// A registration in the base: its last two values, and whether it was taken back.
#[derive(Clone, Debug, Default)]
struct Held {
    values: Vec<String>,
    withdrawn: bool,
}

#[derive(Clone, Debug, Default)]
struct Base {
    connected: BTreeMap<ClientId, (SessionId, Option<NodeIx>)>,
    /// Sessions without a connection that may go on.
    away: BTreeMap<ClientId, (SessionId, Option<NodeIx>)>,
    subscribed: BTreeMap<(ClientId, DataIx), ()>,
    views: BTreeMap<(ClientId, DataIx), (Push, Elements)>,
    held: BTreeMap<(ClientId, DataIx), Held>,
    open: BTreeMap<OpId, Operation>,
    /// Faults that have not ended.
    faults: BTreeMap<u32, Fault>,
}

/// The recorder.
#[derive(Debug)]
pub struct Flight {
    window: Nanos,
    bytes_max: usize,
    bytes: usize,
    ring: VecDeque<Record>,
    base: Base,
}

impl Flight {
    /// A recorder of so much time, in no more than so many bytes.
    pub fn new(window: Nanos, bytes_max: usize) -> Flight {
        Flight { window, bytes_max, bytes: 0, ring: VecDeque::new(), base: Base::default() }
    }

    /// Other bounds; what was recorded stays as far as it fits.
    pub fn resize(&mut self, window: Nanos, bytes_max: usize) {
        (self.window, self.bytes_max) = (window, bytes_max);
    }

    /// Adds what happened; forgets what is too old or too much.
    pub fn record(&mut self, record: Record) {
        let now = record.time();
        self.bytes += record.bytes();
        self.ring.push_back(record);
        while let Some(first) = self.ring.front() {
            if self.bytes <= self.bytes_max && first.time() + self.window >= now {
                break;
            }
            if let Some(first) = self.ring.pop_front() {
                self.bytes -= first.bytes();
                self.base.fold(first);
            }
        }
    }

    /// What is held, oldest first.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.ring.iter()
    }

    /// How many events are held, and about how many bytes they take.
    pub fn size(&self) -> (usize, usize) {
        (self.ring.len(), self.bytes)
    }

    /// The window as a history; times count from its beginning, which is returned, too. Canaries see things side by side and tell
    /// of them one after the other, so what is some microseconds younger may be told first: the history is in the order of time.
    pub fn history(&self) -> (Nanos, Vec<Event>) {
        let mut ring: Vec<&Record> = self.ring.iter().collect();
        ring.sort_by_key(|record| record.time());
        let began = ring.first().map_or(0, |record| record.time());
        let mut interner = Interner::new();
        let mut events = vec![Event::Phase(Phase { time: 0, name: PhaseName::Chaos })];
        self.base.tell(&mut interner, &mut events);
        for record in ring {
            match record {
                Record::Event(event) => events.push(shifted(event.clone(), began)),
                Record::Push(push, elements) => {
                    let push = Push { time: push.time.saturating_sub(began), ..push.clone() };
                    put(push, elements, &mut interner, &mut events);
                }
            }
        }
        (began, events)
    }
}

fn put(push: Push, elements: &Elements, interner: &mut Interner, events: &mut Vec<Event>) {
    let interned = interner.intern_shared(push.data, elements);
    events.extend(interned.new.map(Event::from));
    events.push(Event::Push(Push { snapshot: interned.id, ..push }));
}

fn shifted(mut event: Event, began: Nanos) -> Event {
    match &mut event {
        Event::Op(e) => e.time = e.time.saturating_sub(began),
        Event::Dropped(e) => e.time = e.time.saturating_sub(began),
        Event::Push(e) => e.time = e.time.saturating_sub(began),
        Event::Connection(e) => e.time = e.time.saturating_sub(began),
        Event::Fault(e) => e.time = e.time.saturating_sub(began),
        Event::Phase(e) => e.time = e.time.saturating_sub(began),
        Event::Routes(e) => e.time = e.time.saturating_sub(began),
        Event::Snapshot(_) => {}
    }
    event
}

impl Base {
    fn fold(&mut self, record: Record) {
        match record {
            Record::Push(push, elements) => drop(self.views.insert((push.client, push.data), (push, elements))),
            Record::Event(Event::Op(op)) => self.operation(*op),
            Record::Event(Event::Connection(one)) => self.connection(&one),
            Record::Event(Event::Fault(fault)) if fault.stage == FaultStage::Start => {
                self.faults.insert(fault.id, *fault);
            }
            Record::Event(Event::Fault(fault)) => drop(self.faults.remove(&fault.id)),
            Record::Event(_) => {}
        }
    }

    fn operation(&mut self, op: Operation) {
        if op.outcome == Outcome::Invoke {
            self.open.insert(op.op, op);
            return;
        }
        self.open.remove(&op.op);
        let (Outcome::Ok, Some(data)) = (op.outcome, op.data) else { return };
        let key = (op.client, data);
        match op.f {
            Function::Publish => {
                let held = self.held.entry(key).or_default();
                held.withdrawn = false;
                held.values.extend(op.value);
                let old = held.values.len().saturating_sub(2);
                held.values.drain(..old);
            }
            Function::Unpublish => self.held.entry(key).or_default().withdrawn = true,
            Function::Subscribe => drop(self.subscribed.insert(key, ())),
            _ => {}
        }
    }

    fn connection(&mut self, one: &Connection) {
        let client = one.client;
        let of = |key: &(ClientId, DataIx)| key.0 == client;
        let before = self.away.remove(&client);
        match one.state {
            ConnectionState::Connected => {
                self.connected.insert(client, (one.session, one.node));
                self.held.retain(|key, _| !of(key));
            }
            ConnectionState::Resumed => drop(self.connected.insert(client, (one.session, one.node))),
            ConnectionState::Lost | ConnectionState::Expired | ConnectionState::Closed => {
                let last = self.connected.remove(&client).or(before);
                self.subscribed.retain(|key, ()| !of(key));
                self.views.retain(|key, _| !of(key));
                match last {
                    Some(last) if one.state == ConnectionState::Lost => drop(self.away.insert(client, last)),
                    _ => self.held.retain(|key, _| !of(key)),
                }
            }
        }
    }

    /// The base as events at the very beginning. Numbers of operations count down from the highest one.
    fn tell(&self, interner: &mut Interner, events: &mut Vec<Event>) {
        let mut next = OpId::MAX;
        let begun = |fault: &Fault| Event::Fault(Box::new(Fault { time: 0, ..fault.clone() }));
        events.extend(self.faults.values().map(begun));
        for (&client, &(session, node)) in self.connected.iter().chain(&self.away) {
            let connection = |state| {
                let (name, reason) = (None, None);
                Event::Connection(Box::new(Connection { time: 0, client, session, state, node, name, reason }))
            };
            events.push(connection(ConnectionState::Connected));
            let mut did = |f, data, value: Option<&String>, events: &mut Vec<Event>| {
                next -= 1;
                let mut op = operation(next, client, session, node, f, data);
                op.value = value.cloned();
                events.push(Event::Op(Box::new(op.clone())));
                events.push(Event::Op(Box::new(Operation { outcome: Outcome::Ok, ..op })));
            };
            let mine = (client, 0)..=(client, DataIx::MAX);
            for (&(_, data), held) in self.held.range(mine.clone()) {
                held.values.iter().for_each(|value| did(Function::Publish, data, Some(value), events));
                if held.withdrawn {
                    did(Function::Unpublish, data, held.values.last(), events);
                }
            }
            for &(_, data) in self.subscribed.range(mine).map(|(key, ())| key) {
                did(Function::Subscribe, data, None, events);
            }
            if self.away.contains_key(&client) {
                events.push(connection(ConnectionState::Lost));
            }
        }
        for (push, elements) in self.views.values() {
            put(Push { time: 0, ..push.clone() }, elements, interner, events);
        }
        events.extend(self.open.values().map(|op| Event::Op(Box::new(Operation { time: 0, ..op.clone() }))));
    }
}

fn operation(
    op: OpId,
    client: ClientId,
    session: SessionId,
    node: Option<NodeIx>,
    f: Function,
    data: DataIx,
) -> Operation {
    let publishes = matches!(f, Function::Publish | Function::Unpublish);
    Operation {
        time: 0,
        outcome: Outcome::Invoke,
        op,
        process: client,
        client,
        f,
        data: Some(data),
        registration: publishes.then_some(0),
        subscription: (!publishes).then_some(data),
        value: None,
        session: Some(session),
        node,
        snapshot: None,
        late_ns: 0,
        reaction: false,
        error: None,
    }
}
