//! The replicated register as a trial: replicas, racks, and what goes wrong.

use super::client::Client;
use super::message::{Ask, Header, Reply, Say, Tag, Timer};
use super::{Out, QuorumConfig};
use crate::trial::{Actor, Draws, Operation, Outcome, Said, Stage, Trial, TrialPlan, Wrong};
use history::{MILLI, SECOND};
use simulation::{Input, Latency, Machine, NodeId, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A replica. Everything is on disk.
#[derive(Clone, Debug)]
pub struct Replica {
    rack: NodeId,
    lies: bool,
    registers: BTreeMap<u32, (Tag, Option<i64>)>,
}

impl Replica {
    fn ask(&mut self, header: Header, ask: Ask, out: &mut Out) {
        let stands = self.registers.get(&header.key).copied().unwrap_or(((0, 0), None));
        let reply = match ask {
            // A liar acknowledges and keeps nothing.
            Ask::Store(..) if self.lies => Reply::Kept,
            Ask::Store(tag, value) => {
                if tag > stands.0 {
                    self.registers.insert(header.key, (tag, value));
                }
                Reply::Kept
            }
            Ask::Query => Reply::Stands(stands.0, stands.1),
        };
        out.send(self.rack, Say::Reply(header, reply));
    }
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// A rack: what comes to its replicas and from them goes through it.
    Rack,
    /// A replica.
    Replica(Replica),
    /// A client.
    Client(Client),
}

impl Node {
    /// The node of a rack by the number of a replica in it.
    pub(super) fn rack(config: &QuorumConfig, replica: u32) -> NodeId {
        replica % config.racks
    }

    /// The node of a replica.
    pub(super) fn replica(config: &QuorumConfig, at: u32) -> NodeId {
        config.racks + at
    }
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, _: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Rack, Input::Message { message: Say::Ask(header, ask, attempt), .. }) => {
                out.send(header.replica, Say::Ask(header, ask, attempt));
            }
            (Node::Rack, Input::Message { message: Say::Reply(header, reply), .. }) => {
                out.send(header.client, Say::Reply(header, reply));
            }
            (Node::Replica(replica), Input::Message { message: Say::Ask(header, ask, _), .. }) => {
                replica.ask(header, ask, out);
            }
            (Node::Client(client), Input::Message { message: Say::Begin(operation), .. }) => {
                client.begin(operation, out);
            }
            (Node::Client(client), Input::Message { message: Say::Reply(header, reply), .. }) => {
                client.hear(header, reply, out);
            }
            (Node::Client(client), Input::Timer(timer)) => client.wake(timer, out),
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
pub struct Quorums {
    config: Arc<QuorumConfig>,
}

/// How slow links are.
const LATENCY: Latency = Latency { base: MILLI / 2, jitter: 2 * MILLI };

impl Quorums {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: QuorumConfig) -> Result<Quorums, String> {
        match config.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok(Quorums { config: Arc::new(config) }),
        }
    }

    fn operations(&self, draws: Draws, plan: &mut TrialPlan) {
        let QuorumConfig { clients, keys, span_ms, operations, .. } = *self.config;
        for at in 0..u64::from(operations) {
            let draw = |what: u64, below: u64| draws.below(&[1, at, what], below);
            let act = if draw(1, 2) == 0 { "write" } else { "read" };
            let (client, key) = (draw(2, u64::from(clients)), draw(3, u64::from(keys)));
            plan.ask(draw(4, span_ms * MILLI), client, act, key, at as i64 + 1);
        }
    }

    fn faults(&self, draws: Draws, plan: &mut TrialPlan) {
        let config = &self.config;
        let third = config.span_ms * MILLI / 3;
        let first = draws.below(&[2], u64::from(config.replicas));
        for at in 0..u64::from(config.faults.lost) {
            let node = format!("replica-{}", (first + at) % u64::from(config.replicas));
            plan.wrong(draws.below(&[3, at], third), None, Wrong::Kill { node });
        }
        if config.faults.rack {
            plan.wrong(draws.below(&[4], third), None, Wrong::Kill { node: "rack-0".to_owned() });
        }
        for at in 0..u64::from(config.faults.late) {
            let draw = |what: u64, below: u64| draws.below(&[5, at, what], below);
            // The liar's rack is the first, and it is always in time.
            let (from, to) = (draw(1, u64::from(config.clients)), 1 + draw(2, 2));
            let (from, to) = (format!("client-{from}"), format!("rack-{to}"));
            let (when, lasts) = (draw(3, config.span_ms) * MILLI, (50 + draw(4, 150)) * MILLI);
            plan.wrong(when, Some(lasts), Wrong::Delay { from, to, by: (15 + draw(5, 45)) * MILLI });
        }
    }
}

impl Trial for Quorums {
    fn draw(&self, seed: u64) -> TrialPlan {
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        self.operations(Draws(seed), &mut plan);
        self.faults(Draws(seed), &mut plan);
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let config = &self.config;
        let mut cast: Vec<(String, Node)> = (0..config.racks).map(|at| (format!("rack-{at}"), Node::Rack)).collect();
        for at in 0..config.replicas {
            let rack = Node::rack(config, at);
            let replica = Replica { rack, lies: config.faults.liar && at == 0, registers: BTreeMap::new() };
            cast.push((format!("replica-{at}"), Node::Replica(replica)));
        }
        for at in 0..config.clients {
            let client = Client::new(config.racks + config.replicas + at, Arc::clone(config));
            cast.push((format!("client-{at}"), Node::Client(client)));
        }
        let until = config.span_ms * MILLI + config.give_up_ms * MILLI + 8 * SECOND;
        let mut outcome = Stage { cast, latency: LATENCY, until }.play(plan, trace).outcome;
        // Everything that was asked for came to an end.
        outcome.finished = outcome.calls.calls.len() as u64 == outcome.asked;
        outcome.figures.insert("gave_up", outcome.count("gave up"));
        outcome
    }

    fn bound(&self) -> Option<i64> {
        // A majority has to be left.
        Some(i64::from(self.config.replicas) - self.config.needed() as i64)
    }
}
