//! A small simulated registry behind the probe's vocabulary, in virtual time: three servers that copy one truth, each with its own
//! delay, and ways to make each of them wrong. It shares no code with what it tests.
#![allow(clippy::unwrap_used, dead_code)]

use history::{ClientId, ConnectionState, DataIx, MILLI, Nanos, OpId, SECOND};
use probe::ask::{Ask, Call, Elements, Response, Seen, Sighting};
use probe::config::Config;
use probe::engine::Engine;
use probe::incident::Incident;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

pub const SERVERS: usize = 3;
const LEASE: Nanos = 6 * SECOND;
const GIVE_UP: Nanos = 2 * SECOND;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Tell(SightingText),
    Apply {
        server: usize,
        data: DataIx,
    },
    Expire {
        client: ClientId,
        session: u64,
    },
    Answer {
        op: OpId,
        client: ClientId,
        session: u64,
        what: What,
    },
    /// The answer arrives: the effect was there before.
    Reply {
        op: OpId,
        client: ClientId,
        serial: u64,
        closes: bool,
    },
    GiveUp {
        op: OpId,
        client: ClientId,
        serial: u64,
    },
}

/// What happens at the registry when a request arrives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Connect { node: usize, resume: bool },
    Publish { data: DataIx, value: String },
    Unpublish { data: DataIx },
    Subscribe { data: DataIx },
    Ping,
    Close,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SightingText {
    Push { client: ClientId, data: DataIx, version: u64, content: Vec<String>, serial: u64 },
}

#[derive(Clone, Debug, Default)]
struct Client {
    node: usize,
    session: u64,
    up: bool,
    serial: u64,
    subscribed: BTreeSet<DataIx>,
}

/// What is wrong with a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fault {
    /// It refuses everybody.
    pub down: bool,
    /// It serves its clients what it knew, and hears of nothing new; writes through it hang.
    pub cut: bool,
    /// Its pushes leave out this many publishers.
    pub forgets: usize,
    /// Its pushes take so much longer.
    pub slow: Nanos,
}

pub struct Registry {
    pub now: Nanos,
    pub faults: [Fault; SERVERS],
    /// Values that are shown though nobody has them.
    pub extra: Vec<(DataIx, String)>,
    truth: Vec<BTreeMap<String, (ClientId, u64)>>,
    shown: Vec<Vec<Vec<String>>>,
    clients: BTreeMap<ClientId, Client>,
    queue: BinaryHeap<Reverse<(Nanos, u64, Event)>>,
    serial: u64,
    version: u64,
    draw: u64,
    /// Leases that ran out while no server was there to see it.
    held: Vec<(ClientId, u64)>,
    pub operations: u64,
}

impl Registry {
    pub fn new(data_ids: usize) -> Registry {
        Registry {
            now: 0,
            faults: [Fault::default(); SERVERS],
            extra: Vec::new(),
            truth: vec![BTreeMap::new(); data_ids],
            shown: vec![vec![Vec::new(); data_ids]; SERVERS],
            clients: BTreeMap::new(),
            queue: BinaryHeap::new(),
            serial: 0,
            version: 0,
            draw: 1,
            held: Vec::new(),
            operations: 0,
        }
    }

    /// 1 to 8 ms.
    fn hop(&mut self) -> Nanos {
        self.draw = self.draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        MILLI + (self.draw >> 33) % (7 * MILLI)
    }

    fn later(&mut self, after: Nanos, event: Event) {
        self.serial += 1;
        self.queue.push(Reverse((self.now + after, self.serial, event)));
    }

    pub fn ask(&mut self, call: Call) {
        self.operations += 1;
        let session = self.clients.get(&call.client).map_or(0, |client| client.session);
        let what = match call.ask {
            Ask::Connect { node, resume } => What::Connect { node: node as usize, resume },
            Ask::Publish { data, value } => What::Publish { data, value: value.to_string() },
            Ask::Unpublish { data } => What::Unpublish { data },
            Ask::Subscribe { data } => What::Subscribe { data },
            Ask::Ping => What::Ping,
            Ask::Close => What::Close,
        };
        let after = self.hop();
        self.later(after, Event::Answer { op: call.op, client: call.client, session, what });
    }

    pub fn next(&self) -> Option<Nanos> {
        self.queue.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Takes the next event, if it is due by then.
    pub fn step(&mut self, until: Nanos, out: &mut Vec<Sighting>) -> bool {
        if self.next().is_none_or(|at| at > until) {
            self.now = until.max(self.now);
            return false;
        }
        let Reverse((at, _, event)) = self.queue.pop().unwrap();
        self.now = at;
        match event {
            Event::Tell(SightingText::Push { client, data, version, content, serial }) => {
                if self.clients.get(&client).is_some_and(|one| one.up && one.serial == serial) {
                    let elements: Elements = content.iter().map(|text| Arc::from(text.as_str())).collect();
                    let bytes = content.iter().map(String::len).sum::<usize>() as u64;
                    self.see(out, Seen::Push { client, data, version: Some(version), elements, bytes });
                }
            }
            Event::Apply { server, data } => self.apply(server, data),
            Event::Expire { client, session } if self.faults.iter().all(|fault| fault.down) => {
                self.held.push((client, session));
            }
            Event::Expire { client, session } => {
                let one = &self.clients[&client];
                if one.session != session || !one.up {
                    self.remove(|_, owner| *owner == (client, session));
                }
            }
            Event::Answer { op, client, session, what } => self.answer(op, client, session, what, out),
            Event::Reply { op, client, serial, closes } => {
                let one = self.clients.get_mut(&client).unwrap();
                if one.serial != serial {
                    let response = Response::Info("the connection broke".into());
                    self.see(out, Seen::Done { op, response });
                    return true;
                }
                if closes {
                    one.up = false;
                    one.serial += 1;
                    self.see(
                        out,
                        Seen::Connection { client, state: ConnectionState::Closed, name: None, reason: None },
                    );
                }
                self.see(out, Seen::Done { op, response: Response::Ok });
            }
            Event::GiveUp { op, client, serial } => {
                if self.clients[&client].serial == serial {
                    self.lose(client, "nothing heard", out);
                }
                let response = Response::Info("no answer".into());
                self.see(out, Seen::Done { op, response });
            }
        }
        true
    }

    fn see(&self, out: &mut Vec<Sighting>, what: Seen) {
        out.push(Sighting { time: self.now, what });
    }

    fn lose(&mut self, client: ClientId, why: &str, out: &mut Vec<Sighting>) {
        let one = self.clients.get_mut(&client).unwrap();
        if !one.up {
            return;
        }
        one.up = false;
        one.serial += 1;
        one.subscribed.clear();
        let session = one.session;
        let (state, reason) = (ConnectionState::Lost, Some(why.to_owned()));
        self.see(out, Seen::Connection { client, state, name: None, reason });
        self.later(LEASE, Event::Expire { client, session });
    }

    fn answer(&mut self, op: OpId, client: ClientId, session: u64, what: What, out: &mut Vec<Sighting>) {
        let done = |response| Seen::Done { op, response };
        if let What::Connect { node, resume } = what {
            if self.faults[node].down || self.faults[node].cut {
                return self.see(out, done(Response::Fail("connection refused".into())));
            }
            self.connect(client, node, resume, out);
            return self.see(out, done(Response::Ok));
        }
        let one = self.clients.entry(client).or_default().clone();
        if !one.up || one.session != session {
            return self.see(out, done(Response::Fail("not connected".into())));
        }
        if self.faults[one.node].cut && !matches!(what, What::Subscribe { .. }) {
            return self.later(GIVE_UP, Event::GiveUp { op, client, serial: one.serial });
        }
        match what {
            What::Publish { data, value } => {
                self.truth[data as usize].retain(|_, owner| owner.0 != client);
                self.truth[data as usize].insert(value, (client, session));
                self.changed(data);
            }
            What::Unpublish { data } => {
                self.truth[data as usize].retain(|_, owner| owner.0 != client);
                self.changed(data);
            }
            What::Subscribe { data } => {
                self.clients.get_mut(&client).unwrap().subscribed.insert(data);
                self.see(out, done(Response::Ok));
                return self.push(client, data);
            }
            What::Close => {
                self.remove(|_, owner| *owner == (client, session));
                let after = 20 * self.hop();
                return self.later(after, Event::Reply { op, client, serial: one.serial, closes: true });
            }
            What::Ping | What::Connect { .. } => {}
        }
        let after = self.hop();
        self.later(after, Event::Reply { op, client, serial: one.serial, closes: false });
    }

    fn connect(&mut self, client: ClientId, node: usize, resume: bool, out: &mut Vec<Sighting>) {
        let one = self.clients.entry(client).or_default().clone();
        let lives = self.truth.iter().any(|content| content.values().any(|owner| *owner == (client, one.session)));
        let state = if resume && lives { ConnectionState::Resumed } else { ConnectionState::Connected };
        let session = if state == ConnectionState::Resumed { one.session } else { one.session + 1 };
        let new = Client { node, session, up: true, serial: one.serial + 1, subscribed: BTreeSet::new() };
        self.clients.insert(client, new);
        self.see(out, Seen::Connection { client, state, name: Some(format!("{client}/{session}")), reason: None });
    }

    fn remove(&mut self, gone: impl Fn(&str, &(ClientId, u64)) -> bool) {
        for data in 0..self.truth.len() {
            let before = self.truth[data].len();
            self.truth[data].retain(|value, owner| !gone(value, owner));
            if self.truth[data].len() != before {
                self.changed(data as DataIx);
            }
        }
    }

    /// Another client removes every value that this canary has.
    pub fn delete_behind_its_back(&mut self, client: ClientId) {
        self.remove(|_, owner| owner.0 == client);
    }

    pub fn heal(&mut self, server: usize) {
        self.faults[server] = Fault::default();
        // The first server that is back gives full leases again.
        for (client, session) in std::mem::take(&mut self.held) {
            self.later(LEASE, Event::Expire { client, session });
        }
        (0..self.truth.len() as DataIx).for_each(|data| self.later(0, Event::Apply { server, data }));
    }

    /// Everybody on this server loses the connection, and it is gone.
    pub fn kill(&mut self, server: usize, out: &mut Vec<Sighting>) {
        self.faults[server].down = true;
        let there: Vec<ClientId> =
            self.clients.iter().filter(|(_, one)| one.up && one.node == server).map(|c| *c.0).collect();
        there.into_iter().for_each(|client| self.lose(client, "closed by the server", out));
    }

    /// Shows this from now on.
    pub fn touch(&mut self) {
        (0..self.truth.len() as DataIx).for_each(|data| self.changed(data));
    }

    fn changed(&mut self, data: DataIx) {
        self.version += 1;
        for server in 0..SERVERS {
            let after = self.hop();
            self.later(after, Event::Apply { server, data });
        }
    }

    fn apply(&mut self, server: usize, data: DataIx) {
        let fault = self.faults[server];
        if fault.down || fault.cut {
            return;
        }
        let extra = self.extra.iter().filter(|(at, _)| *at == data).map(|(_, value)| value.clone());
        let mut content: Vec<String> = self.truth[data as usize].keys().cloned().chain(extra).collect();
        content.sort();
        content.drain(..fault.forgets.min(content.len()));
        self.shown[server][data as usize] = content;
        let there: Vec<ClientId> = self
            .clients
            .iter()
            .filter(|(_, one)| one.up && one.node == server && one.subscribed.contains(&data))
            .map(|client| *client.0)
            .collect();
        there.into_iter().for_each(|client| self.push(client, data));
    }

    fn push(&mut self, client: ClientId, data: DataIx) {
        let one = self.clients[&client].clone();
        let content = self.shown[one.node][data as usize].clone();
        let (serial, version) = (one.serial, self.version);
        let after = MILLI + self.faults[one.node].slow;
        self.later(after, Event::Tell(SightingText::Push { client, data, version, content, serial }));
    }
}

/// A probe on such a registry.
pub struct Bench {
    pub engine: Engine,
    pub registry: Registry,
}

pub const CONFIG: &str = r#"
[registry]
kind = "zookeeper"
addresses = ["n1:2181", "n2:2181", "n3:2181"]
namespace = "/upheaval-probe"
[canaries]
change_ms = 1000
[objectives]
converge_ms = 500
"#;

impl Bench {
    pub fn new(text: &str) -> Bench {
        Bench::after(text, Vec::new())
    }

    pub fn after(text: &str, earlier: Vec<Incident>) -> Bench {
        let config = Config::parse("test", text).unwrap();
        let registry = Registry::new(config.canaries.data_ids.len());
        Bench { engine: Engine::new(config, "it", 0, earlier), registry }
    }

    pub fn see(&mut self, sightings: Vec<Sighting>) {
        sightings.into_iter().for_each(|one| self.engine.observe(one));
    }

    /// Runs until this time.
    pub fn run(&mut self, until: Nanos) {
        let mut out = Vec::new();
        loop {
            let now = self.registry.now;
            for call in self.engine.act(now, 1_760_000_000_000 + (now / MILLI) as i64) {
                self.registry.ask(call);
            }
            if now >= until {
                return;
            }
            let due = self.engine.next_due().max(now + 1).min(until);
            self.registry.step(due, &mut out);
            out.drain(..).for_each(|one| self.engine.observe(one));
        }
    }

    /// Runs until this kind of incident is open, for at most so long; how long it took.
    pub fn until_open(&mut self, kind: probe::finding::Kind, patience: Nanos) -> Option<Nanos> {
        let began = self.registry.now;
        while self.registry.now < began + patience {
            if self.engine.book().open()[&kind] > 0 {
                return Some(self.registry.now - began);
            }
            let next = self.registry.now + 50 * MILLI;
            self.run(next);
        }
        None
    }

    pub fn incidents(&self) -> Vec<String> {
        self.engine.book().all().map(|one| format!("{} {:?} {:?}", one.key, one.details, one.suspect)).collect()
    }
}

/// Memory of this process, in bytes.
pub fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
