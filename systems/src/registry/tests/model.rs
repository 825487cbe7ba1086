//! A model check of the small end: every order in which messages can arrive, over the real machines.
//!
//! Two session nodes, two data nodes, one slot that moves from one data node to the other while a client of each session
//! publishes and a new table reaches each node at any time. In every state that can be reached, whoever answers a fetch
//! (and only that leads to a push) must be in Accept, nobody else may answer at the same time, and the answer must show
//! every publish that was acknowledged. Clocks stand still: nothing here may depend on how long anything takes. Messages
//! on a link keep their order; retries fire whenever they like, but not for ever.

use crate::registry::RegistryConfig;
use crate::registry::bugs::Bug;
use crate::registry::cluster::Cluster;
use crate::registry::data::Data;
use crate::registry::layout::NodeIds;
use crate::registry::message::{Answer, Ask, ConnectionId, In, Message, Out, Timer};
use crate::registry::session::Session;
use crate::registry::slot::Phase;
use history::{MILLI, OpId};
use simulation::{Input, NO_CHANNEL, NodeId, Now};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

const IDS: NodeIds = NodeIds { sessions: 2, data: 2, metas: 1 };
const META: NodeId = 4;
const CLIENTS: NodeId = 6;
/// At which all clocks stand.
const NOW: Now = Now { mono: 1_000 * MILLI, wall: 1_000_000_000, synchronised: true };
/// More states than this are a mistake in the bounds of the search.
const STATES_MAX: usize = 300_000;

/// The whole small world.
#[derive(Clone)]
struct World {
    sessions: Vec<Session>,
    data: Vec<Data>,
    links: BTreeMap<(NodeId, NodeId), VecDeque<Message>>,
    /// Timers that may fire at any time.
    timers: Vec<(NodeId, Timer)>,
    /// How many retries may still fire.
    retries: u32,
    /// Operations of the clients of each session that were acknowledged.
    acked: BTreeSet<OpId>,
}

/// What can happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive(NodeId, NodeId),
    Fire(usize),
}

impl World {
    /// Data node 2 leads and serves; both clients are connected and have published once.
    fn settled(bug: Option<Bug>) -> World {
        let config = Arc::new(RegistryConfig {
            sessions: 2,
            data: 2,
            metas: 1,
            slots: 1,
            migrate_ms: 0,
            ..RegistryConfig::default()
        });
        let mut world = World {
            sessions: (0..2).map(|id| Session::new(id, 1, config.clone(), IDS, bug)).collect(),
            data: (2..4).map(|id| Data::new(id, 1, config.clone(), IDS, bug)).collect(),
            links: BTreeMap::new(),
            timers: Vec::new(),
            retries: 0,
            acked: BTreeSet::new(),
        };
        world.table(1, 2);
        world.run_dry();
        for id in 0..2 {
            let connection = ConnectionId { client: id, number: 1 };
            world.send(CLIENTS, id, Message::Request(connection, id, Box::new(Ask::Connect)));
            world.publish(id, 1);
        }
        world.run_dry();
        assert_eq!(world.acked.len(), 4, "the world works before it is put to the test");
        assert_eq!(world.data[0].slots[0].phase, Phase::Accept);
        world
    }

    fn publish(&mut self, client: u32, version: u64) {
        let connection = ConnectionId { client, number: 1 };
        let ask = Ask::Publish { data: 0, registration: 0, version, value: value(client, version).into() };
        self.send(CLIENTS, client, Message::Request(connection, client + 10 * version as u32, Box::new(ask)));
    }

    /// Meta tells everyone that this data node leads in this epoch.
    fn table(&mut self, epoch: u64, leader: NodeId) {
        let config = RegistryConfig { sessions: 2, data: 2, metas: 1, slots: 1, ..RegistryConfig::default() };
        let nodes: Vec<_> = (0..4).map(|node| (node, 1)).collect();
        let mut cluster = Cluster::of(&config).changed(&IDS, &[], &nodes, 2);
        cluster.version = epoch;
        (cluster.slots[0].leader, cluster.slots[0].epoch) = (Some(leader), epoch);
        cluster.slots[0].followers = vec![5 - leader];
        let cluster = Arc::new(cluster);
        for node in 0..4 {
            self.send(META, node, Message::BeatOk(1, NOW.mono, Some(cluster.clone())));
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        self.links.entry((from, to)).or_default().push_back(message);
    }

    fn possible(&self) -> Vec<Step> {
        let arrive = self.links.keys().map(|(from, to)| Step::Arrive(*from, *to));
        let fire = |(at, (_, timer)): (usize, &(NodeId, Timer))| {
            (is_first(timer) || self.retries > 0).then_some(Step::Fire(at))
        };
        arrive.chain(self.timers.iter().enumerate().filter_map(fire)).collect()
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Arrive(from, to) => {
                let link = self.links.get_mut(&(from, to)).unwrap();
                let message = link.pop_front().unwrap();
                if link.is_empty() {
                    self.links.remove(&(from, to));
                }
                let channel = if from == CLIENTS { to } else { NO_CHANNEL };
                self.step(to, Input::Message { from, channel, message });
            }
            Step::Fire(at) => {
                let (node, timer) = self.timers.remove(at);
                self.retries -= u32::from(!is_first(&timer));
                self.step(node, Input::Timer(timer));
            }
        }
    }

    fn step(&mut self, node: NodeId, input: In) {
        let mut out = Out::default();
        match node {
            0 | 1 => self.sessions[node as usize].step(NOW, input, &mut out),
            _ => self.data[node as usize - 2].step(NOW, input, &mut out),
        }
        for (to, _, message) in out.sent() {
            match message {
                Message::Response(_, op, Answer::Ok(_)) => {
                    self.acked.insert(*op);
                }
                _ if *to < META => self.send(node, *to, message.clone()),
                _ => {}
            }
        }
        for (_, timer) in out.timers_set() {
            let known = self.timers.contains(&(node, *timer));
            if matches!(timer, Timer::Flush(_) | Timer::Write(..) | Timer::Migrate(_)) && !known {
                self.timers.push((node, *timer));
            }
        }
    }

    /// Lets everything happen in one order, without retries.
    fn run_dry(&mut self) {
        while let Some(step) = self.possible().first().copied() {
            self.take(step);
        }
        self.timers.clear();
    }

    /// What is wrong in this state, if anything.
    fn wrong(&self) -> Option<String> {
        let mut served = Vec::new();
        for at in 0..2 {
            let mut data = self.data[at].clone();
            let mut out = Out::default();
            let message = Message::Fetch(999, 0);
            data.step(NOW, Input::Message { from: 0, channel: NO_CHANNEL, message }, &mut out);
            for (_, _, message) in out.sent() {
                if let Message::Fetched(_, _, Some(content)) = message {
                    served.push((at, content.elements.clone()));
                }
            }
        }
        for (at, elements) in &served {
            let slot = &self.data[*at].slots[0];
            if slot.phase != Phase::Accept {
                return Some(format!("data-{} serves in {:?}", at + 1, slot.phase));
            }
            for client in 0..2 {
                let version = if self.acked.contains(&(client + 20)) { 2 } else { 1 };
                let shown = elements.iter().find(|v| v.starts_with(&format!("c{client}#")));
                if shown.is_none_or(|shown| **shown < *value(client, version)) {
                    return Some(format!("data-{} shows {elements:?} without {}", at + 1, value(client, version)));
                }
            }
        }
        (served.len() > 1).then(|| "both data nodes serve".to_owned())
    }

    fn fingerprint(&self) -> u64 {
        struct Sink(DefaultHasher);
        impl Write for Sink {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                self.0.write(text.as_bytes());
                Ok(())
            }
        }
        let mut sink = Sink(DefaultHasher::new());
        write!(sink, "{:?}{:?}{:?}{:?}", self.sessions, self.data, self.links, self.timers).unwrap();
        write!(sink, "{}{:?}", self.retries, self.acked).unwrap();
        sink.0.finish()
    }
}

fn value(client: u32, version: u64) -> String {
    format!("c{client}#{version}")
}

/// Gathering a batch is no retry.
fn is_first(timer: &Timer) -> bool {
    matches!(timer, Timer::Flush(_))
}

/// Every state that can be reached when the slot moves; what is wrong in the first wrong one, with the way to it.
fn search(bug: Option<Bug>, retries: u32, publishers: u32) -> (usize, Option<(String, Vec<Step>)>) {
    let mut start = World::settled(bug);
    start.retries = retries;
    start.acked.clear();
    start.table(2, 3);
    for client in 0..publishers {
        start.publish(client, 2);
    }
    let mut known = BTreeSet::from([start.fingerprint()]);
    let mut open = VecDeque::from([(start, Vec::new())]);
    let mut served_by_the_new = false;
    while let Some((world, way)) = open.pop_front() {
        if let Some(wrong) = world.wrong() {
            return (known.len(), Some((wrong, way)));
        }
        served_by_the_new |= world.data[1].slots[0].phase == Phase::Accept;
        for step in world.possible() {
            let mut next = world.clone();
            next.take(step);
            if known.insert(next.fingerprint()) {
                assert!(known.len() < STATES_MAX, "the search has no end");
                open.push_back((next, [way.as_slice(), &[step]].concat()));
            }
        }
    }
    assert!(served_by_the_new, "a search that never gets there shows nothing");
    (known.len(), None)
}

#[test]
fn in_every_order_only_accept_serves_and_shows_what_was_acknowledged() {
    let (states, wrong) = search(None, 0, 1);
    println!("{states} states");
    assert!(wrong.is_none(), "{wrong:#?}");
    assert!(states > 1_000, "{states} states are too few to say anything");
}

#[test]
fn the_same_search_finds_planted_bugs() {
    for bug in [Bug::ServeMigrating, Bug::NoRelease, Bug::PromotedWithoutSync, Bug::WriteBurnsOut] {
        let (states, wrong) = search(Some(bug), 1, 2);
        let (wrong, way) = wrong.unwrap_or_else(|| panic!("{} was not found in {states} states", bug.name()));
        println!("{}: {wrong}, after {} steps, {states} states", bug.name(), way.len());
    }
}
