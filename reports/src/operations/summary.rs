//! The one JSON object of `check --model`.

use checkers::Verdict;
use checkers::linearizability::{Explanation, Judgement};
use checkers::transactions::{self, Cycle};
use serde::Serialize;
use std::collections::BTreeMap;

/// Version of [`CheckSummary`].
pub const SCHEMA: u32 = 1;

/// What pipelines read. Every key is always there; what is not known is null.
#[derive(Clone, Debug, Serialize)]
pub struct CheckSummary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// All files merged.
    pub verdict: Verdict,
    /// What the program exits with.
    pub exit_code: u8,
    /// One for each file, in the order given.
    pub files: Vec<FileSummary>,
}

impl CheckSummary {
    /// All files together; nothing at all is inconclusive.
    pub fn of(files: Vec<FileSummary>) -> CheckSummary {
        let merged = files.iter().map(|file| file.verdict).reduce(Verdict::merge);
        let verdict = merged.unwrap_or(Verdict::Inconclusive);
        CheckSummary { schema: SCHEMA, verdict, exit_code: verdict.exit_code(), files }
    }
}

/// One operation history.
#[derive(Clone, Debug, Serialize)]
pub struct FileSummary {
    /// As it was given.
    pub file: String,
    /// The answer.
    pub verdict: Verdict,
    /// The model it was judged by.
    pub model: String,
    /// The consistency model that transactions were to obey.
    pub consistency_model: Option<&'static str>,
    /// What a failed compare-and-set was taken for, for models that have one.
    pub failed_cas: Option<&'static str>,
    /// How it was found out.
    pub algorithm: String,
    /// Operations that were judged.
    pub operations: u64,
    /// Objects (keys, or parts that do not touch each other) that were judged alone.
    pub objects: u64,
    /// How often each kind of wrong was found.
    pub anomalies: BTreeMap<String, u64>,
    /// Consistency models that the history rules out.
    pub not: Vec<String>,
    /// The weakest of them.
    pub weakest: Vec<String>,
    /// Consistency models that the transactions do not rule out.
    pub may_hold: Vec<String>,
    /// The first of what is wrong.
    pub examples: Vec<Example>,
    /// Why it is inconclusive.
    pub reason: Option<String>,
    /// Operations of undecided objects that were decided before they were given up.
    pub reached: Option<u64>,
    /// Reading the file took so long.
    pub parse_ms: u64,
    /// Checking alone took so long, without explanations.
    pub wall_ms: u64,
    /// The most memory that the program held so far.
    pub peak_bytes: Option<u64>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Example {
    /// Its kind.
    pub anomaly: String,
    /// The key, where the history has keys.
    pub key: Option<String>,
    /// In a sentence.
    pub sentence: String,
    /// Why.
    pub explanation: Option<Explanation>,
    /// The cycle, for transactions.
    pub cycle: Option<Cycle>,
}

impl FileSummary {
    /// Of a checker of the menu.
    pub fn menu(file: String, name: checkers::menu::MenuName, tally: checkers::menu::Tally) -> FileSummary {
        let violated = !tally.anomalies.is_empty();
        let not = if violated { name.rules_out(&tally.anomalies) } else { Vec::new() };
        let not: Vec<String> = not.into_iter().map(str::to_owned).collect();
        let example = |finding: checkers::menu::Finding| Example {
            anomaly: finding.anomaly.to_owned(),
            key: None,
            sentence: finding.sentence,
            explanation: None,
            cycle: None,
        };
        FileSummary {
            file,
            verdict: tally.verdict(),
            model: name.name().to_owned(),
            consistency_model: None,
            failed_cas: None,
            algorithm: "one pass".to_owned(),
            operations: tally.operations,
            objects: 1,
            anomalies: tally.anomalies.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            weakest: not.last().cloned().into_iter().collect(),
            not,
            may_hold: Vec::new(),
            examples: tally.findings.into_iter().map(example).collect(),
            reason: tally.reason,
            reached: None,
            parse_ms: 0,
            wall_ms: 0,
            peak_bytes: None,
        }
    }

    /// Of a judgement; times and memory are filled in by whoever measured them.
    pub fn linearizable(file: String, model: &str, judgement: Judgement) -> FileSummary {
        const ANOMALY: &str = "nonlinearizable";
        let violated = judgement.violations > 0;
        let names =
            |names: &[&str]| if violated { names.iter().map(|n| (*n).to_owned()).collect() } else { Vec::new() };
        let example = |failure: checkers::linearizability::Failure| Example {
            anomaly: ANOMALY.to_owned(),
            key: failure.key,
            sentence: failure.sentence,
            explanation: failure.explanation,
            cycle: None,
        };
        FileSummary {
            file,
            verdict: judgement.verdict,
            model: model.to_owned(),
            consistency_model: None,
            failed_cas: None,
            algorithm: judgement.algorithm,
            operations: judgement.operations,
            objects: judgement.objects,
            anomalies: violated.then(|| (ANOMALY.to_owned(), judgement.violations)).into_iter().collect(),
            not: names(&["linearizable", "strict-serializable"]),
            weakest: names(&["linearizable"]),
            may_hold: Vec::new(),
            examples: judgement.failures.into_iter().map(example).collect(),
            reason: judgement.reason,
            reached: (judgement.undecided > 0).then_some(judgement.reached),
            parse_ms: 0,
            wall_ms: 0,
            peak_bytes: None,
        }
    }

    /// Of transactions; times and memory are filled in by whoever measured them.
    pub fn transactions(
        file: String,
        workload: transactions::Workload,
        judgement: transactions::Judgement,
    ) -> FileSummary {
        let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        let example = |finding: transactions::Finding| Example {
            anomaly: finding.anomaly.to_owned(),
            key: finding.key,
            sentence: finding.sentence,
            explanation: None,
            cycle: finding.cycle,
        };
        FileSummary {
            file,
            verdict: judgement.verdict,
            model: workload.name().to_owned(),
            consistency_model: Some(judgement.model.name()),
            failed_cas: None,
            algorithm: judgement.algorithm,
            operations: judgement.transactions,
            objects: judgement.keys,
            anomalies: judgement.anomalies.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            not: names(judgement.not),
            weakest: names(judgement.weakest),
            may_hold: names(judgement.may_hold),
            examples: judgement.findings.into_iter().map(example).collect(),
            reason: judgement.reason,
            reached: judgement.reached,
            parse_ms: 0,
            wall_ms: 0,
            peak_bytes: None,
        }
    }
}
