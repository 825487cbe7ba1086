//! The routed store as a trial.

use super::agent::Agent;
use super::centre::Centre;
use super::client::Client;
use super::store::Store;
use super::tracker::{Copier, Tracker};
use super::{CENTRE, CLIENTS, Node, RoutedConfig, STORE_A, STORE_B, Switch, draw};
use crate::trial::{Outcome, Stage, Trial, TrialPlan};
use history::{Fact, MILLI, Nanos, SECOND};
use simulation::{Latency, NodeId, hash_draw};
use std::sync::Arc;

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Routed {
    config: Arc<RoutedConfig>,
}

/// After the last operation was due.
const SETTLE: Nanos = 4 * SECOND;
/// How slow links are.
const LATENCY: Latency = Latency { base: MILLI / 2, jitter: 3 * MILLI / 2 };

impl Routed {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: RoutedConfig) -> Result<Routed, String> {
        match config.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok(Routed { config: Arc::new(config) }),
        }
    }

    fn until(&self) -> Nanos {
        self.config.span_ms * MILLI + SETTLE
    }

    fn stage(&self, seed: u64) -> Stage<Node> {
        let config = &self.config;
        let clients: Vec<NodeId> = (0..config.clients).map(|at| CLIENTS + at).collect();
        let agents: Vec<NodeId> = (0..config.agents).map(|at| CLIENTS + config.clients + at).collect();
        let change = draw::change_at(config, seed);
        let mut cast = vec![
            ("centre".to_owned(), Node::Centre(Centre::new(CENTRE, Arc::clone(config), agents.clone(), change))),
            ("store-A".to_owned(), Node::Store(Store::new(STORE_A, false, config))),
            ("store-B".to_owned(), Node::Store(Store::new(STORE_B, true, config))),
            ("tracker".to_owned(), Node::Tracker(Tracker::new(config))),
            ("copier".to_owned(), Node::Copier(Copier::new(config))),
        ];
        for (at, id) in clients.iter().enumerate() {
            let client = Client::new(*id, Arc::clone(config), seed, agents.clone());
            cast.push((format!("client-{at}"), Node::Client(client)));
        }
        for (at, id) in agents.iter().enumerate() {
            cast.push((format!("agent-{at}"), Node::Agent(Agent::new(*id, Arc::clone(config)))));
        }
        Stage { cast, latency: LATENCY, until: self.until() }
    }
}

impl Trial for Routed {
    fn draw(&self, seed: u64) -> TrialPlan {
        draw::plan(&self.config, seed)
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let played = self.stage(plan.seed).play(plan, trace);
        let first = CLIENTS + self.config.clients;
        let is_new = |node: NodeId| matches!(played.kernel.machine(node), Node::Agent(agent) if agent.is_new());
        let new = (first..first + self.config.agents).filter(|node| is_new(*node)).count() as u32;
        let made = matches!(played.kernel.machine(CENTRE), Node::Centre(centre) if centre.is_done());
        let mut outcome = played.outcome;
        // One agent that is cut off for good does not stop a change; half of them would.
        outcome.finished = made && (self.config.switch == Switch::None || new * 2 > self.config.agents);
        figures(&mut outcome, self.config.agents);
        outcome
    }

    fn bound(&self) -> Option<i64> {
        // The agent stops at deadline - epsilon, the centre begins at deadline + epsilon.
        Some(2 * self.config.epsilon_ms as i64)
    }
}

/// Milliseconds.
fn ms(nanos: Nanos) -> i64 {
    (nanos / MILLI) as i64
}

/// What the facts amount to, from the beginning of the change until every agent serves again.
fn figures(outcome: &mut Outcome, agents: u32) {
    let Some(begins) = outcome.facts_of("change begins").map(|fact| fact.at).next() else { return };
    let made = outcome.facts_of("change made").map(|fact| fact.at).next();
    let switches = |fact: &&Fact| matches!(fact.what, "on" | "off");
    let (mut on, mut before) = (0u32, 0);
    let (mut none, mut lost, mut below_half) = (0, 0, 0);
    for fact in outcome.facts.iter().filter(switches) {
        let length = fact.at.saturating_sub(begins.max(before));
        if fact.at > begins {
            none += if on == 0 { length } else { 0 };
            below_half += if on * 2 < agents { length } else { 0 };
            lost += length * u64::from(agents.saturating_sub(on));
        }
        before = fact.at;
        on = if fact.what == "on" { on + 1 } else { on.saturating_sub(1) };
    }
    let refused = outcome.facts_of("refused").filter(|fact| fact.at >= begins).count() as i64;
    let load = peak(outcome, begins, made.unwrap_or(Nanos::MAX));
    outcome.figures.insert("none_ms", ms(none));
    outcome.figures.insert("below_half_ms", ms(below_half));
    outcome.figures.insert("lost_agent_ms", ms(lost));
    outcome.figures.insert("refused", refused);
    outcome.figures.insert("peak_load", load);
    let ends = made.unwrap_or(begins);
    let serving = serving(outcome, begins, ends);
    outcome.figures.insert("serving_agent_ms", ms(serving));
    outcome.figures.insert("all_agents_ms", ms((ends - begins) * u64::from(agents)));
    outcome.figures.insert("change_ms", made.map_or(-1, |made| ms(made - begins)));
}

/// For how long agents served between two instants, summed over all of them.
fn serving(outcome: &Outcome, from: Nanos, until: Nanos) -> Nanos {
    let (mut on, mut since, mut total) = (0u64, from, 0);
    for fact in outcome.facts.iter().filter(|fact| matches!(fact.what, "on" | "off")) {
        let at = fact.at.clamp(from, until);
        total += (at - since) * on;
        since = at;
        on = if fact.what == "on" { on + 1 } else { on.saturating_sub(1) };
    }
    total + (until - since) * on
}

/// The most requests that one agent got within 50 ms of the change.
fn peak(outcome: &Outcome, from: Nanos, until: Nanos) -> i64 {
    let mut counts = std::collections::BTreeMap::new();
    let asked = outcome.facts_of("asked").filter(|fact| (from..=until).contains(&fact.at));
    let refused: std::collections::BTreeSet<(u32, Nanos, i64)> =
        outcome.facts_of("refused").map(|fact| (fact.node, fact.at, fact.value)).collect();
    for fact in asked.filter(|fact| !refused.contains(&(fact.node, fact.at, fact.value))) {
        *counts.entry((fact.node, fact.at / (50 * MILLI))).or_insert(0i64) += 1;
    }
    counts.into_values().max().unwrap_or(0)
}

/// A draw for the plan that hangs on nothing but the seed and what it is for.
pub(super) fn between(seed: u64, parts: &[u64], (low, high): (u64, u64)) -> u64 {
    low + hash_draw(seed, parts) % (high.saturating_sub(low) + 1)
}
