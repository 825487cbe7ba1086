//! The barrier as a trial.

use super::gate::Gate;
use super::{Say, Timer};
use crate::consensus::{self, Asker, ConsensusConfig, Server};
use crate::trial::{Actor, Draws, Given, Operation, Outcome, Said, Stage, Trial, TrialPlan, Wrong};
use history::calls::Ended;
use history::{MILLI, Nanos, SECOND};
use serde::{Deserialize, Serialize};
use simulation::{Input, Latency, Machine, NodeId, Now, Outputs};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Who keeps the barrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    /// One coordinator.
    #[default]
    Coordinator,
    /// The same, and it counts arrivals without asking whose they are.
    Counting,
    /// A replicated state machine.
    Consensus,
}

/// Options of the barrier. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BarrierConfig {
    /// Clients, all of which have to arrive.
    pub parties: u32,
    /// One barrier after the other.
    pub rounds: u32,
    /// Who keeps it.
    pub by: Keeper,
    /// The first server (the coordinator, where there is one) dies, and nobody starts it again.
    pub dies: bool,
    /// So many times what the first server says to a client is late.
    pub late: u32,
    /// Those who replicate it.
    pub consensus: ConsensusConfig,
}

impl Default for BarrierConfig {
    fn default() -> Self {
        let consensus = ConsensusConfig::default();
        BarrierConfig { parties: 3, rounds: 5, by: Keeper::Coordinator, dies: false, late: 0, consensus }
    }
}

/// One who has to arrive.
#[derive(Clone, Debug)]
pub struct Party {
    id: NodeId,
    replicated: bool,
    asker: Asker<Gate>,
    /// Rounds that it is asked to arrive at.
    waiting: VecDeque<Operation>,
    open: Option<(Operation, u32)>,
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// The coordinator.
    Coordinator(Gate),
    /// One of the servers.
    Server(Box<Server<Gate>>),
    /// One who has to arrive.
    Party(Party),
}

type Out = Outputs<Say, Timer, (NodeId, Said)>;

const FIRST: NodeId = 0;
/// Who has not heard asks again after so long.
const AGAIN_MS: u64 = 80;

impl Party {
    fn next(&mut self, out: &mut Out) {
        if self.open.is_some() {
            return;
        }
        let Some(operation) = self.waiting.pop_front() else { return };
        let (op, round) = (operation.id, operation.key);
        out.report((self.id, Said::Begins { op, f: "arrive", key: Some(round), input: Given::Nil }));
        out.report((self.id, Said::Fact { what: "arrives", value: i64::from(round) }));
        self.open = Some((operation, 0));
        self.say(out);
    }

    fn say(&mut self, out: &mut Out) {
        let Some((operation, attempt)) = &self.open else { return };
        let (round, attempt) = (operation.key, *attempt);
        if self.replicated {
            self.asker.ask(round, out);
        } else {
            out.send(FIRST, Say::Arrived(round, attempt));
            out.timer(AGAIN_MS * MILLI, Timer::Again(round, attempt));
        }
    }

    fn again(&mut self, round: u32, out: &mut Out) {
        if let Some((operation, attempt)) = &mut self.open
            && operation.key == round
        {
            *attempt += 1;
            self.say(out);
        }
    }

    fn pass(&mut self, round: u32, out: &mut Out) {
        let Some((operation, _)) = self.open.take_if(|(operation, _)| operation.key == round) else { return };
        out.report((self.id, Said::Fact { what: "passes", value: i64::from(round) }));
        out.report((self.id, Said::Ends { op: operation.id, ended: Ended::Ok, output: Given::Nil }));
        self.next(out);
    }

    fn hear(&mut self, say: Say, out: &mut Out) {
        match say {
            Say::Begin(operation) => {
                self.waiting.push_back(operation);
                self.next(out);
            }
            Say::Pass(round) => self.pass(round, out),
            Say::Servers(say) => {
                let round = self.open.as_ref().map(|(operation, _)| operation.key);
                match (self.asker.hear(say, out), round) {
                    (Some((_, true)), Some(round)) => self.pass(round, out),
                    (Some((_, false)), Some(round)) => out.timer(AGAIN_MS / 2 * MILLI, Timer::Poll(round)),
                    _ => {}
                }
            }
            Say::Arrived(..) => {}
        }
    }
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Coordinator(gate), Input::Message { from, message: Say::Arrived(round, _), .. }) => {
                let open = gate.arrives(round, from);
                gate.waiting(round).filter(|_| open).for_each(|party| out.send(party, Say::Pass(round)));
            }
            (Node::Server(server), Input::Start) => server.start(now, out),
            (Node::Server(server), Input::Timer(Timer::Consensus(timer))) => server.wake(now, timer, out),
            (Node::Server(server), Input::Message { from, message: Say::Servers(say), .. }) => {
                server.hear(now, from, say, out);
            }
            (Node::Party(party), Input::Message { message, .. }) => party.hear(message, out),
            (Node::Party(party), Input::Timer(Timer::Consensus(timer))) => party.asker.wake(timer, out),
            (Node::Party(party), Input::Timer(Timer::Poll(round))) => party.again(round, out),
            (Node::Party(party), Input::Timer(Timer::Again(round, attempt)))
                if party.open.as_ref().is_some_and(|(_, open)| *open == attempt) =>
            {
                party.again(round, out);
            }
            _ => {}
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Server(server) => Node::Server(Box::new(server.reborn())),
            // Not started again in this trial.
            other => other.clone(),
        }
    }

    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Barrier {
    config: BarrierConfig,
}

/// Before anybody arrives.
const BEFORE: Nanos = SECOND / 2;
/// From one round to the next.
const ROUND: Nanos = SECOND / 4;

impl Barrier {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: BarrierConfig) -> Result<Barrier, String> {
        let fits = (1..=64).contains(&config.parties) && (1..=1_000).contains(&config.rounds);
        match config.consensus.wrong() {
            _ if !fits => Err("parties: 1 to 64; rounds: 1 to 1000".to_owned()),
            Some(wrong) => Err(format!("consensus.{wrong}")),
            None => Ok(Barrier { config }),
        }
    }

    fn span(&self) -> Nanos {
        u64::from(self.config.rounds) * ROUND
    }
}

impl Trial for Barrier {
    fn draw(&self, seed: u64) -> TrialPlan {
        let (draws, config) = (Draws(seed), &self.config);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for round in 0..u64::from(config.rounds) {
            for party in 0..u64::from(config.parties) {
                let at = BEFORE + round * ROUND + draws.below(&[1, round, party], ROUND);
                plan.ask(at, party, "arrive", round, 0);
            }
        }
        let first = consensus::name(0);
        if config.dies {
            plan.wrong(BEFORE + draws.below(&[2], self.span()), None, Wrong::Kill { node: first.clone() });
        }
        for number in 0..u64::from(config.late) {
            let at = BEFORE + draws.below(&[3, number], self.span());
            let to = format!("client-{}", draws.below(&[4, number], u64::from(config.parties)));
            let by = draws.between(&[5, number], (100, 250)) * MILLI;
            plan.wrong(at, Some(200 * MILLI), Wrong::Delay { from: first.clone(), to, by });
        }
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let config = &self.config;
        let parties = config.parties as usize;
        let replicated = config.by == Keeper::Consensus;
        let servers = if replicated { consensus::ids(FIRST, &config.consensus) } else { vec![FIRST] };
        let shared = Arc::new(config.consensus.clone());
        let mut cast = Vec::new();
        for (at, id) in servers.iter().enumerate() {
            let gate = Gate::new(parties, config.by == Keeper::Counting);
            let node = if replicated {
                Node::Server(Box::new(Server::new(*id, &servers, Arc::clone(&shared), plan.seed, gate)))
            } else {
                Node::Coordinator(gate)
            };
            cast.push((consensus::name(at), node));
        }
        for at in 0..config.parties {
            let id = servers.len() as NodeId + at;
            let asker = Asker::new(id, &servers, &config.consensus);
            let party = Party { id, replicated, asker, waiting: VecDeque::new(), open: None };
            cast.push((format!("client-{at}"), Node::Party(party)));
        }
        let latency = Latency { base: MILLI / 2, jitter: 3 * MILLI / 2 };
        let until = BEFORE + self.span() + 2 * SECOND;
        let mut outcome = Stage { cast, latency, until }.play(plan, trace).outcome;
        // A round that nobody is asked to complete is not awaited.
        let mut asked: BTreeMap<u32, u32> = BTreeMap::new();
        plan.operations.iter().for_each(|operation| *asked.entry(operation.key).or_insert(0) += 1);
        let whole: u64 = asked.values().filter(|count| **count == config.parties).map(|count| u64::from(*count)).sum();
        outcome.finished = outcome.completed >= whole;
        outcome
    }
}
