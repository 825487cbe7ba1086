//! What came of one seed: one line of the results store.

use crate::attempt::{Attempt, attempt};
use crate::error::Error;
use crate::fingerprint::first;
use crate::plan::Plan;
use crate::scenario::Scenario;
use checkers::{Options, Verdict};
use history::{Event, FaultKind, FaultStage, MILLI, word};
use serde::{Deserialize, Serialize};
use simulation::hash_draw;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is tried with each seed.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The planted bug.
    pub bug: Option<&'a str>,
    /// How to check.
    pub options: &'a Options,
    /// So many seeds in 1,000 are run twice; both runs must give the same history.
    pub twice_permille: u32,
}

/// What came of one seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What the checkers say; `error` where the harness failed.
    pub verdict: Verdict,
    /// With a violation: what kind of failure it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The first violation, the first reason why it is inconclusive, or the error, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
    /// Operations of the plan.
    pub operations: u64,
    /// Faults of the plan.
    pub faults: u64,
    /// Length of the run, virtual milliseconds.
    pub virtual_ms: u64,
    /// Calls of a node's `step`.
    pub steps: u64,
    /// Pushes that clients received.
    pub pushes: u64,
    /// Interesting states, and how often each was reached.
    pub coverage: BTreeMap<String, u64>,
    /// Faults that were due, by kind.
    pub due: BTreeMap<String, u64>,
    /// Of these, those whose measured effect proves them.
    pub bit: BTreeMap<String, u64>,
    /// Hash of the history, where the seed was run twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

impl Outcome {
    /// Runs a seed. Nothing gets out but an outcome: a panic is an error of the harness.
    pub fn of(trial: &Trial<'_>, seed: u64) -> Outcome {
        let told = catch_unwind(AssertUnwindSafe(|| Outcome::try_of(trial, seed)));
        let why = match told {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("internal error: {}", words_of(panic.as_ref())),
        };
        Outcome {
            seed,
            verdict: Verdict::Error,
            fingerprint: None,
            says: why,
            operations: 0,
            faults: 0,
            virtual_ms: 0,
            steps: 0,
            pushes: 0,
            coverage: BTreeMap::new(),
            due: BTreeMap::new(),
            bit: BTreeMap::new(),
            hash: None,
        }
    }

    fn try_of(trial: &Trial<'_>, seed: u64) -> Result<Outcome, Error> {
        let plan = Plan::draw(trial.scenario, seed, trial.bug.map(str::to_owned));
        let run = attempt(&plan, trial.options, false)?;
        let mut outcome = Outcome::told(&plan, &run);
        if hash_draw(0x2, &[seed]) % 1000 < u64::from(trial.twice_permille) {
            let hash = run.history_hash()?;
            // The plan is drawn again, too.
            let again = Plan::draw(trial.scenario, seed, trial.bug.map(str::to_owned));
            let other = attempt(&again, trial.options, false)?.history_hash()?;
            if hash != other {
                outcome.verdict = Verdict::Error;
                outcome.says = format!("run twice, two histories: {hash} and {other}");
            }
            outcome.hash = Some(hash);
        }
        Ok(outcome)
    }

    fn told(plan: &Plan, run: &Attempt) -> Outcome {
        let report = &run.report;
        let says = match report.verdict {
            Verdict::Violation => first(report).map(|violation| violation.sentence.clone()),
            _ => report.reasons.first().cloned(),
        };
        let (mut due, mut bit) = (BTreeMap::new(), BTreeMap::new());
        for event in &run.events {
            let Event::Fault(fault) = event else { continue };
            if fault.kind == FaultKind::MasterLag {
                continue;
            }
            let bites = fault.effect.as_ref().is_some_and(|effect| effect.bit);
            match fault.stage {
                FaultStage::Start | FaultStage::Missed => *due.entry(word(&fault.kind)).or_insert(0) += 1,
                FaultStage::Serving if bites => *bit.entry(word(&fault.kind)).or_insert(0) += 1,
                _ => {}
            }
        }
        Outcome {
            seed: plan.seed,
            verdict: report.verdict,
            fingerprint: run.fingerprint().map(|fingerprint| fingerprint.to_string()),
            says: says.unwrap_or_default(),
            operations: plan.operations.len() as u64,
            faults: plan.faults.len() as u64,
            virtual_ms: run.end / MILLI,
            steps: run.steps,
            pushes: run.events.iter().filter(|event| matches!(event, Event::Push(_))).count() as u64,
            coverage: run.coverage.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            due,
            bit,
            hash: None,
        }
    }

    /// How much there is to read for whoever looks into it: the fewer the better.
    pub fn cost(&self) -> (u64, u64, u64) {
        (self.operations + self.faults, self.virtual_ms, self.seed)
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}
