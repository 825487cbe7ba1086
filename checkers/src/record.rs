//! The history without its pushes, joined and indexed: operations with both ends, publishers with their steps, sessions.
//! Pushes are by far the most of a history: they are only counted here and judged as they pass by later.

use crate::content::Contents;
use history::{
    ClientId, Connection, ConnectionState, DataIx, Event, Fault, Function, Header, Nanos, NodeIx, Operation, Outcome,
    PhaseName, SessionId, SnapshotId, Source,
};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::Deref;

/// An operation with its end.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub f: Function,
    pub client: ClientId,
    pub data: Option<DataIx>,
    pub registration: Option<u32>,
    /// Number of a value.
    pub value: Option<u32>,
    pub session: usize,
    pub node: Option<NodeIx>,
    pub invoke: Nanos,
    /// `Nanos::MAX` while open.
    pub end: Nanos,
    /// [`Outcome::Info`] while open.
    pub outcome: Outcome,
    pub snapshot: Option<SnapshotId>,
}

/// What a step does to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Publish this value.
    Put(u32),
    /// Unpublish.
    Take,
    /// The client's clean close.
    Close,
}

/// One operation in the life of a publisher.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub what: What,
    pub session: usize,
    pub node: Option<NodeIx>,
    pub invoke: Nanos,
    pub end: Nanos,
    pub outcome: Outcome,
}

/// A client's registration on a dataId. Steps are in the order of their invocations; step `i` has the position `i + 1`, the
/// position 0 is the time before all of them.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    pub data: DataIx,
    pub client: ClientId,
    pub registration: u32,
    pub steps: Vec<Step>,
}

/// A text that was published or shown.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub text: String,
    /// Index of the publisher and position of its first step with this value; none: nobody published it.
    pub owner: Option<(usize, usize)>,
    pub invoke: Nanos,
}

/// All texts, by number.
#[derive(Debug, Default)]
pub(crate) struct Values {
    all: Vec<Value>,
    numbers: FxHashMap<String, u32>,
}

impl Values {
    /// The number of a text, if it was seen.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// The number of a text, new if it was not seen before.
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.find(text) {
            return number;
        }
        let number = self.all.len() as u32;
        self.all.push(Value { text: text.to_owned(), owner: None, invoke: Nanos::MAX });
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

impl Deref for Values {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.all
    }
}

/// A time during which a client was connected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub from: Nanos,
    /// `Nanos::MAX` if it never ended.
    pub to: Nanos,
    pub node: Option<NodeIx>,
}

/// One session of one client.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub client: ClientId,
    pub stretches: Vec<Stretch>,
    /// Invocation and ok of operations that prove that the session was alive in between.
    pub proofs: Vec<(Nanos, Nanos)>,
    /// When the server confirmed a clean close.
    pub closed: Option<Nanos>,
    /// When the server said that it is over.
    pub expired: Option<Nanos>,
    /// A heartbeat may have left until then, at least.
    pub possible: Nanos,
}

/// Everything in a history but its pushes, by what checkers ask for: made once, by a [`Joiner`], good for any number of
/// checks.
#[derive(Debug, Default)]
pub struct Joined {
    pub(crate) ops: Vec<Op>,
    /// Sorted by (data, client, registration).
    pub(crate) publishers: Vec<Publisher>,
    pub(crate) values: Values,
    pub(crate) sessions: Vec<Session>,
    pub(crate) by_client: FxHashMap<ClientId, Vec<usize>>,
    /// Attempts to connect that ended as unknown, by client.
    pub(crate) attempts: FxHashMap<ClientId, Vec<(Nanos, Nanos)>>,
    pub(crate) pushes: u64,
    /// What became of connections, in order of time.
    pub(crate) connections: Vec<(Nanos, ClientId, ConnectionState)>,
    /// Beginnings and ends of faults.
    pub(crate) faults: Vec<Fault>,
    /// The first event of a client (its place in the history) that is earlier than one before it. Faults and phases have
    /// clocks of their own.
    pub(crate) goes_back: Option<usize>,
    pub(crate) phases: BTreeMap<PhaseName, Nanos>,
    pub(crate) end: Nanos,
    /// Texts that two registrations published.
    pub(crate) ambiguous: Vec<String>,
    pub(crate) contents: Contents,
}

/// Joins the events of a history one after the other, also while it is still being recorded.
#[derive(Debug, Default)]
pub struct Joiner {
    joined: Joined,
    by_op: FxHashMap<u32, usize>,
    session_ids: FxHashMap<SessionId, usize>,
    current: FxHashMap<ClientId, usize>,
    /// Events so far.
    seen: usize,
    /// The latest event of a client.
    latest: Nanos,
}

/// What is joined, with the header of the history.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub header: &'a Header,
    pub joined: &'a Joined,
}

impl Deref for Record<'_> {
    type Target = Joined;

    fn deref(&self) -> &Joined {
        self.joined
    }
}

impl Joined {
    /// All events of a history.
    pub fn of(events: &dyn Source) -> Joined {
        let mut joiner = Joiner::default();
        events.each(&mut |event| joiner.see(event));
        joiner.finish()
    }

    /// Publishers of one dataId, as a range of [`Joined::publishers`].
    pub(crate) fn publishers_of(&self, data: DataIx) -> std::ops::Range<usize> {
        let from = self.publishers.partition_point(|p| p.data < data);
        let to = self.publishers.partition_point(|p| p.data <= data);
        from..to
    }

    fn collect_attempts(&mut self) {
        for op in self.ops.iter().filter(|op| op.f == Function::Connect && op.outcome == Outcome::Info) {
            self.attempts.entry(op.client).or_default().push((op.invoke, op.end));
        }
    }

    fn collect_publishers(&mut self) {
        let mut steps: BTreeMap<(DataIx, ClientId, u32), Vec<Step>> = BTreeMap::new();
        let mut keys: FxHashMap<ClientId, Vec<(DataIx, ClientId, u32)>> = FxHashMap::default();
        for at in 0..self.ops.len() {
            let op = &self.ops[at];
            let step = |what| Step {
                what,
                session: op.session,
                node: op.node,
                invoke: op.invoke,
                end: op.end,
                outcome: op.outcome,
            };
            match (op.f, op.data, op.value) {
                (Function::Publish, Some(data), Some(id)) => {
                    let key = (data, op.client, op.registration.unwrap_or(0));
                    let list = steps.entry(key).or_insert_with(|| {
                        keys.entry(op.client).or_default().push(key);
                        Vec::new()
                    });
                    list.push(step(What::Put(id)));
                }
                (Function::Unpublish, Some(data), _) => {
                    let key = (data, op.client, op.registration.unwrap_or(0));
                    if let Some(list) = steps.get_mut(&key) {
                        list.push(step(What::Take));
                    }
                }
                (Function::Close, _, _) => {
                    for key in keys.get(&op.client).into_iter().flatten() {
                        if let Some(list) = steps.get_mut(key) {
                            list.push(step(What::Close));
                        }
                    }
                }
                _ => {}
            }
        }
        for ((data, client, registration), steps) in steps {
            let publisher = self.publishers.len();
            for (at, step) in steps.iter().enumerate() {
                let What::Put(id) = step.what else { continue };
                let value = &mut self.values.all[id as usize];
                if value.owner.is_some() {
                    self.ambiguous.push(value.text.clone());
                    continue;
                }
                value.owner = Some((publisher, at + 1));
                value.invoke = step.invoke;
            }
            self.publishers.push(Publisher { data, client, registration, steps });
        }
    }
}

impl Joiner {
    /// The next event of the history.
    pub fn see(&mut self, event: &Event) {
        if let Some(time) = event.time() {
            self.joined.end = self.joined.end.max(time);
            let of_client = matches!(event, Event::Op(_) | Event::Push(_) | Event::Connection(_));
            if of_client && std::mem::replace(&mut self.latest, time) > time {
                self.joined.goes_back.get_or_insert(self.seen);
            }
        }
        self.seen += 1;
        match event {
            Event::Op(op) if op.outcome == Outcome::Invoke => self.invoked(op),
            Event::Op(op) => self.completed(op),
            Event::Connection(connection) => self.connection(connection),
            Event::Push(_) => self.joined.pushes += 1,
            Event::Phase(phase) => {
                self.joined.phases.entry(phase.name).or_insert(phase.time);
            }
            Event::Snapshot(snapshot) => {
                let Joined { contents, values, .. } = &mut self.joined;
                contents.add(snapshot, |text| values.number(text));
            }
            Event::Fault(fault) => self.joined.faults.push(Fault::clone(fault)),
            Event::Dropped(_) | Event::Routes(_) => {}
        }
    }

    /// Nothing comes any more.
    pub fn finish(self) -> Joined {
        let mut joined = self.joined;
        joined.collect_attempts();
        joined.collect_publishers();
        joined
    }

    fn session(&mut self, id: SessionId, client: ClientId) -> usize {
        let (sessions, by_client) = (&mut self.joined.sessions, &mut self.joined.by_client);
        *self.session_ids.entry(id).or_insert_with(|| {
            sessions.push(Session {
                client,
                stretches: Vec::new(),
                proofs: Vec::new(),
                closed: None,
                expired: None,
                possible: 0,
            });
            by_client.entry(client).or_default().push(sessions.len() - 1);
            sessions.len() - 1
        })
    }

    fn invoked(&mut self, op: &Operation) {
        let session = match (op.session, self.current.get(&op.client)) {
            (Some(id), _) => self.session(id, op.client),
            (None, Some(&at)) => at,
            // A history without a word about connections: one session that is never lost.
            (None, None) => self.session(SessionId::MAX - op.client, op.client),
        };
        let known = &mut self.joined.sessions[session];
        if known.stretches.is_empty() && op.f != Function::Connect {
            known.stretches.push(Stretch { from: op.time, to: Nanos::MAX, node: op.node });
            self.current.insert(op.client, session);
        }
        if op.f == Function::Vanish {
            self.disconnected(session, op.time);
        }
        self.by_op.insert(op.op, self.joined.ops.len());
        let value = op.value.as_ref().map(|value| self.joined.values.number(value));
        self.joined.ops.push(Op {
            f: op.f,
            client: op.client,
            data: op.data,
            registration: op.registration,
            value,
            session,
            node: op.node,
            invoke: op.time,
            end: Nanos::MAX,
            outcome: Outcome::Info,
            snapshot: None,
        });
    }

    fn completed(&mut self, line: &Operation) {
        let Some(&at) = self.by_op.get(&line.op) else { return };
        let op = &mut self.joined.ops[at];
        op.end = line.time;
        op.outcome = line.outcome;
        op.snapshot = line.snapshot;
        let session = &mut self.joined.sessions[op.session];
        match (op.f, op.outcome) {
            (Function::Connect, _) => {}
            (Function::Vanish, _) => session.possible = session.possible.max(line.time),
            (Function::Close, Outcome::Ok) => {
                session.closed.get_or_insert(line.time);
                self.disconnected(self.joined.ops[at].session, line.time);
            }
            (Function::Close, _) => session.possible = session.possible.max(line.time),
            (_, Outcome::Ok) => session.proofs.push((op.invoke, line.time)),
            _ => {}
        }
    }

    fn disconnected(&mut self, session: usize, time: Nanos) {
        let session = &mut self.joined.sessions[session];
        if let Some(stretch) = session.stretches.last_mut().filter(|s| s.to == Nanos::MAX) {
            stretch.to = time;
            session.possible = session.possible.max(time);
        }
    }

    fn connection(&mut self, event: &Connection) {
        self.joined.connections.push((event.time, event.client, event.state));
        let at = self.session(event.session, event.client);
        match event.state {
            ConnectionState::Connected | ConnectionState::Resumed => {
                if let Some(before) = self.current.insert(event.client, at) {
                    self.disconnected(before, event.time);
                }
                self.disconnected(at, event.time);
                let session = &mut self.joined.sessions[at];
                session.stretches.push(Stretch { from: event.time, to: Nanos::MAX, node: event.node });
                session.proofs.push((event.time, event.time));
            }
            ConnectionState::Lost => self.disconnected(at, event.time),
            ConnectionState::Expired => {
                self.disconnected(at, event.time);
                self.joined.sessions[at].expired.get_or_insert(event.time);
            }
            ConnectionState::Closed => {
                self.disconnected(at, event.time);
                self.joined.sessions[at].closed.get_or_insert(event.time);
            }
        }
    }
}

impl Joined {
    /// All sessions of one client.
    pub(crate) fn sessions_of(&self, client: ClientId) -> impl Iterator<Item = &Session> {
        self.by_client.get(&client).into_iter().flatten().map(|&at| &self.sessions[at])
    }
}
