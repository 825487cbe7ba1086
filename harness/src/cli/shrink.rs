//! `upheaval shrink RUN|PLAN`.

use super::{ShrinkArgs, print, print_json, replay};
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::shrink::{self, Effort, Size};
use crate::store;
use crate::verdict::Judged;
use checkers::Options;
use indicatif::ProgressBar;
use reports::format;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// Version of [`Summary`].
const SCHEMA: u32 = 1;

/// What pipelines read.
#[derive(Serialize)]
struct Summary<'a> {
    schema: u32,
    /// What was shrunk.
    run: String,
    /// The folder of the shrunk run.
    shrunk: String,
    /// Of the shrunk run; `before` has that of the run that was shrunk.
    fingerprint: Fingerprint,
    before: Side<'a>,
    after: Side<'a>,
    plan: String,
    story: String,
    diagram: String,
    report: String,
    attempts: u64,
    wall_ms: u64,
    complete: bool,
    replay: &'a str,
}

/// A plan and how it fails.
#[derive(Serialize)]
struct Side<'a> {
    fingerprint: Fingerprint,
    #[serde(flatten)]
    size: &'a Size,
}

/// Shrinks, runs the small plan once more into the store and tells its story.
pub fn shrink(arguments: &ShrinkArgs) -> Result<u8, Error> {
    let began = Instant::now();
    let (plan, _) = replay::load(&arguments.what)?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let effort = Effort { time: arguments.time, threads: arguments.jobs.map_or(cores, usize::from) };
    let bar = ProgressBar::new_spinner();
    let shrunk = shrink::shrink(&plan, &Options::default(), effort, &mut |plan, tried| {
        bar.set_message(format!("{} left, {tried} plans tried", Size::of(plan)));
        bar.tick();
    });
    bar.finish_and_clear();
    let shrunk = shrunk.map_err(|error| explained(error, &arguments.what))?;
    let (folder, judged) = shrink::keep(&shrunk, &arguments.store)?;
    let file = |name: &str| folder.file(name).display().to_string();
    let summary = Summary {
        schema: SCHEMA,
        run: arguments.what.display().to_string(),
        shrunk: folder.path.display().to_string(),
        fingerprint: shrunk.fingerprint,
        before: Side { fingerprint: shrunk.origin, size: &shrunk.before },
        after: Side { fingerprint: shrunk.fingerprint, size: &shrunk.after },
        plan: file(store::PLAN),
        story: file(store::STORY),
        diagram: file(store::DIAGRAM),
        report: file(store::REPORT),
        attempts: shrunk.attempts,
        wall_ms: began.elapsed().as_millis() as u64,
        complete: shrunk.complete,
        replay: judged.facts.replay.as_deref().unwrap_or_default(),
    };
    if arguments.json {
        print_json(&summary)?;
    } else {
        print(&told(&summary, &judged, arguments.time))?;
    }
    Ok(0)
}

/// What cannot be shrunk is named.
fn explained(error: Error, what: &Path) -> Error {
    if error.code() == 2 { Error::usage(format!("{}: {error}", what.display())) } else { error }
}

/// For people: the story and where everything is.
fn told(summary: &Summary<'_>, judged: &Judged, limit: Duration) -> String {
    let mut out = String::new();
    if let Some(tale) = &judged.facts.tale {
        let text = reports::tale::text(tale);
        let effort = format!(
            " ({}, {})",
            format::counted(summary.attempts, "plans tried"),
            format::duration_ms(summary.wall_ms)
        );
        out = text.replacen('\n', &format!("{effort}\n"), 1);
    }
    if !summary.complete {
        let limit = format::duration_ms(limit.as_millis() as u64);
        out.push_str(&format!("cut short after {limit}: given more --time it could become smaller\n"));
    }
    for (label, line) in [
        ("failure", summary.fingerprint.to_string()),
        ("report", summary.report.clone()),
        ("drawing", summary.diagram.clone()),
        ("plan", summary.plan.clone()),
        ("replay", summary.replay.to_owned()),
    ] {
        out.push_str(&format!("{label:<8} {line}\n"));
    }
    out
}
