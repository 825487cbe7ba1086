//! `upheaval check HISTORY` and `upheaval report RUN`: verdict and report of what is stored.

use super::{CheckArgs, ReportArgs, operations, print, session};
use crate::error::Error;
use crate::store::{self, RunFolder};
use crate::verdict::{Judged, judge, save};
use reports::RunFacts;
use std::path::{Path, PathBuf};

/// Checks a history again, or operation histories by a model.
pub fn check(arguments: CheckArgs) -> Result<u8, Error> {
    let options = &arguments.operations;
    let foreign = arguments.histories.iter().all(|history| operations::is_foreign(history));
    if foreign && options.model.is_none() && (!arguments.checker.is_empty() || arguments.divide_bounds != 1) {
        return Err(Error::usage(format!(
            "{} is no history of ours; if it holds operations (EDN, JSON, a console log), say by which model to judge it: --model NAME, see `upheaval list models`",
            arguments.histories[0].display()
        )));
    }
    if foreign || options.model.is_some() || options.format.as_deref().is_some_and(|format| format != "upheaval") {
        return operations::check(&arguments);
    }
    let given = [
        (options.initial.is_some(), "--initial"),
        (options.keys.is_some(), "--keys"),
        (options.writes_follow_reads, "--writes-follow-reads"),
        (options.explain.is_some(), "--explain"),
    ];
    if let Some((_, flag)) = given.iter().find(|(given, _)| *given) {
        return Err(Error::usage(format!("{flag} is for operations: say by which model to judge them, --model NAME")));
    }
    let [history] = arguments.histories.as_slice() else {
        return Err(Error::usage("several of our own histories are checked together with --model only"));
    };
    let mut options = session::options(arguments.divide_bounds, arguments.threads);
    if !arguments.checker.is_empty() {
        let chosen = arguments.checker.iter().map(|name| name.parse()).collect::<Result<_, _>>();
        options.checkers = chosen.map_err(|e: checkers::CheckersError| Error::usage(format!("--checker: {e}")))?;
    }
    let (path, facts) = locate(history);
    let judged = judge(&path, &options, facts, true)?;
    show(&judged, arguments.json)
}

/// Makes verdict and report of a stored run again.
pub fn report(arguments: ReportArgs) -> Result<u8, Error> {
    let folder = RunFolder::open(&arguments.run)?;
    let (path, facts) = locate(&arguments.run);
    let judged = judge(&path, &session::options(1, None), facts, true)?;
    save(&folder, &judged)?;
    show(&judged, arguments.json)
}

fn show(judged: &Judged, json: bool) -> Result<u8, Error> {
    if json {
        print(&reports::json::summary(&judged.run()).to_json())?;
    } else {
        print(&reports::terminal::summary(&judged.run(), session::coloured()))?;
    }
    Ok(judged.report.verdict.exit_code())
}

/// The history of a run's folder or file, and what is known of the run beside it.
pub fn locate(what: &Path) -> (PathBuf, RunFacts) {
    if !what.is_dir() {
        return (what.to_owned(), RunFacts::default());
    }
    let facts = std::fs::read(what.join(store::FACTS)).ok();
    let facts = facts.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    (what.join(store::HISTORY), facts)
}
