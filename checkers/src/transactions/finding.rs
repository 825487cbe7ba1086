//! What is wrong with a history of transactions.

use serde::Serialize;
use std::collections::BTreeMap;

/// So many findings of each kind are told.
pub(super) const TOLD_MAX: u64 = 3;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its kind, by Elle's name where it has one.
    pub anomaly: &'static str,
    /// The independent key, where the history has such keys.
    pub key: Option<String>,
    /// In a sentence.
    pub sentence: String,
    /// The cycle, where it is one.
    pub cycle: Option<Cycle>,
}

/// Transactions each of which must come before the next, and the last before the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cycle {
    /// The transactions, in the order of the cycle.
    pub transactions: Vec<Shown>,
    /// Why the one at each place precedes the next.
    pub steps: Vec<Step>,
}

/// A transaction of a cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What it is called in sentences: T1, T2 ...
    pub name: String,
    /// Index of the call in the history.
    pub call: usize,
    /// Who; none if the history names no processes.
    pub process: Option<i64>,
    /// What it did.
    pub text: String,
    /// Place of the invocation, counted from 0 over all invocations and completions of the history.
    pub invoke: u32,
    /// Place of the completion; none if its outcome is unknown.
    pub complete: Option<u32>,
}

/// Why one transaction precedes another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// ww, wr, rw, process or realtime.
    pub kind: &'static str,
    /// In a sentence.
    pub sentence: String,
}

/// Everything that is wrong, counted; the first of each kind told.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) counts: BTreeMap<&'static str, u64>,
    pub(super) told: Vec<Finding>,
}

impl Findings {
    /// Books one.
    pub(super) fn found(&mut self, anomaly: &'static str, sentence: impl FnOnce() -> String) {
        self.several(anomaly, 1, sentence);
    }

    /// Books several at once, of which one is told.
    pub(super) fn several(&mut self, anomaly: &'static str, count: u64, sentence: impl FnOnce() -> String) {
        if self.book(anomaly, count) {
            self.told.push(Finding { anomaly, key: None, sentence: sentence(), cycle: None });
        }
    }

    /// Books a cycle.
    pub(super) fn cycle(&mut self, anomaly: &'static str, cycle: impl FnOnce() -> Cycle) {
        if self.book(anomaly, 1) {
            let cycle = cycle();
            let names: Vec<&str> = cycle.transactions.iter().map(|txn| txn.name.as_str()).collect();
            let sentence = format!(
                "{} must each come before the next, and {} before {}",
                names.join(", "),
                last(&names),
                names[0]
            );
            self.told.push(Finding { anomaly, key: None, sentence, cycle: Some(cycle) });
        }
    }

    fn book(&mut self, anomaly: &'static str, count: u64) -> bool {
        let booked = self.counts.entry(anomaly).or_default();
        let tell = *booked < TOLD_MAX;
        *booked += count;
        tell
    }
}

fn last<'a>(names: &[&'a str]) -> &'a str {
    names.last().copied().unwrap_or_default()
}
