//! The queue as a trial.

use super::client::Client;
use super::config::{QueueConfig, QueueFaults};
use super::machine::Queue;
use super::node::Node;
use super::prober::Prober;
use super::worker::Worker;
use crate::consensus::{self, Server};
use crate::trial::{Draws, Mishap, Outcome, Stage, Trial, TrialPlan, Wrong};
use history::calls::Call;
use history::{MILLI, Nanos, SECOND};
use simulation::Latency;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct QueueTrial {
    config: Arc<QueueConfig>,
}

/// Units come when the servers have had time to elect a leader.
const FROM: Nanos = 600 * MILLI;
/// After the last unit,
const SETTLE: Nanos = 2 * SECOND;
/// and where a server is sick.
const SETTLE_SICK: Nanos = 4 * SECOND;
/// How long a server is dead or half dead.
const SICK: Nanos = 2_500 * MILLI;
/// How slow links are.
const LATENCY: Latency = Latency { base: MILLI / 2, jitter: MILLI };

impl QueueTrial {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: QueueConfig) -> Result<QueueTrial, String> {
        match config.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok(QueueTrial { config: Arc::new(config) }),
        }
    }

    fn faults(&self, draws: Draws, plan: &mut TrialPlan) {
        let QueueFaults { lost, crashes, pauses, half_dead, dead } = self.config.faults;
        let draw = |what: u64, at: u32, below: u64| draws.below(&[2, what, u64::from(at)], below);
        let time = |what, at| FROM + draw(what, at, self.config.span_ms) * MILLI;
        // Of the first three, so that plans mean the same however many there are.
        let server = |what, at| format!("server-{}", 1 + draw(what, at, 3));
        let worker = |what, at| format!("worker-{}", draw(what, at, u64::from(self.config.workers)));
        if lost {
            plan.wrong(time(1, 0), None, Wrong::Kill { node: "server-1".to_owned() });
        }
        for at in 0..crashes {
            let lasts = (100 + draw(3, at, 400)) * MILLI;
            plan.wrong(time(2, at), Some(lasts), Wrong::Kill { node: worker(4, at) });
        }
        for at in 0..pauses {
            let lasts = (self.config.lease_ms + draw(6, at, 400)) * MILLI;
            plan.wrong(time(5, at), Some(lasts), Wrong::Pause { node: worker(7, at) });
        }
        for at in 0..half_dead {
            plan.wrong(time(8, 0), Some(SICK), Wrong::HalfDead { node: server(9, at) });
        }
        for at in 0..dead {
            plan.wrong(time(8, 0), Some(SICK), Wrong::Kill { node: server(9, at) });
        }
    }

    fn cast(&self, seed: u64) -> Vec<(String, Node)> {
        let config = &self.config;
        let group = config.consensus();
        let servers = consensus::ids(0, &group);
        let group = Arc::new(group);
        let queue = Queue::new(config.leases.then_some(config.lease_ms));
        let mut cast = Vec::new();
        for (at, id) in servers.iter().enumerate() {
            let server = Server::new(*id, &servers, Arc::clone(&group), seed, queue.clone());
            cast.push((consensus::name(at), Node::Server(Box::new(server), BTreeSet::new())));
        }
        let mut next = config.servers;
        let mut number = || {
            next += 1;
            next - 1
        };
        for at in 0..config.clients {
            let client = Client::new(number(), Arc::clone(config), &servers);
            cast.push((format!("client-{at}"), Node::Client(client)));
        }
        for at in 0..config.workers {
            let worker = Worker::new(number(), Arc::clone(config), seed, &servers);
            cast.push((format!("worker-{at}"), Node::Worker(worker)));
        }
        cast.push(("prober".to_owned(), Node::Prober(Prober::new(number(), Arc::clone(config), &servers))));
        cast
    }
}

impl Trial for QueueTrial {
    fn draw(&self, seed: u64) -> TrialPlan {
        let QueueConfig { clients, operations, span_ms, .. } = *self.config;
        let draws = Draws(seed);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for at in 0..u64::from(operations) {
            let client = draws.below(&[1, at, 1], u64::from(clients));
            plan.ask(FROM + draws.below(&[1, at, 2], span_ms * MILLI), client, "put", 0, 0);
        }
        self.faults(draws, &mut plan);
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let sick = self.config.faults.half_dead + self.config.faults.dead > 0;
        let until = FROM + self.config.span_ms * MILLI + if sick { SETTLE_SICK } else { SETTLE };
        let mut outcome = Stage { cast: self.cast(plan.seed), latency: LATENCY, until }.play(plan, trace).outcome;
        // Everything was taken in.
        outcome.finished = outcome.completed == outcome.asked;
        figures(&mut outcome, plan, until);
        outcome
    }
}

fn figures(outcome: &mut Outcome, plan: &TrialPlan, until: Nanos) {
    let mut times: BTreeMap<i64, i64> = BTreeMap::new();
    for fact in outcome.facts_of("worked") {
        *times.entry(fact.value).or_insert(0) += 1;
    }
    let twice = times.values().filter(|times| **times > 1).count() as i64;
    let ends = |call: &Call| if call.end_ns < 0 { until as i64 } else { call.end_ns };
    let length = |call: &Call| ends(call) - call.start_ns;
    let slowest = outcome.calls.calls.iter().map(length).max().unwrap_or(0);
    let sick = |fault: &&Mishap| matches!(fault.what, Wrong::HalfDead { .. });
    let begins = plan.faults.iter().find(sick).map(|fault| fault.at);
    let detected = outcome.facts_of("detected").map(|fact| fact.at).next();
    let detection = match (begins, detected) {
        (Some(begins), Some(at)) => at.saturating_sub(begins) / MILLI,
        _ => 0,
    };
    let all = [
        ("delivered_twice", twice),
        ("slowest_ms", slowest / MILLI as i64),
        ("gave_up", outcome.count("gave up")),
        ("detected", i64::from(detected.is_some())),
        ("detection_ms", detection as i64),
    ];
    outcome.figures.extend(all);
}
