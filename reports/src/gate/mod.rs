//! What a gate decided, and why: the data that its JSON object is, and the forms that people and pipelines read.

pub mod github;
pub mod junit;
mod page;
mod terminal;

pub use page::page;
pub use terminal::{plan, summary};

use crate::tale::Tale;
use checkers::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of [`Gate`].
pub const SCHEMA: u32 = 1;

/// The answer of a whole suite. Severity: violation > error > inconclusive > missed > pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Everything holds: deploy it onward.
    Pass,
    /// A run showed a violation.
    Violation,
    /// The harness or a hook failed.
    Error,
    /// Too little was seen, or time ran out.
    #[default]
    Inconclusive,
    /// The system is right, but an objective on a figure was missed.
    Missed,
}

impl Decision {
    /// Exit code of the program: 0 pass, 1 violation, 3 inconclusive, 4 error, 5 objective missed.
    pub fn exit_code(self) -> u8 {
        match self {
            Decision::Pass => 0,
            Decision::Violation => 1,
            Decision::Inconclusive => 3,
            Decision::Error => 4,
            Decision::Missed => 5,
        }
    }

    /// The more severe of two.
    pub fn merge(self, other: Decision) -> Decision {
        let rank = |decision: Decision| match decision {
            Decision::Pass => 0,
            Decision::Missed => 1,
            Decision::Inconclusive => 2,
            Decision::Error => 3,
            Decision::Violation => 4,
        };
        if rank(other) > rank(self) { other } else { self }
    }

    /// As it is written: `violation`.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Pass => "pass",
            Decision::Violation => "violation",
            Decision::Error => "error",
            Decision::Inconclusive => "inconclusive",
            Decision::Missed => "objective missed",
        }
    }

    /// The verdict whose colour it has.
    pub(crate) fn coloured_as(self) -> Verdict {
        match self {
            Decision::Pass => Verdict::Pass,
            Decision::Violation => Verdict::Violation,
            Decision::Error => Verdict::Error,
            Decision::Inconclusive | Decision::Missed => Verdict::Inconclusive,
        }
    }
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Decision {
        match verdict {
            Verdict::Pass => Decision::Pass,
            Verdict::Violation => Decision::Violation,
            Verdict::Inconclusive => Decision::Inconclusive,
            Verdict::Error => Decision::Error,
        }
    }
}

/// The build under test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// What it is.
    pub name: String,
    /// Which of it.
    #[serde(default)]
    pub version: String,
    /// Where it lies: a file, an image, an address.
    #[serde(default)]
    pub artefact: String,
}

/// Why a seed is in the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The suite names it.
    Fixed,
    /// Drawn for this night.
    Random,
    /// It failed on an earlier night.
    FailedBefore,
}

/// One run of the suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateRun {
    /// The scenario.
    pub scenario: String,
    /// The system, and the variant of it where the suite has several.
    pub system: String,
    /// The planted bug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Why this seed.
    pub origin: Origin,
    /// What the checkers say; `error` where the harness failed.
    pub verdict: Verdict,
    /// The kind of violation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The first violation, why it is inconclusive, or the error, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub says: String,
    /// Figures by name: `convergence.p99_ms`, `wall_ms` ...
    pub figures: BTreeMap<String, f64>,
    /// The line that runs it again.
    pub replay: String,
    /// Its folder in the store, where it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// How often the harness failed before this came of it.
    pub retries: u32,
    /// How long it took by the clock on the wall.
    pub wall_ms: u64,
}

/// Runs that fail in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateFailure {
    /// The scenario.
    pub scenario: String,
    /// The system.
    pub system: String,
    /// The kind of violation.
    pub fingerprint: String,
    /// In how many seeds.
    pub count: u64,
    /// The seed with the fewest operations and faults.
    pub cheapest_seed: u64,
    /// Its first violation in words.
    pub says: String,
    /// The line that runs it again.
    pub replay: String,
    /// The folder of the run.
    pub folder: Option<String>,
    /// The folder of the shrunk run.
    pub shrunk: Option<String>,
    /// The minimal story.
    pub story: Option<String>,
    /// The same with its drawing, for the page.
    #[serde(skip)]
    pub tale: Option<Tale>,
    /// Operations of the shrunk plan.
    pub operations: Option<u64>,
    /// Faults of the shrunk plan.
    pub faults: Option<u64>,
}

/// What came of an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateObjective {
    /// What it asks for, in words.
    pub asks: String,
    /// True: met. False: missed. None: too little to say.
    pub met: Option<bool>,
    /// What was measured, in words.
    pub says: String,
}

/// What came of a hook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateHook {
    /// `deploy`, `promote` or `reject`.
    pub name: String,
    /// Its command.
    pub command: Vec<String>,
    /// True if it ended with 0 in its time.
    pub ok: bool,
    /// How it ended, and the end of what it wrote.
    pub says: String,
    /// How long it took.
    pub wall_ms: u64,
}

/// The whole of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Version of this object.
    pub schema: u32,
    /// Name of the suite.
    pub suite: String,
    /// What it is for.
    pub about: String,
    /// The build under test.
    pub build: Option<Build>,
    /// Name and version of this program.
    pub program: String,
    /// The decision.
    pub verdict: Decision,
    /// Exit code of the program.
    pub exit_code: u8,
    /// Why it is no pass, in words.
    pub reasons: Vec<String>,
    /// What the random seeds were drawn from: `--night N` draws the same again.
    pub night: u64,
    /// The random seeds of this night.
    pub random_seeds: Vec<u64>,
    /// Each run.
    pub runs: Vec<GateRun>,
    /// Runs that were due and not made.
    pub not_run: u64,
    /// Runs by verdict.
    pub counts: BTreeMap<String, u64>,
    /// Failures by kind.
    pub failures: Vec<GateFailure>,
    /// Objectives on figures.
    pub objectives: Vec<GateObjective>,
    /// Hooks that were called.
    pub hooks: Vec<GateHook>,
    /// How long it took.
    pub wall_ms: u64,
    /// Most memory that the program held.
    pub peak_bytes: Option<u64>,
    /// Where it is kept.
    pub store: String,
}

/// One line of `gate --dry-run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedEntry {
    /// The scenario.
    pub scenario: String,
    /// The system.
    pub system: String,
    /// The planted bug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// Its seeds.
    pub seeds: Vec<u64>,
    /// How long all of them should take, from earlier nights or from the length of the phases; none: not known yet.
    pub expected_ms: Option<u64>,
}

/// What `gate --dry-run` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatePlan {
    /// Version of this object.
    pub schema: u32,
    /// Name of the suite.
    pub suite: String,
    /// What the random seeds are drawn from.
    pub night: u64,
    /// What would run.
    pub entries: Vec<PlannedEntry>,
    /// How many runs that are.
    pub runs: u64,
    /// How long it should take; none if that is not known of some entry.
    pub expected_ms: Option<u64>,
    /// How long it may take.
    pub time_ms_max: u64,
}

#[cfg(test)]
mod tests {
    use super::Decision::{self, Error, Inconclusive, Missed, Pass, Violation};

    #[test]
    fn the_more_severe_decides() {
        let severity = [Pass, Missed, Inconclusive, Error, Violation];
        for (i, a) in severity.into_iter().enumerate() {
            for (j, b) in severity.into_iter().enumerate() {
                assert_eq!(a.merge(b), severity[i.max(j)]);
            }
        }
        assert_eq!(severity.map(Decision::exit_code), [0, 5, 3, 4, 1]);
    }
}
