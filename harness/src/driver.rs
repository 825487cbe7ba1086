//! One client: what it holds, what it does next, how it comes back after it lost its connection.
//!
//! Sans-IO: the master tells it the time, what the system answered and what became of its connection; it says what to
//! ask for next. The same code drives simulated and real clients. A client's operations are sequential: one that is due
//! while the one before is open starts when that ends, and its lateness is recorded (no coordinated omission).

use history::{ClientId, ConnectionState, DataIx, Function, Nanos, NodeIx, ProcessId, SessionId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use systems::{Request, Response};
use workloads::{ClientBehaviour, ClientPlan, PlannedCall, Reaction};

/// What all clients of a run have in common.
#[derive(Clone, Debug)]
pub struct Common {
    /// Nodes that serve clients.
    pub nodes: Vec<NodeIx>,
    /// How careful clients are.
    pub behaviour: ClientBehaviour,
    /// An idle client proves its session alive this often; 0: never.
    pub ping_ns: Nanos,
}

/// Something a client means to do.
#[derive(Clone, Debug)]
struct Intent {
    due: Nanos,
    call: PlannedCall,
    reaction: bool,
}

/// An operation that starts now, as the history records it and as the system is asked.
#[derive(Clone, Debug)]
pub struct Started {
    /// The client.
    pub client: ClientId,
    /// Its process number.
    pub process: ProcessId,
    /// Which function.
    pub f: Function,
    /// On which dataId.
    pub data: Option<DataIx>,
    /// Of which registration.
    pub registration: Option<u32>,
    /// Of which subscription.
    pub subscription: Option<u32>,
    /// With which value.
    pub value: Option<Arc<str>>,
    /// In which session.
    pub session: Option<SessionId>,
    /// On which node.
    pub node: Option<NodeIx>,
    /// How late.
    pub late_ns: Nanos,
    /// Planned, or a reaction.
    pub reaction: bool,
    /// What to ask the system for; taken by whoever asks.
    pub request: Request,
}

/// A planned operation that will never start.
#[derive(Clone, Debug)]
pub struct GivenUp {
    /// What it was.
    pub f: Function,
    /// When it was due.
    pub due: Nanos,
}

#[derive(Clone, Debug)]
struct Registration {
    data: DataIx,
    value: Arc<str>,
}

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// Not connected, and nobody asked for it.
    Away,
    /// Not connected; a connect is planned or under way.
    Lost,
    /// Connected.
    Up,
}

/// The state of one client.
#[derive(Clone, Debug)]
pub struct Driver {
    id: ClientId,
    plan_node: u32,
    reactions: Vec<Reaction>,
    link: Link,
    session: Option<SessionId>,
    node: Option<NodeIx>,
    resumable: bool,
    process: ProcessId,
    attempts: u32,
    losses: usize,
    counter: u32,
    held: BTreeMap<u32, Registration>,
    last_value: BTreeMap<u32, Arc<str>>,
    subscribed: BTreeMap<u32, DataIx>,
    planned: VecDeque<Intent>,
    reacting: VecDeque<Intent>,
    /// Registrations whose last operation did not end ok, or that a new session has not yet: asked for again when the
    /// session goes on.
    unsettled: BTreeMap<u32, PlannedCall>,
    /// The operation under way.
    open: Option<Started>,
    active: Nanos,
}

impl Driver {
    /// A client that has done nothing yet. Its first process number is its own.
    pub fn new(plan: &ClientPlan) -> Driver {
        Driver {
            id: plan.id,
            plan_node: plan.node,
            reactions: plan.reactions.clone(),
            link: Link::Away,
            session: None,
            node: None,
            resumable: false,
            process: plan.id,
            attempts: 0,
            losses: 0,
            counter: 0,
            held: BTreeMap::new(),
            last_value: BTreeMap::new(),
            subscribed: BTreeMap::new(),
            planned: VecDeque::new(),
            reacting: VecDeque::new(),
            unsettled: BTreeMap::new(),
            open: None,
            active: 0,
        }
    }

    /// Adds a planned operation; operations are added in order of time.
    pub fn plan(&mut self, due: Nanos, call: PlannedCall) {
        self.planned.push_back(Intent { due, call, reaction: false });
    }

    /// The session it is in, as far as it knows.
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The node it is connected to.
    pub fn node(&self) -> Option<NodeIx> {
        self.node.filter(|_| self.link == Link::Up)
    }

    /// True if it is connected.
    pub fn connected(&self) -> bool {
        self.link == Link::Up
    }

    /// When it wants to be asked next; none while an operation is under way or nothing is left to do.
    pub fn next_due(&self, common: &Common) -> Option<Nanos> {
        if self.open.is_some() {
            return None;
        }
        let mut next = self.reacting.iter().map(|intent| intent.due).min();
        let mut or = |due: Nanos| next = Some(next.map_or(due, |next| next.min(due)));
        if let Some(at) = self.next_planned() {
            or(self.planned[at].due);
        }
        if self.link == Link::Up && common.ping_ns > 0 {
            or(self.active + common.ping_ns);
        }
        next
    }

    /// Index of the planned operation that can start next. A client that is away waits for its next connect, past
    /// whatever was planned for it in between; nothing starts while a client is on its way back.
    fn next_planned(&self) -> Option<usize> {
        match self.link {
            Link::Lost => None,
            Link::Away => self.planned.iter().position(|intent| intent.call == PlannedCall::Connect),
            Link::Up => self.planned.iter().position(|intent| intent.call != PlannedCall::Connect),
        }
    }

    /// Starts what is due, if anything. The master asks for it and tells [`Driver::opened`].
    pub fn start(&mut self, now: Nanos, common: &Common) -> Option<Started> {
        if self.open.is_some() {
            return None;
        }
        let first = self.reacting.iter().enumerate().min_by_key(|(at, intent)| (intent.due, *at)).map(|(at, _)| at);
        if let Some(at) = first.filter(|at| self.reacting[*at].due <= now) {
            let intent = self.reacting.remove(at)?;
            return Some(self.begin(now, intent, common));
        }
        if let Some(at) = self.next_planned().filter(|at| self.planned[*at].due <= now) {
            let intent = self.planned.remove(at)?;
            return Some(self.begin(now, intent, common));
        }
        if self.link == Link::Up && common.ping_ns > 0 && now >= self.active + common.ping_ns {
            return Some(self.begin(now, Intent { due: now, call: PlannedCall::Ping, reaction: true }, common));
        }
        None
    }

    /// Gives up everything that was planned and has not started: chaos is over.
    pub fn give_up(&mut self) -> Vec<GivenUp> {
        self.planned.drain(..).map(|intent| GivenUp { f: function(&intent.call), due: intent.due }).collect()
    }

    /// This operation was asked for and is under way.
    pub fn opened(&mut self, started: Started) {
        self.open = Some(started);
    }

    fn begin(&mut self, now: Nanos, intent: Intent, common: &Common) -> Started {
        self.active = now;
        let mut started = Started {
            client: self.id,
            process: self.process,
            f: function(&intent.call),
            data: None,
            registration: None,
            subscription: None,
            value: None,
            session: self.session.filter(|_| self.link == Link::Up),
            node: self.node.filter(|_| self.link == Link::Up),
            late_ns: now.saturating_sub(intent.due),
            reaction: intent.reaction,
            request: Request::Ping,
        };
        match intent.call {
            PlannedCall::Connect => {
                let node = self.next_node(common);
                self.link = Link::Lost;
                started.session = None;
                started.node = Some(node);
                started.request = Request::Connect { node, resume: self.resumable };
            }
            PlannedCall::Publish { data, registration } => self.begin_publish(&mut started, data, registration),
            PlannedCall::Unpublish { data, registration } => {
                let value = self.last_value.get(&registration).cloned();
                let value = value.unwrap_or_else(|| Arc::from(self.value(registration, 0)));
                self.held.remove(&registration);
                (started.data, started.registration) = (Some(data), Some(registration));
                started.value = Some(value.clone());
                started.request = Request::Unpublish { data, registration, value };
            }
            PlannedCall::Subscribe { data, subscription } => {
                self.subscribed.insert(subscription, data);
                (started.data, started.subscription) = (Some(data), Some(subscription));
                started.request = Request::Subscribe { data, subscription };
            }
            PlannedCall::Unsubscribe { data, subscription } => {
                self.subscribed.remove(&subscription);
                (started.data, started.subscription) = (Some(data), Some(subscription));
                started.request = Request::Unsubscribe { data, subscription };
            }
            PlannedCall::Read { data } => {
                started.data = Some(data);
                started.request = Request::Read { data };
            }
            PlannedCall::Ping => started.request = Request::Ping,
            PlannedCall::Close => {
                self.held.clear();
                self.subscribed.clear();
                started.request = Request::Close;
            }
            PlannedCall::Vanish => started.request = Request::Vanish,
        }
        started
    }

    /// Every publish carries a value of its own, also one that only registers again.
    fn begin_publish(&mut self, started: &mut Started, data: DataIx, registration: u32) {
        self.counter += 1;
        let value: Arc<str> = Arc::from(self.value(registration, self.counter));
        let previous = self.last_value.insert(registration, value.clone());
        self.held.insert(registration, Registration { data, value: value.clone() });
        (started.data, started.registration) = (Some(data), Some(registration));
        started.value = Some(value.clone());
        started.request = Request::Publish { data, registration, value, previous };
    }

    /// The address that this registration stands for, unique in the run for fewer than 16 million clients, and which of its
    /// values it is.
    fn value(&self, registration: u32, count: u32) -> String {
        let [_, a, b, c] = self.id.to_be_bytes();
        let mut text = String::with_capacity(32);
        text.push_str("10.");
        for (number, then) in [(a.into(), '.'), (b.into(), '.'), (c.into(), ':'), (9000 + registration, '#')] {
            digits(&mut text, number);
            text.push(then);
        }
        digits(&mut text, count);
        text
    }

    fn next_node(&mut self, common: &Common) -> NodeIx {
        let at = (self.plan_node.wrapping_add(self.attempts)) as usize % common.nodes.len().max(1);
        self.attempts += 1;
        common.nodes.get(at).copied().unwrap_or(0)
    }

    /// The open operation ended: which one, if any. After info the process number is retired and `fresh` takes its place.
    pub fn done(&mut self, now: Nanos, response: &Response, fresh: ProcessId) -> Option<Started> {
        let open = self.open.take()?;
        self.active = now;
        if matches!(response, Response::Info { .. }) {
            self.process = fresh;
        }
        let ok = matches!(response, Response::Ok { .. });
        match open.f {
            Function::Connect if !ok && self.link != Link::Up => self.come_back(now),
            Function::Close => self.gone(),
            Function::Publish | Function::Unpublish => self.settle(now, &open, ok),
            Function::Subscribe if !ok && self.link == Link::Up => {
                if let (Some(data), Some(subscription)) = (open.data, open.subscription) {
                    self.again(now, PlannedCall::Subscribe { data, subscription });
                }
            }
            _ => {}
        }
        Some(open)
    }

    /// A registration that failed or is unknown is asked for again while the session goes on, as a careful client
    /// does; the history shows it.
    fn settle(&mut self, now: Nanos, started: &Started, ok: bool) {
        let (Some(data), Some(registration)) = (started.data, started.registration) else { return };
        if ok {
            self.unsettled.remove(&registration);
            return;
        }
        let call = match started.f {
            Function::Publish => PlannedCall::Publish { data, registration },
            _ => PlannedCall::Unpublish { data, registration },
        };
        self.unsettled.insert(registration, call.clone());
        if self.link == Link::Up {
            self.again(now, call);
        }
    }

    fn again(&mut self, now: Nanos, call: PlannedCall) {
        let due = now + self.reaction().reconnect_ns;
        self.reacting.push_back(Intent { due, call, reaction: true });
    }

    fn gone(&mut self) {
        self.link = Link::Away;
        self.session = None;
        self.resumable = false;
        self.held.clear();
        self.subscribed.clear();
        self.unsettled.clear();
        self.reacting.clear();
    }

    /// It went away without a word: its session is not resumed, as after a crash of its host.
    pub fn vanished(&mut self, now: Nanos) {
        self.open = None;
        self.active = now;
        self.resumable = false;
        self.lose(now);
    }

    /// Its connection changed. `session` is the number that the master gave to the session.
    pub fn connection(
        &mut self,
        now: Nanos,
        state: ConnectionState,
        session: SessionId,
        node: Option<NodeIx>,
        common: &Common,
    ) {
        match state {
            ConnectionState::Connected | ConnectionState::Resumed => {
                self.link = Link::Up;
                self.session = Some(session);
                self.node = node;
                self.resumable = true;
                self.active = now;
                self.reacting.clear();
                self.take_up_again(now, state == ConnectionState::Connected, common);
            }
            ConnectionState::Lost => self.lose(now),
            ConnectionState::Expired => {
                self.resumable = false;
                self.lose(now);
            }
            ConnectionState::Closed => {}
        }
    }

    /// Registers again what it holds (in a new session) and subscribes again.
    fn take_up_again(&mut self, now: Nanos, new_session: bool, common: &Common) {
        // Nothing is held in the first session or after a clean close, so nothing is done then.
        let mut calls = Vec::new();
        if common.behaviour.resubscribe {
            calls.extend(self.subscribed.iter().map(|(subscription, data)| {
                (now, PlannedCall::Subscribe { data: *data, subscription: *subscription })
            }));
        }
        let due = now + self.reaction().reregister_ns;
        if new_session {
            // Owed until it ends ok: also where the connection is lost before it was asked for, and the session resumed.
            let publish = |(registration, held): (&u32, &Registration)| {
                (*registration, PlannedCall::Publish { data: held.data, registration: *registration })
            };
            let reregister = common.behaviour.reregister;
            self.unsettled = self.held.iter().filter(|_| reregister).map(publish).collect();
        }
        calls.extend(self.unsettled.values().map(|call| (due, call.clone())));
        self.reacting.extend(calls.into_iter().map(|(due, call)| Intent { due, call, reaction: true }));
    }

    fn lose(&mut self, now: Nanos) {
        if self.link == Link::Up {
            self.losses += 1;
            self.come_back(now);
        }
    }

    fn come_back(&mut self, now: Nanos) {
        self.link = Link::Lost;
        self.reacting.clear();
        let due = now + self.reaction().reconnect_ns;
        self.reacting.push_back(Intent { due, call: PlannedCall::Connect, reaction: true });
    }

    fn reaction(&self) -> Reaction {
        let at = self.losses.min(self.reactions.len().saturating_sub(1));
        self.reactions.get(at).copied().unwrap_or(Reaction { reconnect_ns: 100_000_000, reregister_ns: 0 })
    }

    /// What it holds by its own intention: for tests and the summary of a run.
    pub fn holds(&self) -> impl Iterator<Item = (DataIx, &str)> {
        self.held.values().map(|held| (held.data, &*held.value))
    }
}

/// Appends a number; faster than a format, and there are as many as publishes.
fn digits(text: &mut String, number: u32) {
    if number >= 10 {
        digits(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

fn function(call: &PlannedCall) -> Function {
    match call {
        PlannedCall::Connect => Function::Connect,
        PlannedCall::Publish { .. } => Function::Publish,
        PlannedCall::Unpublish { .. } => Function::Unpublish,
        PlannedCall::Subscribe { .. } => Function::Subscribe,
        PlannedCall::Unsubscribe { .. } => Function::Unsubscribe,
        PlannedCall::Read { .. } => Function::Read,
        PlannedCall::Ping => Function::Ping,
        PlannedCall::Close => Function::Close,
        PlannedCall::Vanish => Function::Vanish,
    }
}
