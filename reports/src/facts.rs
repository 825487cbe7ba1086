//! Everything that a report is made from.

use crate::tale::Tale;
use checkers::Report;
use history::{Header, Source};
use serde::{Deserialize, Serialize};

/// The inputs of every report. There are no others, so that a stored run can be reported again by a later version.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// First line of the history.
    pub header: &'a Header,
    /// The history.
    pub events: &'a dyn Source,
    /// What the checkers said.
    pub report: &'a Report,
    /// What only the program knows.
    pub facts: &'a RunFacts,
}

/// What neither history nor verdict tells. Everything is optional: a bare `check HISTORY` knows none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFacts {
    /// The run's id: `2026-11-22-0712-zookeeper-churn-7`.
    pub run: Option<String>,
    /// One line to paste that replays it.
    pub replay: Option<String>,
    /// One line to paste that shrinks it.
    pub shrink: Option<String>,
    /// How long it took, by the clock on the wall.
    pub wall_ms: Option<u64>,
    /// How long it took in the run's own time.
    pub virtual_ms: Option<u64>,
    /// Hash of the plan, where it is known better than from the header.
    pub plan_hash: Option<String>,
    /// Hash of the history.
    pub history_hash: Option<String>,
    /// What the seed drew, by name.
    pub drawn: Vec<(String, String)>,
    /// The run's folder in the store.
    pub store: Option<String>,
    /// Files that the nodes of a real system wrote, in the run's folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub node_logs: Vec<String>,
    /// Most memory that the program held.
    pub peak_bytes: Option<u64>,
    /// What happened in it, for shrunk runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tale: Option<Tale>,
}

impl Run<'_> {
    /// Hash of the plan.
    pub fn plan_hash(&self) -> &str {
        self.facts.plan_hash.as_deref().unwrap_or(&self.header.plan_hash)
    }
}
