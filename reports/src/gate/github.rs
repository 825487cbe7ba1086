//! What GitHub Actions shows: annotations on the run, and the step's summary in Markdown.

use super::Gate;
use super::terminal::groups;
use crate::{format, names};
use checkers::Verdict;
use std::fmt::Write;

const ANNOTATIONS_MAX: usize = 10;

/// Workflow commands, one a line: an error for each kind of failure, each missed objective and each reason.
pub fn annotations(gate: &Gate) -> String {
    let mut lines: Vec<(&str, String, String)> = Vec::new();
    for failure in &gate.failures {
        let title = format!("{} in {}", failure.fingerprint, failure.scenario);
        let story = failure.story.as_deref().unwrap_or(&failure.says);
        lines.push(("error", title, format!("{story}\n{}", failure.replay)));
    }
    for objective in gate.objectives.iter().filter(|objective| objective.met != Some(true)) {
        lines.push(("error", "objective".to_owned(), format!("{}: {}", objective.asks, objective.says)));
    }
    for reason in &gate.reasons {
        lines.push(("error", gate.suite.clone(), reason.clone()));
    }
    let mut out = String::new();
    for (level, title, message) in lines.iter().take(ANNOTATIONS_MAX) {
        let _ = writeln!(out, "::{level} title={}::{}", property(title), data(message));
    }
    if out.is_empty() {
        let _ = writeln!(out, "::notice title={}::{}", property(&gate.suite), data("pass"));
    }
    out
}

/// Markdown for the step's summary.
pub fn step_summary(gate: &Gate) -> String {
    let mut out = format!("## {}: {}\n\n", markdown(&gate.suite), gate.verdict.name());
    if let Some(build) = &gate.build {
        let _ = writeln!(out, "{} {} {}\n", markdown(&build.name), markdown(&build.version), markdown(&build.artefact));
    }
    out.push_str("| | pass | violation | inconclusive | error |\n|---|---|---|---|---|\n");
    for (label, runs) in groups(&gate.runs) {
        let count = |verdict: Verdict| format::count(runs.iter().filter(|run| run.verdict == verdict).count() as u64);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            markdown(&label),
            count(Verdict::Pass),
            count(Verdict::Violation),
            count(Verdict::Inconclusive),
            count(Verdict::Error)
        );
    }
    for failure in &gate.failures {
        let _ = writeln!(out, "\n### {} in {}\n", markdown(&failure.fingerprint), markdown(&failure.scenario));
        let story = failure.story.as_deref().unwrap_or(&failure.says);
        // Indented code: nothing in it is Markdown.
        for line in story.trim_end().lines().chain(["", &failure.replay]) {
            let _ = writeln!(out, "    {}", names::clean_long(line));
        }
    }
    for objective in gate.objectives.iter().filter(|objective| objective.met != Some(true)) {
        let _ = writeln!(out, "\n- objective: {}: {}", markdown(&objective.asks), markdown(&objective.says));
    }
    for reason in &gate.reasons {
        let _ = writeln!(out, "\n- {}", markdown(reason));
    }
    out
}

/// The message of a workflow command.
fn data(text: &str) -> String {
    text.trim_end().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn markdown(text: &str) -> String {
    let mut out = String::new();
    for c in names::clean_long(text).chars() {
        match c {
            '\n' => out.push(' '),
            '<' => out.push_str("&lt;"),
            c if "\\`*_[]|#".contains(c) => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
