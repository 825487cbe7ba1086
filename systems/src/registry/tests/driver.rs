//! A mini driver: random clients over a world, and what they hold and see. Careful as a real client is, no more.

use crate::registry::world::RegistryWorld;
use crate::world::{Call, Happening, Observation, Request, Response, World};
use history::{ClientId, ConnectionState, DataIx, FaultStage, MILLI, Nanos, OpId};
use nemesis::PlannedFault;
use simulation::Stream;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct View {
    pub version: u64,
    pub content: Vec<Arc<str>>,
    pub at: Nanos,
}

#[derive(Debug, Default)]
pub struct Client {
    pub up: bool,
    pub away: bool,
    pub open: Option<(OpId, Request, Nanos)>,
    pub todo: VecDeque<(Nanos, Request)>,
    pub held: BTreeMap<(DataIx, u32), Arc<str>>,
    /// When the publish of the value held was acknowledged.
    pub acked: BTreeMap<(DataIx, u32), Nanos>,
    pub subscribed: BTreeMap<u32, DataIx>,
    pub views: BTreeMap<u32, View>,
    pub counter: u32,
    pub tries: u32,
}

pub struct Driver {
    pub world: RegistryWorld,
    pub clients: Vec<Client>,
    pub nodes: u32,
    pub ops: OpId,
    /// Everything observed, in a comparable form.
    pub log: Vec<String>,
    pub keep_log: bool,
    /// What only went wrong here and now: views that went back.
    pub wrong: Vec<String>,
    pub reads: Vec<(Nanos, ClientId, DataIx, Vec<Arc<str>>)>,
    pub serving: BTreeMap<u32, (Nanos, bool, i64, String)>,
    pub missed: BTreeMap<u32, String>,
    pub pushes: u64,
    pub lost: u64,
}

impl Driver {
    pub fn new(world: RegistryWorld, clients: u32) -> Driver {
        let nodes = world.info().nodes.iter().filter(|node| node.serves_clients).count() as u32;
        Driver {
            world,
            clients: (0..clients).map(|_| Client::default()).collect(),
            nodes,
            ops: 0,
            log: Vec::new(),
            keep_log: false,
            wrong: Vec::new(),
            reads: Vec::new(),
            serving: BTreeMap::new(),
            missed: BTreeMap::new(),
            pushes: 0,
            lost: 0,
        }
    }

    pub fn ask(&mut self, client: ClientId, at: Nanos, request: Request) {
        self.clients[client as usize].todo.push_back((at, request));
    }

    /// Connect to the next node.
    pub fn connect(&mut self, id: ClientId, at: Nanos) {
        let client = &mut self.clients[id as usize];
        let node = (id + client.tries) % self.nodes;
        client.tries += 1;
        client.todo.clear();
        client.todo.push_back((at, Request::Connect { node, resume: false }));
    }

    pub fn publish(&mut self, id: ClientId, at: Nanos, data: DataIx, registration: u32) {
        let client = &mut self.clients[id as usize];
        client.counter += 1;
        let value: Arc<str> = format!("10.0.0.{id}:{registration}/{data}#{}", client.counter).into();
        client.todo.push_back((at, Request::Publish { data, registration, value, previous: None }));
    }

    fn start(&mut self, now: Nanos) {
        for id in 0..self.clients.len() as u32 {
            let client = &mut self.clients[id as usize];
            if client.open.is_some() || client.todo.front().is_none_or(|(at, _)| *at > now) {
                continue;
            }
            let (_, request) = client.todo.pop_front().unwrap();
            if !client.up && !matches!(request, Request::Connect { .. }) {
                continue;
            }
            let op = self.ops;
            self.ops += 1;
            match &request {
                Request::Publish { data, registration, value, .. } => {
                    client.held.insert((*data, *registration), value.clone());
                    client.acked.remove(&(*data, *registration));
                }
                Request::Unpublish { data, registration, .. } => {
                    client.held.remove(&(*data, *registration));
                }
                Request::Subscribe { data, subscription } => {
                    client.subscribed.insert(*subscription, *data);
                    client.views.remove(subscription);
                }
                Request::Unsubscribe { subscription, .. } => {
                    client.subscribed.remove(subscription);
                    client.views.remove(subscription);
                }
                Request::Close => {
                    client.held.clear();
                    client.subscribed.clear();
                }
                _ => {}
            }
            if request == Request::Vanish {
                client.up = false;
                client.views.clear();
                self.world.submit(Call { op, client: id, request });
                self.connect(id, now + 50 * MILLI);
                continue;
            }
            client.open = Some((op, request.clone(), now));
            self.world.submit(Call { op, client: id, request });
        }
    }

    fn next_due(&self) -> Nanos {
        let due = |client: &Client| client.todo.front().filter(|_| client.open.is_none()).map(|(at, _)| *at);
        self.clients.iter().filter_map(due).min().unwrap_or(Nanos::MAX)
    }

    /// Lets time pass.
    pub fn run_until(&mut self, until: Nanos) {
        let mut out = Vec::new();
        loop {
            let now = self.world.now();
            self.start(now);
            self.world.wait(until.min(self.next_due().max(now)), &mut out).unwrap();
            for observation in out.drain(..) {
                self.observe(observation);
            }
            if self.world.now() >= until && self.next_due() > until {
                return;
            }
        }
    }

    fn observe(&mut self, observation: Observation) {
        if self.keep_log {
            self.log.push(format!("{observation:?}"));
        }
        let now = observation.time;
        match observation.what {
            Happening::Done { op, response } => self.done(now, op, response),
            Happening::Push { client, subscription, data, version, elements } => {
                self.pushes += 1;
                let version = version.unwrap();
                let known = &mut self.clients[client as usize];
                let own = |request: &Request| match request {
                    Request::Subscribe { subscription: number, .. }
                    | Request::Unsubscribe { subscription: number, .. } => *number == subscription,
                    _ => false,
                };
                // Until a change of the subscription is confirmed what is under way belongs to the one before.
                if !known.up || known.open.as_ref().is_some_and(|(_, request, _)| own(request)) {
                    return;
                }
                if known.subscribed.get(&subscription).is_some_and(|expected| *expected != data) {
                    self.wrong.push(format!("{now}: c{client} was pushed {data} on subscription {subscription}"));
                }
                if known.views.get(&subscription).is_some_and(|view| view.version > version) {
                    self.wrong.push(format!("{now}: c{client} went back to {version}"));
                }
                let mut content = elements.to_vec();
                content.sort();
                known.views.insert(subscription, View { version, content, at: now });
            }
            Happening::Connection { client, state, .. } => self.connection(now, client, state),
            Happening::Routes { .. } => {}
            Happening::Fault(fault) => match fault.stage {
                FaultStage::Serving => {
                    let effect = fault.effect.unwrap();
                    self.serving.insert(fault.id, (now, effect.bit, effect.amount, effect.unit));
                }
                FaultStage::Missed => {
                    self.missed.insert(fault.id, fault.detail);
                }
                _ => {}
            },
        }
    }

    fn connection(&mut self, now: Nanos, id: ClientId, state: ConnectionState) {
        let client = &mut self.clients[id as usize];
        match state {
            ConnectionState::Connected => {
                client.up = true;
                client.away = false;
                let subscribed = client.subscribed.clone();
                let held: Vec<_> = client.held.keys().copied().collect();
                for (subscription, data) in subscribed {
                    self.ask(id, now, Request::Subscribe { data, subscription });
                }
                for (data, registration) in held {
                    self.publish(id, now, data, registration);
                }
            }
            ConnectionState::Closed => {
                client.up = false;
                client.away = true;
                client.views.clear();
            }
            _ => {
                self.lost += 1;
                client.up = false;
                client.views.clear();
                self.connect(id, now + 100 * MILLI);
            }
        }
    }

    fn done(&mut self, now: Nanos, op: OpId, response: Response) {
        let at = self.clients.iter().position(|c| c.open.as_ref().is_some_and(|open| open.0 == op));
        let Some(at) = at else { return };
        let id = at as u32;
        let (_, request, _) = self.clients[at].open.take().unwrap();
        let ok = matches!(response, Response::Ok { .. });
        let again = now + 50 * MILLI;
        match request {
            Request::Connect { .. } if !ok => self.connect(id, now + 100 * MILLI),
            Request::Close if !ok => self.clients[at].away = true,
            Request::Publish { data, registration, .. } if ok => {
                self.clients[at].acked.insert((data, registration), now);
            }
            Request::Publish { data, registration, .. } if self.clients[at].up => {
                self.publish(id, again, data, registration);
            }
            Request::Unpublish { .. } | Request::Subscribe { .. } | Request::Unsubscribe { .. }
                if !ok && self.clients[at].up =>
            {
                self.ask(id, again, request);
            }
            Request::Read { data } => match response {
                Response::Ok { read: Some(mut content) } => {
                    content.sort();
                    self.reads.push((now, id, data, content));
                }
                _ if self.clients[at].up => self.ask(id, again, request),
                _ => {}
            },
            _ => {}
        }
    }

    /// Everything held on a dataId by clients that are connected.
    pub fn held(&self, data: DataIx) -> Vec<Arc<str>> {
        let of = |client: &Client| {
            let here = client.held.iter().filter(|((on, _), _)| *on == data);
            here.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let mut all: Vec<Arc<str>> = self.clients.iter().filter(|c| c.up).flat_map(of).collect();
        all.sort();
        all
    }

    /// Every subscriber's view that is not what is held, and every clients' state that is not quiet.
    pub fn differences(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (id, client) in self.clients.iter().enumerate() {
            if !client.up && !client.away {
                all.push(format!("c{id} is not connected"));
            }
            for (subscription, data) in client.subscribed.iter().filter(|_| client.up) {
                let held = self.held(*data);
                match client.views.get(subscription) {
                    Some(view) if view.content == held => {}
                    Some(view) => all.push(format!(
                        "c{id} sees {data} at version {:x} since {}: {:?} instead of {held:?}",
                        view.version, view.at, view.content
                    )),
                    None => all.push(format!("c{id} sees nothing of {data}")),
                }
            }
        }
        all
    }

    /// One random request for one random client.
    pub fn random(&mut self, stream: &mut Stream, at: Nanos, data_ids: u32) {
        let id = stream.below(self.clients.len() as u64) as u32;
        let data = stream.below(u64::from(data_ids)) as u32;
        let number = stream.below(2) as u32;
        let held = self.clients[id as usize].held.keys().next().copied();
        match stream.below(20) {
            0..=8 => self.publish(id, at, data, number),
            9..=11 => {
                if let Some((data, registration)) = held {
                    self.ask(id, at, Request::Unpublish { data, registration, value: "".into() });
                }
            }
            12..=15 => {
                // A subscription's number stands for its dataId.
                let data = (id * 7 + number * 3) % data_ids;
                if stream.chance(800) {
                    self.ask(id, at, Request::Subscribe { data, subscription: number });
                } else {
                    self.ask(id, at, Request::Unsubscribe { data, subscription: number });
                }
            }
            16 => self.ask(id, at, Request::Ping),
            17 => self.ask(id, at, Request::Read { data }),
            18 => self.ask(id, at, Request::Vanish),
            _ => {
                self.ask(id, at, Request::Close);
            }
        }
    }

    /// Brings those back that closed.
    pub fn bring_back(&mut self, now: Nanos) {
        for id in 0..self.clients.len() as u32 {
            let client = &self.clients[id as usize];
            if client.away && client.open.is_none() {
                self.clients[id as usize].away = false;
                self.connect(id, now);
            }
        }
    }

    pub fn begin(&mut self, fault: &PlannedFault) {
        self.world.start_fault(fault);
    }
}
