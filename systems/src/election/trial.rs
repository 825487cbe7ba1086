//! The election as a trial.

use super::client::Client;
use super::member::Member;
use super::message::Say;
use super::office::Office;
use super::store::Store;
use super::{ElectionConfig, Out, STORE, Timer};
use crate::consensus::{self, Server};
use crate::trial::{Actor, Draws, Operation, Outcome, Said, Stage, Trial, TrialPlan, Wrong};
use history::{MILLI, Nanos, SECOND};
use simulation::{Input, Latency, Machine, NodeId, Now};
use std::sync::Arc;

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// The store.
    Store(Store),
    /// One of those who decide.
    Server(Box<Server<Office>>),
    /// One who may lead.
    Member(Box<Member>),
    /// One who wants to write.
    Client(Client),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Store(store), Input::Message { from, message, .. }) => store.hear(from, message, out),
            (Node::Server(server), Input::Start) => server.start(now, out),
            (Node::Server(server), Input::Timer(Timer::Consensus(timer))) => server.wake(now, timer, out),
            (Node::Server(server), Input::Message { from, message: Say::Servers(say), .. }) => {
                server.hear(now, from, say, out);
            }
            (Node::Member(member), Input::Start) => member.start(now, out),
            (Node::Member(member), Input::Timer(timer)) => member.wake(now, timer, out),
            (Node::Member(member), Input::Message { from, message, .. }) => member.hear(now, from, message, out),
            (Node::Client(client), Input::Message { message, .. }) => client.hear(message, out),
            (Node::Client(client), Input::Timer(timer)) => client.wake(timer, out),
            _ => {}
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Server(server) => Node::Server(Box::new(server.reborn())),
            Node::Member(member) => Node::Member(Box::new(member.reborn())),
            // Not killed in this trial.
            other => other.clone(),
        }
    }

    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Election {
    config: Arc<ElectionConfig>,
}

/// Before the first operation and the first fault: somebody is elected.
const BEFORE: Nanos = SECOND;
/// After the last operation was due.
const SETTLE: Nanos = 3 * SECOND / 2;
/// How slow links are.
const LATENCY: Latency = Latency { base: MILLI / 2, jitter: 3 * MILLI / 2 };

impl Election {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: ElectionConfig) -> Result<Election, String> {
        match config.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok(Election { config: Arc::new(config) }),
        }
    }

    fn stage(&self, seed: u64) -> Stage<Node> {
        let config = &self.config;
        let mut cast = vec![("store".to_owned(), Node::Store(Store::new(config.fencing)))];
        let servers = if config.is_replicated() { consensus::ids(STORE + 1, &config.consensus) } else { Vec::new() };
        let shared = Arc::new(config.consensus.clone());
        for (at, id) in servers.iter().enumerate() {
            let office = Office::new(config.session_ms, config.lease_ms, config.epsilon_ms);
            let server = Server::new(*id, &servers, Arc::clone(&shared), seed, office);
            cast.push((consensus::name(at), Node::Server(Box::new(server))));
        }
        let first = cast.len() as NodeId;
        let members: Vec<NodeId> = (first..first + config.members).collect();
        for (at, id) in members.iter().enumerate() {
            let member = Member::new(*id, Arc::clone(config), seed, members.clone(), &servers);
            cast.push((format!("member-{at}"), Node::Member(Box::new(member))));
        }
        for at in 0..config.clients {
            let id = first + config.members + at;
            cast.push((format!("client-{at}"), Node::Client(Client::new(id, members.clone()))));
        }
        Stage { cast, latency: LATENCY, until: BEFORE + config.span_ms * MILLI + SETTLE }
    }

    fn faults(&self, plan: &mut TrialPlan, draws: Draws) {
        let ElectionConfig { members, span_ms, faults, consensus, .. } = &*self.config;
        let members = u64::from(*members);
        let at = |kind: u64, number: u32| BEFORE + draws.below(&[2, kind, u64::from(number)], span_ms * 2 / 3 * MILLI);
        let lasts =
            |kind: u64, number: u32| Some(draws.between(&[3, kind, u64::from(number)], faults.lasts_ms) * MILLI);
        let member = |draw: u64| format!("member-{}", draw % members);
        let drawn = |kind: u64, number: u32| draws.below(&[4, kind, u64::from(number)], members);
        for number in 0..faults.cuts {
            let one = drawn(1, number);
            let other = one + 1 + draws.below(&[5, u64::from(number)], members - 1);
            let (begins, lasts) = (at(1, number), lasts(1, number));
            plan.wrong(begins, lasts, Wrong::Cut { from: member(one), to: member(other) });
            if draws.below(&[6, u64::from(number)], 2) == 0 {
                plan.wrong(begins, lasts, Wrong::Cut { from: member(other), to: member(one) });
            }
        }
        for number in 0..faults.isolated {
            plan.wrong(at(2, number), lasts(2, number), Wrong::Isolate { node: member(drawn(2, number)) });
        }
        for number in 0..faults.pauses {
            plan.wrong(at(3, number), lasts(3, number), Wrong::Pause { node: member(drawn(3, number)) });
        }
        for number in 0..faults.crashes {
            plan.wrong(at(4, number), lasts(4, number), Wrong::Kill { node: member(drawn(4, number)) });
        }
        for number in 0..faults.server_crashes {
            let server = draws.below(&[7, u64::from(number)], u64::from(consensus.servers)) as usize;
            plan.wrong(at(5, number), lasts(5, number), Wrong::Kill { node: consensus::name(server) });
        }
        let error = (faults.clock_error_ms * MILLI) as i64;
        if error > 0 {
            plan.wrong(at(6, 0), lasts(6, 0), Wrong::Isolate { node: member(0) });
            // One clock that is slow, or one that is slow and all others that are fast: only the sum counts.
            let fast = if draws.below(&[8], 2) == 0 { error / 2 } else { 0 };
            plan.wrong(0, None, Wrong::Clock { node: member(0), by: fast - error });
            let servers = (0..consensus.servers as usize).map(consensus::name);
            for node in servers.chain((1..members).map(member)).filter(|_| fast > 0) {
                plan.wrong(0, None, Wrong::Clock { node, by: fast });
            }
        }
    }
}

impl Trial for Election {
    fn draw(&self, seed: u64) -> TrialPlan {
        let (draws, config) = (Draws(seed), &self.config);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for number in 0..u64::from(config.operations) {
            let at = BEFORE + draws.below(&[1, number, 0], config.span_ms * MILLI);
            plan.ask(at, draws.below(&[1, number, 1], u64::from(config.clients)), "write", 0, number as i64 + 1);
        }
        self.faults(&mut plan, draws);
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let stage = self.stage(plan.seed);
        let now = Now::at(stage.until);
        let played = stage.play(plan, trace);
        let clock = |node: NodeId| played.kernel.clock(node).read(now.mono);
        let leads = |node: NodeId| match played.kernel.machine(node) {
            Node::Member(member) => member.leads(clock(node)),
            _ => false,
        };
        let leaders = (0..played.outcome.nodes.len() as NodeId).filter(|node| leads(*node)).count();
        let mut outcome = played.outcome;
        outcome.finished = leaders > 0;
        outcome.figures.insert("leader_changes", outcome.count("takes") - 1);
        outcome
    }

    fn bound(&self) -> Option<i64> {
        // A holder stops at its deadline - epsilon, another may begin after it + epsilon.
        Some(2 * self.config.epsilon_ms as i64)
    }
}
