//! The roll-out as a trial.

use super::deployer::Deployer;
use super::gateway::{Client, Gateway};
use super::master::Master;
use super::steps::{self, Cast};
use super::worker::{Agent, Worker};
use super::{CLIENTS, DEPLOYER, Node, RolloutConfig, Sdk, draw};
use crate::trial::{Outcome, Stage, Trial, TrialPlan};
use history::{MILLI, Nanos, SECOND};
use simulation::{Latency, NodeId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Rollout {
    config: Arc<RolloutConfig>,
}

/// After the last request.
const SETTLE: Nanos = 5 * SECOND;
/// How slow links are.
const LATENCY: Latency = Latency { base: MILLI / 2, jitter: MILLI };

impl Rollout {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: RolloutConfig) -> Result<Rollout, String> {
        match config.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok(Rollout { config: Arc::new(config) }),
        }
    }

    fn cast(&self) -> Cast {
        let RolloutConfig { clients, shards, masters, workers, sdk, .. } = *self.config;
        let first = CLIENTS + clients;
        let group = |group: u32| (first + group * masters..first + (group + 1) * masters).collect();
        let first_worker = first + shards * masters;
        let first_agent = first_worker + workers;
        let agents = if sdk == Sdk::Thin { first_agent..first_agent + workers } else { 0..0 };
        Cast {
            masters: (0..shards).map(group).collect(),
            workers: (first_worker..first_agent).collect(),
            agents: agents.collect(),
        }
    }

    fn stage(&self, seed: u64) -> Stage<Node> {
        let (config, cast) = (&self.config, self.cast());
        let shared = || Arc::clone(config);
        let deployer = Deployer::new(shared(), steps::plan(config, &cast), draw::begins(seed));
        let mut nodes = vec![
            ("deployer".to_owned(), Node::Deployer(deployer)),
            ("gateway".to_owned(), Node::Gateway(Gateway::new(shared(), cast.workers.clone()))),
        ];
        for at in 0..config.clients {
            nodes.push((format!("client-{at}"), Node::Client(Client { id: CLIENTS + at })));
        }
        let ordered = if cast.agents.is_empty() { &cast.workers } else { &cast.agents };
        for (group, masters) in (0..).zip(&cast.masters) {
            let led: Vec<NodeId> =
                (0..).zip(ordered).filter(|(at, _)| config.shard(*at) == group).map(|(_, node)| *node).collect();
            for (at, id) in masters.iter().enumerate() {
                let name = if config.shards == 1 { format!("master-{at}") } else { format!("master-{group}-{at}") };
                nodes.push((name, Node::Master(Master::new(*id, shared(), led.clone(), at == 0))));
            }
        }
        for (at, id) in (0..).zip(&cast.workers) {
            let cluster = config.cluster(at);
            let masters = cast.masters[config.shard(at) as usize].clone();
            let name =
                if config.clusters == 1 { format!("worker-{at}") } else { format!("cluster-{cluster}-worker-{at}") };
            nodes.push((name, Node::Worker(Worker::new(*id, shared(), cluster, masters))));
        }
        for (at, (id, worker)) in cast.agents.iter().zip(&cast.workers).enumerate() {
            nodes.push((format!("agent-{at}"), Node::Agent(Agent::new(*id, shared(), *worker))));
        }
        Stage { cast: nodes, latency: LATENCY, until: config.span_ms * MILLI + SETTLE }
    }
}

impl Trial for Rollout {
    fn draw(&self, seed: u64) -> TrialPlan {
        draw::plan(&self.config, seed)
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let played = self.stage(plan.seed).play(plan, trace);
        let Node::Deployer(deployer) = played.kernel.machine(DEPLOYER) else { return played.outcome };
        let mut outcome = played.outcome;
        // Halting is how the roll-out of a bad version ought to end; a good one has to get through.
        outcome.finished = deployer.is_done() || (self.config.faults.bad && deployer.has_halted());
        figures(&mut outcome, &self.config);
        outcome
    }
}

/// What the facts amount to.
fn figures(outcome: &mut Outcome, config: &RolloutConfig) {
    let hurt: BTreeSet<NodeId> = outcome.facts_of("hurt").map(|fact| fact.node).collect();
    let clusters: BTreeSet<i64> = outcome.facts_of("hurt").map(|fact| fact.value).collect();
    let share = |part: usize, whole: usize| (part * 1_000).checked_div(whole).unwrap_or(1_000) as i64;
    let last = outcome.facts_of("step").map(|fact| fact.at).max().unwrap_or(0) + 130 * MILLI;
    let answered = outcome.facts_of("answered").filter(|fact| fact.at > last).count();
    let failed = outcome.facts_of("failed").filter(|fact| fact.at > last).count();
    let partly = !hurt.is_empty() && hurt.len() < config.workers as usize;
    let steps = outcome.facts_of("step").map(|fact| fact.value).max().unwrap_or(0);
    let all = [
        ("hurt", hurt.len() as i64),
        ("hurt_permille", share(hurt.len(), config.workers as usize)),
        ("hurt_in_part", i64::from(partly)),
        ("clusters_hurt", clusters.len() as i64),
        ("agents_hurt", outcome.count("agent broken")),
        ("failed", outcome.count("failed")),
        ("retries", outcome.count("retried")),
        ("steps_taken", steps),
        ("success_permille", share(answered, answered + failed)),
    ];
    outcome.figures.extend(all);
}
