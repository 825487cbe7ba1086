//! From a stored history to verdict and reports. Nothing is decided anywhere else, so that a stored run can be checked
//! and reported again by a later version.

use crate::error::Error;
use crate::slack;
use crate::store::{self, RunFolder};
use checkers::{Options, Report, Verdict};
use history::Loaded;
use reports::{Run, RunFacts};
use std::path::Path;

/// A history with everything that was found out about it.
pub struct Judged {
    /// The history.
    pub history: Loaded,
    /// What the checkers say.
    pub report: Report,
    /// What only the program knows.
    pub facts: RunFacts,
}

impl Judged {
    /// What reports are made from.
    pub fn run(&self) -> Run<'_> {
        Run { header: &self.history.header, events: &self.history.events, report: &self.report, facts: &self.facts }
    }
}

/// Reads and checks a history; with `measure` the bounds of a pass are compared with what they could be. Damage makes it inconclusive at best: what is missing could have been a violation.
pub fn judge(path: &Path, options: &Options, facts: RunFacts, measure: bool) -> Result<Judged, Error> {
    let history = history::read(path).map_err(|e| Error::usage(e.to_string()))?;
    Ok(judge_loaded(history, options, facts, measure))
}

/// Checks a history that was read, or that was written a moment ago and is still in memory.
pub fn judge_loaded(mut history: Loaded, options: &Options, mut facts: RunFacts, measure: bool) -> Judged {
    history.header.contract = checkers::calibrate(&history.header, &history.events, options);
    let mut report = checkers::check(&history.header, &history.events, options);
    if let Some(damage) = &history.damage {
        report.verdict = report.verdict.merge(Verdict::Inconclusive);
        report.reasons.push(format!(
            "the history is damaged at byte {} (line {}): {}; the {} events before it were used",
            damage.offset,
            damage.line,
            damage.what,
            history.events.len()
        ));
    } else if history.closing.is_none() {
        report.verdict = report.verdict.merge(Verdict::Inconclusive);
        report.reasons.push("the history has no closing line: the run did not come to its end".to_owned());
    }
    report.suspect = checkers::suspect::locate(&checkers::suspect::observe(&history.header, &history.events));
    if let Some(closing) = &history.closing {
        facts.history_hash = Some(closing.hash.clone());
    }
    if measure {
        slack::measure(&history, options, &mut report);
    }
    facts.peak_bytes = peak_bytes();
    Judged { history, report, facts }
}

/// Writes verdict and report into the folder of the run.
pub fn save(folder: &RunFolder, judged: &Judged) -> Result<(), Error> {
    let verdict = serde_json::to_vec_pretty(&judged.report).map_err(|e| Error::harness(format!("verdict: {e}")))?;
    folder.write(store::VERDICT, &verdict)?;
    let facts = serde_json::to_vec_pretty(&judged.facts).map_err(|e| Error::harness(format!("facts: {e}")))?;
    folder.write(store::FACTS, &facts)?;
    folder.write(store::REPORT, reports::html::page(&judged.run()).as_bytes())
}

/// The most memory that this process ever held, bytes.
pub fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
