//! Duelling proposers as a trial.

use super::acceptor::Acceptor;
use super::proposer::Proposer;
use super::{Say, Timer};
use crate::trial::{Actor, Draws, Operation, Outcome, Said, Stage, Trial, TrialPlan, broken};
use history::{MILLI, Nanos, SECOND};
use serde::{Deserialize, Serialize};
use simulation::{Input, Latency, Machine, NodeId, Now, Outputs};
use std::sync::Arc;

/// What a proposer does that was pre-empted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// It tries again at once.
    #[default]
    AtOnce,
    /// It waits for a random time, which may be longer from time to time.
    BackOff,
    /// The same as at once, but only the first proposer proposes; the others leave it to that one.
    Leader,
}

/// Options of the proposers. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProposersConfig {
    /// Proposers.
    pub proposers: u32,
    /// Acceptors.
    pub acceptors: u32,
    /// Values to agree on, one after the other.
    pub slots: u32,
    /// What a proposer does that was pre-empted.
    pub manner: Manner,
    /// A proposal is on disk after so long.
    pub sync_ms: u64,
    /// The first back-off is at most twice as long.
    pub back_off_ms: u64,
    /// All propose a value within so long of each other.
    pub together_ms: u64,
    /// A proposal is given up.
    pub give_up_ms: u64,
}

impl Default for ProposersConfig {
    fn default() -> Self {
        ProposersConfig {
            proposers: 2,
            acceptors: 3,
            slots: 3,
            manner: Manner::AtOnce,
            sync_ms: 4,
            back_off_ms: 10,
            together_ms: 8,
            give_up_ms: 600,
        }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// An acceptor.
    Acceptor(Acceptor),
    /// A proposer.
    Proposer(Box<Proposer>),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Outputs<Say, Timer, (NodeId, Said)>) {
        match (self, input) {
            (Node::Acceptor(acceptor), Input::Message { from, message, .. }) => acceptor.hear(from, message, out),
            (Node::Proposer(proposer), Input::Start) => proposer.start(out),
            (Node::Proposer(proposer), Input::Message { from, message, .. }) => proposer.hear(now, from, message, out),
            (Node::Proposer(proposer), Input::Timer(timer)) => proposer.wake(timer, out),
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
pub struct Proposers {
    config: Arc<ProposersConfig>,
}

/// Before the first value.
const BEFORE: Nanos = SECOND / 10;

impl Proposers {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: ProposersConfig) -> Result<Proposers, String> {
        let rules = [
            ((1..=16).contains(&config.proposers), "proposers: 1 to 16"),
            ((1..=16).contains(&config.acceptors), "acceptors: 1 to 16"),
            (config.slots <= 1_000, "slots: at most 1000"),
            ((1..=60_000).contains(&config.give_up_ms), "give_up_ms: 1 to 60000"),
        ];
        match broken(&rules) {
            Some(wrong) => Err(wrong),
            None => Ok(Proposers { config: Arc::new(config) }),
        }
    }
}

impl Trial for Proposers {
    fn draw(&self, seed: u64) -> TrialPlan {
        let (draws, config) = (Draws(seed), &self.config);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for slot in 0..u64::from(config.slots) {
            for proposer in 0..u64::from(config.proposers) {
                let at = BEFORE + slot * config.give_up_ms * MILLI;
                let at = at + draws.below(&[1, slot, proposer], config.together_ms * MILLI + 1);
                plan.ask(at, proposer, "propose", slot, (slot * 100 + proposer + 1) as i64);
            }
        }
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let config = &self.config;
        let proposers: Vec<NodeId> = (config.acceptors..config.acceptors + config.proposers).collect();
        let mut cast = Vec::new();
        for at in 0..config.acceptors {
            cast.push((format!("acceptor-{}", at + 1), Node::Acceptor(Acceptor::default())));
        }
        for (at, id) in proposers.iter().enumerate() {
            let proposer = Proposer::new(*id, Arc::clone(config), plan.seed, config.acceptors, proposers.clone());
            cast.push((format!("client-{at}"), Node::Proposer(Box::new(proposer))));
        }
        let latency = Latency { base: MILLI, jitter: MILLI / 2 };
        let until = BEFORE + u64::from(config.slots + 1) * config.give_up_ms * MILLI;
        let mut outcome = Stage { cast, latency, until }.play(plan, trace).outcome;
        outcome.finished = outcome.completed == outcome.asked;
        outcome.figures.insert("pre_empted", outcome.count("pre-empted"));
        outcome
    }
}
