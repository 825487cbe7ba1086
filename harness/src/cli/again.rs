//! `upheaval replay RUN|PLAN --times K`: how often does a plan fail the same way? Two runs of a real system are never alike.

use super::{ReplayArgs, print, print_json, session};
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::plan::Plan;
use crate::store;
use checkers::{Report, Verdict};
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::Ordering;

/// Version of [`Summary`].
const SCHEMA: u32 = 1;

/// What pipelines read.
#[derive(Serialize)]
struct Summary {
    schema: u32,
    /// Of all runs together.
    verdict: Verdict,
    /// How many were asked for.
    times: u32,
    /// The failure that was looked for: that of the stored run, otherwise of the first run that failed.
    fingerprint: Option<Fingerprint>,
    /// How many runs failed that way.
    reproduced: u32,
    runs: Vec<Row>,
}

/// One run.
#[derive(Serialize)]
struct Row {
    run: String,
    verdict: Verdict,
    fingerprint: Option<Fingerprint>,
    history_hash: Option<String>,
}

/// Runs the plan so many times, each into the store.
pub(super) fn again(plan: &Plan, scenario: Option<&str>, times: u32, arguments: &ReplayArgs) -> Result<u8, Error> {
    let stop = session::stop_flag()?;
    let mut wanted = failure_of(&arguments.what);
    let mut summary =
        Summary { schema: SCHEMA, verdict: Verdict::Pass, times, fingerprint: None, reproduced: 0, runs: Vec::new() };
    for number in 1..=times {
        if stop.load(Ordering::Relaxed) {
            summary.verdict = summary.verdict.merge(Verdict::Inconclusive);
            break;
        }
        let (folder, judged) = session::once(plan, scenario, &arguments.session, &stop, true)?;
        let fingerprint = Fingerprint::of(&judged.report);
        wanted = wanted.or(fingerprint);
        summary.verdict = summary.verdict.merge(judged.report.verdict);
        let row = Row {
            run: folder.path.display().to_string(),
            verdict: judged.report.verdict,
            fingerprint,
            history_hash: judged.facts.history_hash,
        };
        if !arguments.session.json {
            let failed = fingerprint.map_or(String::new(), |fingerprint| format!(" {fingerprint}"));
            print(&format!("{number:>4} of {times}  {}{failed}  {}", reports::story::verdict(row.verdict), row.run))?;
        }
        summary.runs.push(row);
    }
    summary.fingerprint = wanted;
    summary.reproduced = summary.runs.iter().filter(|row| wanted.is_some() && row.fingerprint == wanted).count() as u32;
    if arguments.session.json {
        print_json(&summary)?;
    } else {
        print(&sentence(&summary))?;
    }
    Ok(summary.verdict.exit_code())
}

/// How the stored run failed, if it is a run that failed.
fn failure_of(what: &Path) -> Option<Fingerprint> {
    let text = std::fs::read(what.join(store::VERDICT)).ok()?;
    Fingerprint::of(&serde_json::from_slice::<Report>(&text).ok()?)
}

fn sentence(summary: &Summary) -> String {
    let runs = summary.runs.len();
    match summary.fingerprint {
        Some(fingerprint) => format!("reproduced in {} of {runs} runs: {fingerprint}", summary.reproduced),
        None => format!("no violation in {runs} runs"),
    }
}
