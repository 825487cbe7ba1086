//! The consensus under random plans of faults: safe always, and it gets on when they end.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::trial::{Actor, Given, Mishap, Operation, Played, Said, Stage, TrialPlan, Wrong};
use history::calls::Ended;
use history::{MILLI, Nanos, SECOND};
use simulation::{Input, Latency, Machine, Message, Now, Outputs, hash_draw};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A list of numbers.
#[derive(Clone, Debug, Default)]
struct List(Vec<i64>);

impl StateMachine for List {
    type Command = i64;
    type Answer = i64;

    fn apply(&mut self, _: i64, request: &Request<i64>, told: &mut Vec<(&'static str, i64)>) -> i64 {
        self.0.push(request.command);
        told.push(("applies", (self.0.len() as i64) << 20 | request.command));
        self.0.len() as i64
    }
}

#[derive(Clone, Debug)]
enum Word {
    Begin(u32, i64),
    Consensus(Say<List>),
}

impl From<Say<List>> for Word {
    fn from(say: Say<List>) -> Word {
        Word::Consensus(say)
    }
}

impl Message for Word {
    fn identity(&self) -> u64 {
        match self {
            Word::Begin(op, _) => u64::from(*op),
            Word::Consensus(say) => say.identity(),
        }
    }
}

#[derive(Clone, Debug)]
struct Client {
    id: NodeId,
    asker: Asker<List>,
    /// Operations and their values, by number of the request.
    open: BTreeMap<u64, (u32, i64)>,
}

#[derive(Clone, Debug)]
enum Node {
    Server(Box<Server<List>>),
    Client(Client),
}

impl Machine for Node {
    type Message = Word;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Word, Timer>, out: &mut Outputs<Word, Timer, (NodeId, Said)>) {
        match (self, input) {
            (Node::Server(server), Input::Start) => server.start(now, out),
            (Node::Server(server), Input::Timer(timer)) => server.wake(now, timer, out),
            (Node::Server(server), Input::Message { from, message: Word::Consensus(say), .. }) => {
                server.hear(now, from, say, out);
            }
            (Node::Client(client), Input::Timer(timer)) => client.asker.wake(timer, out),
            (Node::Client(client), Input::Message { message: Word::Begin(op, value), .. }) => {
                out.report((client.id, Said::Begins { op, f: "add", key: None, input: Given::Int(value) }));
                client.open.insert(client.asker.ask(value, out), (op, value));
            }
            (Node::Client(client), Input::Message { message: Word::Consensus(say), .. }) => {
                if let Some((number, at)) = client.asker.hear(say, out) {
                    let (op, value) = client.open[&number];
                    out.report((client.id, Said::Ends { op, ended: Ended::Ok, output: Given::Int(at) }));
                    out.report((client.id, Said::Fact { what: "answered", value: at << 20 | value }));
                }
            }
            _ => {}
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Server(server) => Node::Server(Box::new(server.reborn())),
            other => other.clone(),
        }
    }

    fn asks(operation: &Operation) -> Word {
        Word::Begin(operation.id, operation.value)
    }
}

const UNTIL: Nanos = 9 * SECOND;
const FAULTS_END: Nanos = 5 * SECOND;

fn plan(seed: u64, servers: u64) -> TrialPlan {
    let draw = |what: u64, at: u64, below: u64| hash_draw(seed, &[what, at]) % below;
    let mut plan = TrialPlan { seed, ..TrialPlan::default() };
    for at in 0..40 {
        let (time, client) = (draw(1, at, 6 * SECOND), draw(2, at, 2) as u32);
        let act = "add".to_owned();
        plan.operations.push(Operation { id: 0, at: time, client, act, key: 0, value: at as i64 + 1 });
    }
    for at in 0..draw(3, 0, 9) {
        let node = |what| format!("server-{}", 1 + draw(what, at, servers));
        let what = match draw(4, at, 5) {
            0 => Wrong::Kill { node: node(5) },
            1 => Wrong::Pause { node: node(5) },
            2 => Wrong::Isolate { node: node(5) },
            3 => Wrong::Cut { from: node(5), to: node(6) },
            _ => Wrong::Delay { from: node(5), to: node(6), by: draw(7, at, 400) * MILLI },
        };
        let begin = draw(8, at, 4 * SECOND);
        let lasts = Some(draw(9, at, FAULTS_END - begin));
        plan.faults.push(Mishap { id: 0, at: begin, lasts, what });
    }
    plan.number();
    plan
}

fn play(seed: u64, config: &ConsensusConfig) -> (TrialPlan, Played<Node>) {
    let config = Arc::new(config.clone());
    let servers = ids(0, &config);
    let mut cast = Vec::new();
    for (at, id) in servers.iter().enumerate() {
        let server = Server::new(*id, &servers, Arc::clone(&config), seed, List::default());
        cast.push((name(at), Node::Server(Box::new(server))));
    }
    for at in 0..2 {
        let id = config.servers + at;
        let asker = Asker::new(id, &servers, &config);
        cast.push((format!("client-{at}"), Node::Client(Client { id, asker, open: BTreeMap::new() })));
    }
    let latency = Latency { base: MILLI / 2, jitter: 3 * MILLI / 2 };
    let plan = plan(seed, u64::from(config.servers));
    let played = Stage { cast, latency, until: UNTIL }.play(&plan, false);
    (plan, played)
}

/// What is unsafe about a run, if anything.
fn unsafe_because(played: &Played<Node>, servers: u32) -> Option<String> {
    let mut leaders: BTreeMap<i64, u32> = BTreeMap::new();
    for fact in played.outcome.facts_of("leads") {
        if *leaders.entry(fact.value).or_insert(fact.node) != fact.node {
            return Some(format!("two leaders in term {}", fact.value));
        }
    }
    let mut places: BTreeMap<i64, i64> = BTreeMap::new();
    for fact in played.outcome.facts_of("applies") {
        let (place, value) = (fact.value >> 20, fact.value & 0xfffff);
        if *places.entry(place).or_insert(value) != value {
            return Some(format!("two values at place {place}"));
        }
    }
    let values: BTreeSet<i64> = places.values().copied().collect();
    if values.len() != places.len() {
        return Some("a request was applied twice".to_owned());
    }
    for node in 0..servers {
        let Node::Server(server) = played.kernel.machine(node) else { continue };
        let log: Vec<i64> = (1..).zip(&server.machine().0).map(|(place, value)| place << 20 | value).collect();
        if let Some(other) = log.iter().find(|entry| places.get(&(*entry >> 20)) != Some(&(*entry & 0xfffff))) {
            return Some(format!("server {node} has forgotten or changed what was applied: {other}"));
        }
    }
    let lost = |fact: &&history::Fact| places.get(&(fact.value >> 20)) != Some(&(fact.value & 0xfffff));
    if let Some(fact) = played.outcome.facts_of("answered").find(lost) {
        return Some(format!("{} was answered, and is not there", fact.value & 0xfffff));
    }
    None
}

#[test]
fn it_is_safe_and_gets_on_when_faults_end() {
    for (servers, pre_vote, announce) in [(3, true, false), (3, false, true), (5, true, true), (1, true, false)] {
        let config = ConsensusConfig { servers, pre_vote, announce, ..ConsensusConfig::default() };
        let (mut leaders, mut faults) = (0, 0);
        for seed in 0..200 {
            let (plan, played) = play(seed, &config);
            let problem = unsafe_because(&played, servers);
            assert_eq!(problem, None, "{servers} servers, seed {seed}\n{:#?}", plan.faults);
            // Everything that was asked is answered, and stands on every server.
            assert_eq!(played.outcome.completed, 40, "{servers} servers, seed {seed}\n{:#?}", plan.faults);
            for node in 0..servers {
                let Node::Server(server) = played.kernel.machine(node) else { panic!() };
                let mut list = server.machine().0.clone();
                list.sort_unstable();
                assert_eq!(list, (1..=40).collect::<Vec<_>>(), "seed {seed}");
            }
            leaders += played.outcome.count("leads");
            faults += plan.faults.len();
        }
        assert!(faults > 500 && leaders > 200, "{faults} {leaders}");
    }
}

#[test]
fn a_disk_that_forgets_is_caught() {
    let config = ConsensusConfig { sync: false, ..ConsensusConfig::default() };
    let caught = (0..300).filter(|seed| {
        let (_, played) = play(*seed, &config);
        unsafe_because(&played, 3).is_some()
    });
    assert!(caught.count() > 5);
}

#[test]
fn without_faults_there_is_one_leader_and_the_log_is_answered_fast() {
    let (mut played, config) = (0, ConsensusConfig::default());
    for seed in (0..300).filter(|seed| plan(*seed, 3).faults.is_empty()) {
        let (_, run) = play(seed, &config);
        assert_eq!(run.outcome.count("leads"), 1);
        let late = run.outcome.calls.calls.iter().filter(|call| call.start_ns > SECOND as i64);
        assert!(late.clone().count() > 20);
        assert!(late.into_iter().all(|call| call.end_ns - call.start_ns < 20 * MILLI as i64));
        played += 1;
    }
    assert!(played > 10);
}
