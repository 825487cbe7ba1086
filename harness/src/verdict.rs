//! From a stored history to verdict and reports. Nothing is decided anywhere else, so that a stored run can be checked
//! and reported again by a later version.

use crate::error::Error;
use crate::slack;
use crate::store::{self, RunFolder};
use checkers::{Joined, Options, Report, Verdict};
use history::{Damage, Loaded, Source, Stored};
use reports::{Run, RunFacts};
use std::path::Path;

/// A file of this many bytes or more is not held in memory but read once for each pass: compressed histories take 3 to 10
/// bytes an event, and 64 in memory.
const STREAMED_BYTES: u64 = 64 << 20;

/// A history with everything that was found out about it.
pub struct Judged {
    /// The history; without its events if it is read from a file where they are needed.
    pub history: Loaded,
    /// That file.
    pub stored: Option<Stored>,
    /// What the checkers say.
    pub report: Report,
    /// What only the program knows.
    pub facts: RunFacts,
}

impl Judged {
    /// What reports are made from.
    pub fn run(&self) -> Run<'_> {
        let events: &dyn Source = match &self.stored {
            Some(stored) => stored,
            None => &self.history.events,
        };
        Run { header: &self.history.header, events, report: &self.report, facts: &self.facts }
    }
}

/// Reads and checks a history; with `measure` the bounds of a pass are compared with what they could be. Damage makes it inconclusive at best: what is missing could have been a violation.
pub fn judge(path: &Path, options: &Options, facts: RunFacts, measure: bool) -> Result<Judged, Error> {
    let unusable = |e: history::Error| Error::usage(e.to_string());
    if std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() >= STREAMED_BYTES) {
        return judge_stored(Stored::open(path).map_err(unusable)?, options, facts);
    }
    Ok(judge_loaded(history::read(path).map_err(unusable)?, None, options, facts, measure))
}

/// Checks a history as it is read, once for each pass, so that memory does not grow with its pushes. Bounds are not measured
/// and no node is named: both would take all of it at once.
pub fn judge_stored(stored: Stored, options: &Options, mut facts: RunFacts) -> Result<Judged, Error> {
    let mut header = stored.header().clone();
    header.contract = checkers::calibrate(&header, &stored, options);
    let mut report = checkers::check_source(&header, &stored, options);
    let (end, changed) = stored.end();
    let end = match (end, changed) {
        (Some(end), None) => end,
        (_, why) => return Err(Error::harness(why.unwrap_or_else(|| "the history could not be read".to_owned()))),
    };
    let (closing, damage) = (end.closing, end.damage);
    judge_end(&mut report, damage.as_ref(), closing.is_some(), end.events);
    facts.history_hash = closing.as_ref().map(|closing| closing.hash.clone());
    facts.peak_bytes = peak_bytes();
    let (events, file_bytes, text_bytes) = (Vec::new(), end.file_bytes, end.text_bytes);
    let history = Loaded { header, events, closing, damage, file_bytes, text_bytes };
    Ok(Judged { history, stored: Some(stored), report, facts })
}

/// What is not whole cannot pass.
fn judge_end(report: &mut Report, damage: Option<&Damage>, closed: bool, events: u64) {
    let reason = match damage {
        Some(Damage { offset, line, what }) => {
            format!(
                "the history is damaged at byte {offset} (line {line}): {what}; the {events} events before it were used"
            )
        }
        None if closed => return,
        None => "the history has no closing line: the run did not come to its end".to_owned(),
    };
    report.verdict = report.verdict.merge(Verdict::Inconclusive);
    report.reasons.push(reason);
}

/// Checks a history that was read, or that was written a moment ago and is still in memory; `joined` is what was joined of
/// its events, if that was done meanwhile.
pub fn judge_loaded(
    mut history: Loaded,
    joined: Option<Joined>,
    options: &Options,
    mut facts: RunFacts,
    measure: bool,
) -> Judged {
    history.header.contract = checkers::calibrate(&history.header, &history.events, options);
    let mut report = match &joined {
        Some(joined) => checkers::check_joined(&history.header, joined, &history.events, options),
        None => checkers::check(&history.header, &history.events, options),
    };
    judge_end(&mut report, history.damage.as_ref(), history.closing.is_some(), history.events.len() as u64);
    report.suspect = checkers::suspect::locate(&checkers::suspect::observe(&history.header, &history.events));
    if let Some(closing) = &history.closing {
        facts.history_hash = Some(closing.hash.clone());
    }
    if measure {
        slack::measure(&history, joined, options, &mut report);
    }
    facts.peak_bytes = peak_bytes();
    Judged { history, stored: None, report, facts }
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
