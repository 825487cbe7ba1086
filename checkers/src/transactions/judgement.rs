//! What a history of transactions shows, and several together.

use super::check::Options;
use super::finding::{Finding, TOLD_MAX};
use super::lattice::{self, ConsistencyModel, Names};
use crate::verdict::Verdict;
use history::calls::Calls;
use std::collections::BTreeMap;

/// What a history shows.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// A violation if the model that was asked for is ruled out; a pass if it holds; else inconclusive.
    pub verdict: Verdict,
    /// The model that was asked for.
    pub model: ConsistencyModel,
    /// How it was found out.
    pub algorithm: String,
    /// Transactions, failed ones too.
    pub transactions: u64,
    /// Keys.
    pub keys: u64,
    /// How often each anomaly was found, those too that the model permits.
    pub anomalies: BTreeMap<&'static str, u64>,
    /// Models that the history rules out.
    pub not: Vec<&'static str>,
    /// Those of them that imply no other of them.
    pub weakest: Vec<&'static str>,
    /// Models that are not ruled out.
    pub may_hold: Vec<&'static str>,
    /// The first anomalies of each kind: those that the model forbids come first.
    pub findings: Vec<Finding>,
    /// Why it is inconclusive.
    pub reason: Option<String>,
    /// Where limits of time or memory made it so: the transactions of the independent keys that had been decided.
    pub reached: Option<u64>,
}

impl Judgement {
    /// Nothing is known, for a reason.
    pub fn unknown(options: &Options, calls: &Calls, reason: String) -> Judgement {
        Judgement {
            verdict: Verdict::Inconclusive,
            model: options.model,
            algorithm: String::new(),
            transactions: calls.calls.len() as u64,
            keys: 0,
            anomalies: BTreeMap::new(),
            not: Vec::new(),
            weakest: Vec::new(),
            may_hold: ConsistencyModel::all().map(ConsistencyModel::name).collect(),
            findings: Vec::new(),
            reason: Some(reason),
            reached: None,
        }
    }

    /// The same, of one independent key.
    pub(super) fn on(mut self, key: Option<String>) -> Judgement {
        self.findings.iter_mut().for_each(|finding| finding.key.clone_from(&key));
        if let (Some(key), Some(reason)) = (&key, &mut self.reason) {
            *reason = format!("key {key}: {reason}");
        }
        self
    }

    /// Both together: what one rules out is ruled out.
    pub(super) fn and(mut self, other: Judgement) -> Judgement {
        self.reached = match (self.reached, other.reached) {
            (None, None) => None,
            (mine, theirs) => Some(mine.unwrap_or(self.transactions) + theirs.unwrap_or(other.transactions)),
        };
        self.verdict = self.verdict.merge(other.verdict);
        self.transactions += other.transactions;
        self.keys += other.keys;
        for finding in other.findings {
            if self.anomalies.get(finding.anomaly).copied().unwrap_or(0) < TOLD_MAX {
                self.findings.push(finding);
            }
        }
        for (anomaly, count) in other.anomalies {
            *self.anomalies.entry(anomaly).or_default() += count;
        }
        let not: Names = self.not.iter().chain(&other.not).copied().collect();
        let all = || ConsistencyModel::all().map(ConsistencyModel::name);
        self.not = all().filter(|name| not.contains(name)).collect();
        self.may_hold = all().filter(|name| !not.contains(name)).collect();
        self.weakest = lattice::weakest(&not).into_iter().collect();
        self.reason = self.reason.or(other.reason).filter(|_| self.verdict == Verdict::Inconclusive);
        self.reached = self.reached.filter(|_| self.verdict == Verdict::Inconclusive);
        self
    }
}
