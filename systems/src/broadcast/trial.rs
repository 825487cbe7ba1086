//! Reliable broadcast as a trial.

use super::message::{self, Say};
use super::peer::Peer;
use super::{Out, Timer};
use crate::trial::{Actor, Draws, Given, Operation, Outcome, Said, Stage, Trial, TrialPlan, broken};
use history::calls::Ended;
use history::{MILLI, SECOND};
use serde::{Deserialize, Serialize};
use simulation::{Input, Latency, Machine, NodeId, Now};

/// Options of reliable broadcast. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BroadcastConfig {
    /// Nodes.
    pub peers: u32,
    /// Clients.
    pub clients: u32,
    /// Broadcasts; by the first three nodes, whoever else is there.
    pub operations: u32,
    /// They are spread over so long.
    pub span_ms: u64,
    /// The first node lies.
    pub liar: bool,
}

impl Default for BroadcastConfig {
    fn default() -> Self {
        BroadcastConfig { peers: 4, clients: 2, operations: 30, span_ms: 500, liar: true }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// One that broadcasts.
    Peer(Peer),
    /// A client; its own number.
    Client(NodeId),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, _: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Peer(peer), Input::Start) => peer.start(out),
            (Node::Peer(peer), Input::Message { from, message, .. }) => peer.hear(from, message, out),
            (Node::Client(id), Input::Message { message: Say::Begin(operation), .. }) => {
                let (op, value) = (operation.id, operation.value);
                out.report((*id, Said::Begins { op, f: "broadcast", key: None, input: Given::Int(value) }));
                out.send(message::peer(operation.key), Say::Please(op, value));
            }
            (Node::Client(id), Input::Message { message: Say::Done(op), .. }) => {
                out.report((*id, Said::Ends { op, ended: Ended::Ok, output: Given::Nil }));
            }
            _ => {}
        }
    }
}

impl Actor for Node {
    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Broadcast {
    config: BroadcastConfig,
}

impl Broadcast {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: BroadcastConfig) -> Result<Broadcast, String> {
        let rules = [
            ((3..=31).contains(&config.peers), "peers: 3 to 31"),
            ((1..=64).contains(&config.clients), "clients: 1 to 64"),
            (config.operations <= 400, "operations: at most 400"),
            ((1..=60_000).contains(&config.span_ms), "span_ms: 1 to 60000"),
        ];
        match broken(&rules) {
            Some(rule) => Err(rule),
            None => Ok(Broadcast { config }),
        }
    }
}

impl Trial for Broadcast {
    fn draw(&self, seed: u64) -> TrialPlan {
        let BroadcastConfig { clients, operations, span_ms, .. } = self.config;
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for at in 0..u64::from(operations) {
            let draw = |what: u64, below: u64| Draws(seed).below(&[1, at, what], below);
            plan.ask(draw(3, span_ms * MILLI), draw(1, u64::from(clients)), "broadcast", draw(2, 3), at as i64 + 1);
        }
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let BroadcastConfig { peers, clients, span_ms, liar, .. } = self.config;
        let peer = |at: u32| (format!("peer-{at}"), Node::Peer(Peer::new(at, peers, liar && at == 0)));
        let client = |at: u32| (format!("client-{at}"), Node::Client(peers + at));
        let cast = (0..peers).map(peer).chain((0..clients).map(client)).collect();
        let latency = Latency { base: MILLI / 2, jitter: 3 * MILLI };
        let mut outcome = Stage { cast, latency, until: span_ms * MILLI + SECOND }.play(plan, trace).outcome;
        // What honest nodes broadcast is delivered, whatever the liar does.
        outcome.finished = outcome.completed == outcome.asked;
        outcome
    }
}
