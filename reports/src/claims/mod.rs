//! What came of putting the claims to the test: as JSON, as a table for the terminal, and as the data of the page.

mod terminal;

pub use terminal::table;

use crate::tale::Tale;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Version of [`ClaimSummary`].
pub const SCHEMA: u32 = 1;

/// The one JSON object of `claims --json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClaimSummary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Claims; variants of one claim count once.
    pub total: u64,
    /// Claims all variants of which came out as predicted.
    pub as_predicted: u64,
    /// Every variant, in the order of the table.
    pub claims: Vec<Row>,
    /// How long it took, milliseconds of real time.
    pub wall_ms: u64,
    /// Id and sentence of every claim.
    #[serde(skip)]
    pub sentences: Vec<(String, String)>,
}

/// One variant of a claim.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// The claim.
    pub id: String,
    /// Name of the variant.
    pub variant: String,
    /// Its file in `scenarios/claims/`, without `.toml`.
    pub scenario: String,
    /// What is predicted: violated, holds, holds-within-bound, measured.
    pub predicted: String,
    /// What was observed, in the same words where it is as predicted.
    pub observed: String,
    /// True if they agree.
    pub as_predicted: bool,
    /// How many seeds were run.
    pub seeds_run: u64,
    /// The first seed that shows a violation.
    pub first_seed: Option<u64>,
    /// Size of the smallest plan that shows it.
    pub shrunk: Option<Shrunk>,
    /// One sentence: what is done.
    pub about: String,
    /// What was found.
    pub detail: String,
    /// Sums of what was measured.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, i64>,
    /// Predicted relations between figures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
    /// A quantity swept across its bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Swept>,
    /// The smallest plan itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<serde_json::Value>,
    /// Its story.
    #[serde(skip)]
    pub tale: Option<Tale>,
}

/// The size of a shrunk plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shrunk {
    /// Operations.
    pub operations: u64,
    /// Faults.
    pub faults: u64,
}

/// Two sums of a figure.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The figure.
    pub figure: String,
    /// Scenario and sum that are predicted to be smaller.
    pub less: (String, i64),
    /// Scenario and sum that are predicted to be larger.
    pub more: (String, i64),
    /// True if it is so.
    pub holds: bool,
}

/// A sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Swept {
    /// What is swept.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// How large it may be by the formulas, or the maximum that was measured.
    pub bound: i64,
    /// True if the bound was measured.
    pub measured: bool,
    /// What was observed, in order of value.
    pub points: Vec<Point>,
}

/// A point of a sweep.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// The value.
    pub value: i64,
    /// How many seeds were run.
    pub seeds: u64,
    /// How many of them show a violation.
    pub violated: u64,
}

impl Comparison {
    /// `refused: 3 with u5-batched, 99 with u5-plain`.
    pub fn sentence(&self) -> String {
        let ((less, small), (more, large)) = (&self.less, &self.more);
        format!("{}: {small} with {less}, {large} with {more}", self.figure)
    }
}

impl ClaimSummary {
    /// Counts what came out as predicted.
    pub fn new(sentences: Vec<(String, String)>, claims: Vec<Row>) -> ClaimSummary {
        let all: BTreeSet<&str> = claims.iter().map(|row| row.id.as_str()).collect();
        let wrong: BTreeSet<&str> = claims.iter().filter(|row| !row.as_predicted).map(|row| row.id.as_str()).collect();
        let (total, failed) = (all.len() as u64, wrong.len() as u64);
        ClaimSummary { schema: SCHEMA, total, as_predicted: total - failed, claims, wall_ms: 0, sentences }
    }

    /// 0 if everything is as predicted, else 1.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.as_predicted < self.total)
    }

    /// The sentence of a claim.
    pub fn sentence(&self, id: &str) -> &str {
        self.sentences.iter().find(|(known, _)| known == id).map_or("", |(_, sentence)| sentence)
    }
}
