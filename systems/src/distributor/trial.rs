//! The work distributor as a trial.

use super::client::{self, Client, Operator};
use super::config::{DistributorConfig, DistributorFaults};
use super::node::Node;
use super::server::Server;
use super::worker::Worker;
use super::{CLIENTS, SERVERS};
use crate::trial::{Draws, Outcome, Stage, Trial, TrialPlan, Wrong};
use history::{MILLI, Nanos, SECOND};
use simulation::{Latency, NodeId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Distributor {
    config: Arc<DistributorConfig>,
}

/// After the last unit.
const SETTLE: Nanos = 4 * SECOND;
/// How slow links are.
const LATENCY: Latency = Latency { base: MILLI / 2, jitter: 2 * MILLI };

impl Distributor {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: DistributorConfig) -> Result<Distributor, String> {
        match config.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok(Distributor { config: Arc::new(config) }),
        }
    }

    fn faults(&self, draws: Draws, plan: &mut TrialPlan) {
        let DistributorConfig { span_ms, workers, lease_ms, .. } = *self.config;
        let DistributorFaults { pauses, crashes, server_crashes } = self.config.faults;
        for (kind, count) in [(1, pauses), (2, crashes), (3, server_crashes)] {
            for at in 0..u64::from(count) {
                let draw = |what: u64, below: u64| draws.below(&[3, kind, at, what], below);
                let worker = format!("worker-{}", draw(1, u64::from(workers)));
                let (lasts, what) = match kind {
                    1 => (lease_ms + draw(2, 300), Wrong::Pause { node: worker }),
                    2 => (50 + draw(2, 300), Wrong::Kill { node: worker }),
                    _ => (50 + draw(2, 300), Wrong::Kill { node: format!("server-{}", draw(1, 2)) }),
                };
                plan.wrong(draw(3, span_ms) * MILLI, Some(lasts * MILLI), what);
            }
        }
    }

    /// When the configuration changes, and when the addresses do. Part of the system and not of the plan.
    fn changes(&self, seed: u64) -> (Nanos, Nanos) {
        let third = self.config.span_ms * MILLI / 3;
        let draws = Draws(seed);
        (third + draws.below(&[4], third), third + draws.below(&[5], third))
    }

    fn cast(&self, seed: u64) -> Vec<(String, Node)> {
        let config = &self.config;
        let first = CLIENTS + config.clients;
        let workers: Vec<NodeId> = (first..first + config.workers).collect();
        let (configures, moves) = self.changes(seed);
        let server = |at| (format!("server-{at}"), Node::Server(Server::new(at, Arc::clone(config))));
        let mut cast: Vec<(String, Node)> = (0..SERVERS).map(server).collect();
        cast.push(("store".to_owned(), Node::Store));
        let operator = Operator { configures, moves, workers: workers.clone() };
        cast.push(("operator".to_owned(), Node::Operator(operator)));
        for at in 0..config.clients {
            let client = Client { id: client::client(at), open: BTreeMap::new() };
            cast.push((format!("client-{at}"), Node::Client(client)));
        }
        for (at, id) in (0..).zip(&workers) {
            let worker = Worker::new(*id, Arc::clone(config), seed, at % SERVERS);
            cast.push((format!("worker-{at}"), Node::Worker(worker)));
        }
        cast
    }
}

impl Trial for Distributor {
    fn draw(&self, seed: u64) -> TrialPlan {
        let DistributorConfig { clients, operations, span_ms, .. } = *self.config;
        let draws = Draws(seed);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        // Units have the same numbers in both pipelines, and come at about the same time.
        let slot = span_ms * MILLI / u64::from(operations.max(1));
        for at in 0..u64::from(operations) {
            let client = draws.below(&[1, at, 1], u64::from(clients));
            let due = at * slot + draws.below(&[1, at, 2], slot);
            plan.ask(due, client, "put", at % u64::from(SERVERS), (at / 2) as i64);
        }
        self.faults(draws, &mut plan);
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let until = self.config.span_ms * MILLI + SETTLE;
        let mut outcome = Stage { cast: self.cast(plan.seed), latency: LATENCY, until }.play(plan, trace).outcome;
        outcome.finished = outcome.completed == outcome.asked;
        let given_out = outcome.count("output");
        outcome.figures.insert("attempts", given_out);
        outcome
    }
}
