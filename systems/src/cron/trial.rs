//! The cron as a trial.

use super::CronConfig;
use super::config::CronFaults;
use super::executor::{Clock, Executor};
use super::node::Node;
use super::scheduler::Scheduler;
use crate::consensus;
use crate::trial::{Draws, Outcome, Stage, Trial, TrialPlan, Wrong, peak};
use history::{MILLI, Nanos, SECOND};
use simulation::Latency;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Cron {
    config: Arc<CronConfig>,
}

/// Jobs are due when the servers have had time to elect a leader.
const FROM: Nanos = 600 * MILLI;
/// After the last job.
const SETTLE: Nanos = 3 * SECOND;
/// What peaks are measured by.
const WINDOW: Nanos = 20 * MILLI;
/// How slow links are.
const LATENCY: Latency = Latency { base: MILLI / 2, jitter: MILLI };

impl Cron {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: CronConfig) -> Result<Cron, String> {
        match config.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok(Cron { config: Arc::new(config) }),
        }
    }

    fn faults(&self, draws: Draws, plan: &mut TrialPlan) {
        let CronFaults { crashes, pauses } = self.config.faults;
        for (kind, count) in [(1, crashes), (2, pauses)] {
            for at in 0..u64::from(count) {
                let draw = |what: u64, below: u64| draws.below(&[3, kind, at, what], below);
                let node = consensus::name(draw(1, u64::from(self.config.servers)) as usize);
                let what = if kind == 1 { Wrong::Kill { node } } else { Wrong::Pause { node } };
                let lasts = Some((400 + draw(2, 500)) * MILLI);
                plan.wrong(FROM + draw(3, self.config.span_ms * MILLI), lasts, what);
            }
        }
    }
}

impl Trial for Cron {
    fn draw(&self, seed: u64) -> TrialPlan {
        let CronConfig { operations, span_ms, midnight, .. } = *self.config;
        let (draws, span) = (Draws(seed), span_ms * MILLI);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for at in 0..u64::from(operations) {
            plan.ask(FROM + if midnight { span / 2 } else { draws.below(&[1, at], span) }, 0, "job", 0, 0);
        }
        self.faults(draws, &mut plan);
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let config = &self.config;
        let servers = consensus::ids(0, &config.consensus());
        let (clock, executor) = (config.servers, config.servers + 1);
        let shared = || Arc::clone(config);
        let mut cast = Vec::new();
        for (at, id) in servers.iter().enumerate() {
            let server = Scheduler::new(*id, shared(), &servers, executor, plan.seed);
            cast.push((consensus::name(at), Node::Server(Box::new(server))));
        }
        let told = Clock { id: clock, config: shared(), seed: plan.seed, said: BTreeMap::new() };
        cast.push(("client-0".to_owned(), Node::Clock(told)));
        cast.push(("executor".to_owned(), Node::Executor(Executor::new(executor, shared(), clock))));
        let until = FROM + (config.span_ms + config.spread_ms) * MILLI + SETTLE;
        let mut outcome = Stage { cast, latency: LATENCY, until }.play(plan, trace).outcome;
        // Every job came to its turn.
        outcome.finished = outcome.count("due") as u64 == outcome.asked;
        figures(&mut outcome);
        outcome
    }
}

fn figures(outcome: &mut Outcome) {
    let mut times: BTreeMap<i64, i64> = BTreeMap::new();
    for fact in outcome.facts_of("launched") {
        *times.entry(fact.value).or_insert(0) += 1;
    }
    let doubled = times.values().filter(|times| **times > 1).count() as i64;
    let skipped = outcome.facts_of("due").filter(|fact| !times.contains_key(&fact.value)).count() as i64;
    let most = peak(outcome.facts_of("launched").map(|fact| fact.at), WINDOW);
    outcome.figures.extend([("doubled", doubled), ("skipped", skipped), ("peak_load", most)]);
}
