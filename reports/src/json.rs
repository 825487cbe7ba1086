//! The one JSON object of `run --json`.

use crate::digest::Digest;
use crate::facts::Run;
use crate::faults::{self, FaultGroup};
use checkers::suspect::Suspect;
use checkers::{Figure, Verdict};
use history::SystemName;
use serde::Serialize;
use std::collections::BTreeMap;

/// Version of [`RunSummary`].
pub const SCHEMA: u32 = 1;

/// What pipelines read. Every key is always there; what is not known is null.
#[derive(Clone, Debug, Serialize)]
pub struct RunSummary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The run's id.
    pub run: Option<String>,
    /// The scenario's name.
    pub scenario: String,
    /// What was tested.
    pub system: SystemName,
    /// The run's seed.
    pub seed: u64,
    /// All checks merged.
    pub verdict: Verdict,
    /// Why it is inconclusive or an error.
    pub reasons: Vec<String>,
    /// What the program exits with.
    pub exit_code: u8,
    /// Hash of the plan.
    pub plan_hash: String,
    /// Hash of the history.
    pub history_hash: Option<String>,
    /// How much was done.
    pub counts: Counts,
    /// Faults by kind and target.
    pub faults: Vec<FaultGroup>,
    /// One for each checker.
    pub checks: Vec<CheckSummary>,
    /// The node that explains best what clients saw.
    pub suspect: Option<Suspect>,
    /// Length of the run in its own time.
    pub virtual_ms: Option<u64>,
    /// Length of the run by the clock on the wall.
    pub wall_ms: Option<u64>,
    /// Most memory held.
    pub peak_bytes: Option<u64>,
    /// One line to paste.
    pub replay: Option<String>,
}

/// How much was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Operations invoked.
    pub operations: u64,
    /// Pushes received.
    pub pushes: u64,
    /// Clients of the plan.
    pub clients: u64,
    /// DataIds of the plan.
    pub data_ids: u64,
}

/// One checker's result without its evidence.
#[derive(Clone, Debug, Serialize)]
pub struct CheckSummary {
    /// Its name.
    pub checker: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// How many things it judged.
    pub checked: u64,
    /// What they are.
    pub unit: String,
    /// How many violations it found.
    pub violations: u64,
    /// Figures by name.
    pub figures: BTreeMap<String, Figure>,
    /// Why it is inconclusive.
    pub reason: Option<String>,
}

/// Sums a run up.
pub fn summary(run: &Run<'_>) -> RunSummary {
    let digest = Digest::of(run);
    let (header, report, facts) = (run.header, run.report, run.facts);
    RunSummary {
        schema: SCHEMA,
        run: facts.run.clone(),
        scenario: header.scenario.clone(),
        system: header.system.clone(),
        seed: header.seed,
        verdict: report.verdict,
        reasons: report.reasons.clone(),
        exit_code: report.verdict.exit_code(),
        plan_hash: run.plan_hash().to_owned(),
        history_hash: facts.history_hash.clone(),
        counts: Counts {
            operations: digest.operations,
            pushes: digest.pushes,
            clients: u64::from(header.clients),
            data_ids: header.data_ids.len() as u64,
        },
        faults: faults::by_kind_and_target(&digest.faults),
        checks: report
            .checks
            .iter()
            .map(|check| CheckSummary {
                checker: check.checker.clone(),
                verdict: check.verdict,
                checked: check.checked,
                unit: check.unit.clone(),
                violations: check.violations,
                figures: check.figures.clone(),
                reason: check.reason.clone(),
            })
            .collect(),
        suspect: report.suspect.clone(),
        virtual_ms: facts.virtual_ms,
        wall_ms: facts.wall_ms,
        peak_bytes: facts.peak_bytes,
        replay: facts.replay.clone(),
    }
}

impl RunSummary {
    /// The object, indented, with a newline.
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists only: there is nothing that serde_json could refuse.
        let mut text = serde_json::to_string_pretty(self).expect("plain data");
        text.push('\n');
        text
    }
}
