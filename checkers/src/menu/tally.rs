//! What a checker of the menu found.

use std::collections::BTreeMap;

/// So many findings of each kind are told.
const TOLD_MAX: u64 = 5;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub anomaly: &'static str,
    /// In a sentence.
    pub sentence: String,
}

/// Everything that is wrong, counted; the first of each kind told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How much was judged.
    pub operations: u64,
    /// How often each kind was found.
    pub anomalies: BTreeMap<&'static str, u64>,
    /// The first of each kind.
    pub findings: Vec<Finding>,
    /// Why nothing can be said.
    pub reason: Option<String>,
}

impl Tally {
    /// Books one.
    pub(super) fn found(&mut self, anomaly: &'static str, sentence: impl FnOnce() -> String) {
        let count = self.anomalies.entry(anomaly).or_default();
        *count += 1;
        if *count <= TOLD_MAX {
            self.findings.push(Finding { anomaly, sentence: sentence() });
        }
    }
}
