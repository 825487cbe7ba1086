//! JUnit's XML, as CI systems read it: a suite for each scenario and system, a case for each seed.

use super::terminal::groups;
use super::{Gate, GateRun};
use crate::names;
use checkers::Verdict;
use std::fmt::Write;

/// The whole document. Inconclusive runs are errors there: a CI system must not take them for a pass.
pub fn document(gate: &Gate) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let count = |verdicts: &[Verdict]| gate.runs.iter().filter(|run| verdicts.contains(&run.verdict)).count();
    let missed = gate.objectives.iter().filter(|objective| objective.met == Some(false)).count();
    let unknown = gate.objectives.iter().filter(|objective| objective.met.is_none()).count();
    let _ = writeln!(
        out,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">",
        escaped(&gate.suite),
        gate.runs.len() + gate.objectives.len(),
        count(&[Verdict::Violation]) + missed,
        count(&[Verdict::Error, Verdict::Inconclusive]) + unknown,
        seconds(gate.wall_ms)
    );
    for (name, runs) in groups(&gate.runs) {
        suite(gate, &name, &runs, &mut out);
    }
    if !gate.objectives.is_empty() {
        objectives(gate, missed, unknown, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(gate: &Gate, name: &str, runs: &[&GateRun], out: &mut String) {
    let count = |verdicts: &[Verdict]| runs.iter().filter(|run| verdicts.contains(&run.verdict)).count();
    let (failures, errors) = (count(&[Verdict::Violation]), count(&[Verdict::Error, Verdict::Inconclusive]));
    let time = seconds(runs.iter().map(|run| run.wall_ms).sum());
    open_suite(out, name, runs.len(), failures, errors, &time);
    out.push_str("    <properties>\n");
    let build = gate.build.clone().unwrap_or_default();
    for (key, value) in [
        ("program", &gate.program),
        ("build", &build.name),
        ("version", &build.version),
        ("artefact", &build.artefact),
        ("night", &gate.night.to_string()),
    ] {
        if !value.is_empty() {
            let _ = writeln!(out, "      <property name=\"{key}\" value=\"{}\"/>", escaped(value));
        }
    }
    out.push_str("    </properties>\n");
    for run in runs {
        case(name, run, out);
    }
    out.push_str("  </testsuite>\n");
}

fn open_suite(out: &mut String, name: &str, tests: usize, failures: usize, errors: usize, time: &str) {
    let name = escaped(name);
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\" time=\"{time}\">"
    );
}

fn case(suite: &str, run: &GateRun, out: &mut String) {
    let _ = write!(
        out,
        "    <testcase name=\"seed {}\" classname=\"{}\" time=\"{}\"",
        run.seed,
        escaped(suite),
        seconds(run.wall_ms)
    );
    let (tag, kind) = match run.verdict {
        Verdict::Pass => {
            out.push_str("/>\n");
            return;
        }
        Verdict::Violation => ("failure", run.fingerprint.as_deref().unwrap_or("violation")),
        Verdict::Inconclusive => ("error", "inconclusive"),
        Verdict::Error => ("error", "error"),
    };
    let says = escaped(&run.says);
    let _ = writeln!(
        out,
        ">\n      <{tag} message=\"{says}\" type=\"{}\">{says}\nreplay: {}</{tag}>\n    </testcase>",
        escaped(kind),
        escaped(&run.replay)
    );
}

fn objectives(gate: &Gate, missed: usize, unknown: usize, out: &mut String) {
    open_suite(out, "objectives", gate.objectives.len(), missed, unknown, "0.000");
    for objective in &gate.objectives {
        let _ =
            write!(out, "    <testcase name=\"{}\" classname=\"objectives\" time=\"0.000\"", escaped(&objective.asks));
        let says = escaped(&objective.says);
        match objective.met {
            Some(true) => out.push_str("/>\n"),
            Some(false) => {
                let _ = writeln!(out, ">\n      <failure message=\"{says}\" type=\"missed\"/>\n    </testcase>");
            }
            None => {
                let _ = writeln!(out, ">\n      <error message=\"{says}\" type=\"unknown\"/>\n    </testcase>");
            }
        }
    }
    out.push_str("  </testsuite>\n");
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// For attributes and text. Characters that XML cannot carry are gone: `clean_long` shows controls as signs.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in names::clean_long(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c < ' ' && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
