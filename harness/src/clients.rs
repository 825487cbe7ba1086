//! All clients of a run: who is due next, and what an observation means for whom, as events of the history.

use crate::driver::{Common, Driver, Started};
use crate::plan::Plan;
use crate::recording::Recording;
use history::{
    ClientId, Connection, ConnectionState, DataIx, Dropped, Event, Function, MILLI, Nanos, Node, NodeIx, OpId,
    Operation, Outcome, ProcessId, Push, SessionId, Snapshot,
};
use rustc_hash::FxHashMap;
use simulation::fetch;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use systems::{Call, Happening, Observation, Request, Response};
use workloads::{ClientPlan, PlannedCall, PlannedOperation, Reaction};

/// A final read that failed is tried again after this long.
const FINAL_RETRY_NS: Nanos = 300 * MILLI;

/// Where a client is connected.
#[derive(Clone, Copy)]
struct Seat {
    session: SessionId,
    node: Option<NodeIx>,
}

/// When a client wants to be asked: one number, which is compared in one go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u128);

impl Due {
    fn new(due: Nanos, client: ClientId) -> Due {
        Due(u128::from(due) << 64 | u128::from(client))
    }

    fn parts(self) -> (Nanos, ClientId) {
        ((self.0 >> 64) as Nanos, self.0 as ClientId)
    }
}

/// The clients of a run.
pub struct Clients {
    common: Common,
    data_ids: u32,
    planned: u32,
    drivers: Vec<Driver>,
    /// What pushes need to know of each client, close together: there are a hundred pushes to an operation.
    seats: Vec<Option<Seat>>,
    /// When each client wants to be asked, the first on top. What a client does not want any more is passed over.
    due: BinaryHeap<Reverse<Due>>,
    wants: Vec<Option<Nanos>>,
    /// Which client has this operation open.
    open: FxHashMap<OpId, ClientId>,
    operations: OpId,
    processes: ProcessId,
    sessions: SessionId,
    connected: usize,
    finals: BTreeMap<(ClientId, DataIx), u32>,
    last: Nanos,
}

impl Clients {
    /// The clients of a plan and one reader for each node that serves clients, for the final reads.
    pub fn new(plan: &Plan, nodes: &[Node]) -> Clients {
        let serving: Vec<NodeIx> =
            nodes.iter().enumerate().filter(|(_, node)| node.serves_clients).map(|(ix, _)| ix as NodeIx).collect();
        let planned = plan.clients.len() as u32;
        let mut drivers: Vec<Driver> = plan.clients.iter().map(Driver::new).collect();
        for reader in 0..serving.len() as u32 {
            let reactions = vec![Reaction { reconnect_ns: FINAL_RETRY_NS, reregister_ns: 0 }];
            drivers.push(Driver::new(&ClientPlan { id: planned + reader, pinned: false, node: reader, reactions }));
        }
        let all = drivers.len();
        Clients {
            common: Common { nodes: serving, behaviour: plan.behaviour, ping_ns: plan.time.ping_ns },
            data_ids: plan.data_ids.len() as u32,
            planned,
            drivers,
            seats: vec![None; all],
            due: BinaryHeap::new(),
            wants: vec![None; all],
            open: FxHashMap::default(),
            operations: 0,
            processes: all as ProcessId,
            sessions: 0,
            connected: 0,
            finals: BTreeMap::new(),
            last: 0,
        }
    }

    /// How many are connected.
    pub fn connected(&self) -> usize {
        self.connected
    }

    /// When the next one wants to act.
    pub fn next_due(&mut self) -> Option<Nanos> {
        self.first_due().map(|(due, _)| due)
    }

    /// Who wants to be asked next, and when.
    #[inline]
    fn first_due(&mut self) -> Option<(Nanos, ClientId)> {
        loop {
            let Reverse(first) = *self.due.peek()?;
            let (due, client) = first.parts();
            if self.wants[client as usize] == Some(due) {
                return Some((due, client));
            }
            self.pass_over();
        }
    }

    #[inline(never)]
    fn pass_over(&mut self) {
        self.due.pop();
    }

    /// A planned operation is due.
    pub fn plan(&mut self, operation: &PlannedOperation) {
        if let Some(driver) = self.drivers.get_mut(operation.client as usize) {
            driver.plan(operation.at, operation.call.clone());
            self.ask_again(operation.client);
        }
    }

    /// Something happened to this client: when does it want to be asked next, and where is it?
    fn ask_again(&mut self, client: ClientId) {
        let driver = &self.drivers[client as usize];
        let session = driver.session().filter(|_| driver.connected());
        self.seats[client as usize] = session.map(|session| Seat { session, node: driver.node() });
        let wants = driver.next_due(&self.common);
        let slot = &mut self.wants[client as usize];
        if *slot == wants {
            return;
        }
        if let Some(due) = wants {
            self.due.push(Reverse(Due::new(due, client)));
        }
        *slot = wants;
    }

    /// The next operation that starts now; appends the events to record before it is submitted.
    pub fn start(&mut self, now: Nanos, events: &mut Vec<Event>) -> Option<Call> {
        loop {
            let (_, client) = self.first_due().filter(|(due, _)| *due <= now)?;
            let started = self.drivers[client as usize].start(now, &self.common);
            let Some(mut started) = started else {
                self.ask_again(client);
                continue;
            };
            let op = self.operations;
            self.operations += 1;
            let call = Call { op, client, request: std::mem::replace(&mut started.request, Request::Ping) };
            let time = self.stamp(now);
            events.push(Event::Op(Box::new(operation(time, op, &started, Outcome::Invoke))));
            if started.f == Function::Vanish {
                events.extend(self.vanish(time, op, &started));
            } else {
                self.open.insert(op, client);
                self.drivers[client as usize].opened(started);
            }
            self.ask_again(client);
            return Some(call);
        }
    }

    fn vanish(&mut self, now: Nanos, op: OpId, started: &Started) -> Vec<Event> {
        let driver = &mut self.drivers[started.client as usize];
        driver.vanished(now);
        self.connected -= 1;
        let lost = Connection {
            time: now,
            client: started.client,
            session: started.session.unwrap_or_default(),
            state: ConnectionState::Lost,
            node: started.node,
            name: None,
            reason: Some("the client vanished".to_owned()),
        };
        vec![Event::Op(Box::new(operation(now, op, started, Outcome::Ok))), Event::Connection(Box::new(lost))]
    }

    /// Times never go back within a history.
    fn stamp(&mut self, time: Nanos) -> Nanos {
        self.last = self.last.max(time);
        self.last
    }

    /// Looks at what these observations will need: at many things at once, which fetches them side by side from memory.
    pub fn prepare(&self, batch: &[Observation]) {
        for observation in batch {
            if let Happening::Push { client, .. } = observation.what
                && let Some(seat) = self.seats.get(client as usize)
            {
                fetch(seat);
            }
        }
    }

    /// What a push means: what it shows, if that is new, and the push. Apart from all else that is observed, since there are
    /// a hundred pushes to anything else. None if nobody sees it.
    pub fn push(
        &mut self,
        observation: Observation,
        recording: &mut Recording<'_>,
    ) -> Option<(Option<Snapshot>, Push)> {
        let time = self.stamp(observation.time);
        let Happening::Push { client, subscription, data, version, elements } = observation.what else { return None };
        // What arrives after the client vanished or closed is seen by nobody.
        let Seat { session, node } = (*self.seats.get(client as usize)?)?;
        let (snapshot, new) = recording.intern(data, &elements);
        Some((new, Push { time, client, session, subscription, data, snapshot, version, node }))
    }

    /// What an observation other than a push means: appends events of the history.
    pub fn observe(&mut self, observation: Observation, recording: &mut Recording<'_>, events: &mut Vec<Event>) {
        let time = self.stamp(observation.time);
        match observation.what {
            Happening::Done { op, response } => self.done(time, op, response, recording, events),
            Happening::Connection { client, state, node, name, reason } => {
                events.extend(self.connection(time, client, state, node, name, reason));
            }
            Happening::Routes { slots, leaders } => {
                events.push(Event::Routes(history::Routes { time, slots, leaders }));
            }
            Happening::Push { .. } | Happening::Fault(_) => {}
        }
    }

    fn done(
        &mut self,
        time: Nanos,
        op: OpId,
        response: Response,
        recording: &mut Recording<'_>,
        events: &mut Vec<Event>,
    ) {
        let Some(client) = self.open.remove(&op) else { return };
        let driver = &mut self.drivers[client as usize];
        let was_connected = driver.connected();
        let Some(started) = driver.done(time, &response, self.processes) else { return };
        self.connected -= usize::from(was_connected && !driver.connected());
        if matches!(response, Response::Info { .. }) {
            self.processes += 1;
        }
        let outcome = match &response {
            Response::Ok { .. } => Outcome::Ok,
            Response::Fail { .. } => Outcome::Fail,
            Response::Info { .. } => Outcome::Info,
        };
        let mut completion = operation(time, op, &started, outcome);
        match response {
            Response::Ok { read: Some(content) } => {
                let data = started.data.unwrap_or_default();
                let (snapshot, new) = recording.intern(data, &content.into());
                events.extend(new.map(Event::from));
                completion.snapshot = Some(snapshot);
            }
            Response::Ok { read: None } => {}
            Response::Fail { error } | Response::Info { error } => completion.error = Some(error),
        }
        if started.f == Function::Read {
            self.final_read(time, client, &started, outcome);
        }
        self.ask_again(client);
        events.push(Event::Op(Box::new(completion)));
    }

    fn connection(
        &mut self,
        time: Nanos,
        client: ClientId,
        state: ConnectionState,
        node: Option<NodeIx>,
        name: Option<String>,
        reason: Option<String>,
    ) -> Option<Event> {
        let driver = self.drivers.get_mut(client as usize)?;
        let was_connected = driver.connected();
        let session = match (state, driver.session()) {
            (ConnectionState::Connected, _) => {
                self.sessions += 1;
                self.sessions - 1
            }
            (_, Some(session)) => session,
            (_, None) => return None,
        };
        let ends = matches!(state, ConnectionState::Lost | ConnectionState::Closed);
        if ends && !was_connected {
            return None;
        }
        driver.connection(time, state, session, node, &self.common);
        self.connected += usize::from(driver.connected());
        self.connected -= usize::from(was_connected);
        self.ask_again(client);
        Some(Event::Connection(Box::new(Connection { time, client, session, state, node, name, reason })))
    }

    /// Chaos is over: what was planned and has not started is recorded as dropped.
    pub fn give_up(&mut self, now: Nanos, why: &str) -> Vec<Event> {
        let time = self.stamp(now);
        let mut events = Vec::new();
        for client in 0..self.drivers.len() as u32 {
            for given_up in self.drivers[client as usize].give_up() {
                let (f, due) = (given_up.f, given_up.due);
                events.push(Event::Dropped(Dropped { time, client, f, due, why: why.to_owned() }));
            }
            self.ask_again(client);
        }
        events
    }

    /// Each reader connects to its node and reads every dataId.
    pub fn plan_final_reads(&mut self, now: Nanos, tries: u32) {
        for reader in self.planned..self.drivers.len() as u32 {
            self.drivers[reader as usize].plan(now, PlannedCall::Connect);
            for data in 0..self.data_ids {
                self.drivers[reader as usize].plan(now, PlannedCall::Read { data });
                self.finals.insert((reader, data), tries);
            }
            self.ask_again(reader);
        }
    }

    /// How many final reads a complete run makes.
    pub fn final_reads(&self) -> u32 {
        self.common.nodes.len() as u32 * self.data_ids
    }

    fn final_read(&mut self, now: Nanos, client: ClientId, started: &Started, outcome: Outcome) {
        let Some(data) = started.data else { return };
        let Some(tries) = self.finals.get_mut(&(client, data)) else { return };
        *tries = tries.saturating_sub(1);
        if outcome == Outcome::Ok || *tries == 0 {
            self.finals.remove(&(client, data));
        } else {
            self.drivers[client as usize].plan(now + FINAL_RETRY_NS, PlannedCall::Read { data });
        }
    }

    /// True if no final read is missing that could still be made.
    pub fn final_reads_done(&self) -> bool {
        self.finals.is_empty()
    }
}

fn operation(time: Nanos, op: OpId, started: &Started, outcome: Outcome) -> Operation {
    Operation {
        time,
        outcome,
        op,
        process: started.process,
        client: started.client,
        f: started.f,
        data: started.data,
        registration: started.registration,
        subscription: started.subscription,
        value: started.value.as_deref().map(str::to_owned),
        session: started.session,
        node: started.node,
        snapshot: None,
        late_ns: if outcome == Outcome::Invoke { started.late_ns } else { 0 },
        reaction: started.reaction,
        error: None,
    }
}
