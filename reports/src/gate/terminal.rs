//! The table of a gate in the terminal.

use super::{Gate, GatePlan, GateRun};
use crate::terminal::paint::Paint;
use crate::{format, names};
use checkers::Verdict;
use std::fmt::Write;

const FAILURES_MAX: usize = 20;

/// What is decided, a line for each scenario and system, failures with their stories, objectives and hooks.
pub fn summary(gate: &Gate, coloured: bool) -> String {
    let paint = Paint::new(coloured);
    let mut out = String::new();
    let word = gate.verdict.name().to_uppercase();
    let runs = format::counted(gate.runs.len() as u64, "runs");
    let took = format::duration_ms(gate.wall_ms);
    let _ = writeln!(
        out,
        "{}   {}: {runs} in {took}{}",
        paint.verdict(gate.verdict.coloured_as(), &word),
        names::clean(&gate.suite),
        under_test(gate)
    );
    for reason in &gate.reasons {
        let _ = writeln!(out, "  why  {}", names::clean_long(reason));
    }
    if !gate.random_seeds.is_empty() {
        let seeds: Vec<String> = gate.random_seeds.iter().map(u64::to_string).collect();
        let _ = writeln!(out, "  random seeds of this night (--night {}): {}", gate.night, names::list(&seeds, 10));
    }
    table(gate, &paint, &mut out);
    for failure in gate.failures.iter().take(FAILURES_MAX) {
        let _ = writeln!(
            out,
            "\n{}  {} on {}: {}, cheapest {}",
            paint.verdict(Verdict::Violation, &names::clean(&failure.fingerprint)),
            names::clean(&failure.scenario),
            names::clean(&failure.system),
            format::counted(failure.count, "seeds"),
            failure.cheapest_seed
        );
        let told = failure.story.as_deref().unwrap_or(&failure.says);
        for line in told.trim_end().lines() {
            let _ = writeln!(out, "  {}", names::clean_long(line));
        }
        let _ = writeln!(out, "  replay  {}", names::clean_long(&failure.replay));
    }
    endings(gate, &mut out);
    out
}

/// `   registry 2.1 (build/registry.jar)`.
fn under_test(gate: &Gate) -> String {
    let Some(build) = &gate.build else { return String::new() };
    let artefact = if build.artefact.is_empty() { String::new() } else { format!(" ({})", build.artefact) };
    names::clean_long(&format!("   {} {}{artefact}", build.name, build.version))
}

fn table(gate: &Gate, paint: &Paint, out: &mut String) {
    for (label, runs) in groups(&gate.runs) {
        let count = |verdict: Verdict| runs.iter().filter(|run| run.verdict == verdict).count() as u64;
        let worst = runs.iter().fold(Verdict::Pass, |worst, run| worst.merge(run.verdict));
        let mut parts = vec![format!("{} pass", format::count(count(Verdict::Pass)))];
        for (verdict, word) in
            [(Verdict::Violation, "violation"), (Verdict::Inconclusive, "inconclusive"), (Verdict::Error, "error")]
        {
            if count(verdict) > 0 {
                parts.push(format!("{} {word}", format::count(count(verdict))));
            }
        }
        let retried: u64 = runs.iter().map(|run| u64::from(run.retries)).sum();
        if retried > 0 {
            parts.push(format!("{} retried after an error of the harness", format::count(retried)));
        }
        let took = format::duration_ms(runs.iter().map(|run| run.wall_ms).sum());
        let word = format!("{:<12}", crate::story::verdict(worst));
        let _ = writeln!(out, "  {} {label:<44} {}   {took}", paint.verdict(worst, &word), parts.join(", "));
    }
}

/// Runs by scenario, system and planted bug, in the order of the suite.
pub(super) fn groups(runs: &[GateRun]) -> Vec<(String, Vec<&GateRun>)> {
    let mut groups: Vec<(String, Vec<&GateRun>)> = Vec::new();
    for run in runs {
        let bug = run.bug.as_ref().map(|bug| format!(", bug {bug}")).unwrap_or_default();
        let label = names::clean(&format!("{} on {}{bug}", run.scenario, run.system));
        match groups.iter_mut().find(|(known, _)| *known == label) {
            Some((_, runs)) => runs.push(run),
            None => groups.push((label, vec![run])),
        }
    }
    groups
}

fn endings(gate: &Gate, out: &mut String) {
    for objective in &gate.objectives {
        let word = match objective.met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "unknown",
        };
        let _ = writeln!(
            out,
            "  objective {word}: {}: {}",
            names::clean_long(&objective.asks),
            names::clean_long(&objective.says)
        );
    }
    for hook in &gate.hooks {
        let (word, took) = (if hook.ok { "done" } else { "failed" }, format::duration_ms(hook.wall_ms));
        let _ = writeln!(out, "  hook {} {word} in {took}: {}", hook.name, names::clean_long(&hook.says));
    }
    let _ = writeln!(out, "page  {}/index.html", names::clean_long(&gate.store));
}

/// What would run, for `--dry-run`.
pub fn plan(plan: &GatePlan) -> String {
    let mut out = String::new();
    let known = |ms: Option<u64>| ms.map_or("not known yet".to_owned(), format::duration_ms);
    let _ = writeln!(
        out,
        "{}: {}, expected {} of at most {} (--night {})",
        names::clean(&plan.suite),
        format::counted(plan.runs, "runs"),
        known(plan.expected_ms),
        format::duration_ms(plan.time_ms_max),
        plan.night
    );
    for entry in &plan.entries {
        let bug = entry.bug.as_ref().map(|bug| format!(", bug {bug}")).unwrap_or_default();
        let label = names::clean(&format!("{} on {}{bug}", entry.scenario, entry.system));
        let seeds: Vec<String> = entry.seeds.iter().map(u64::to_string).collect();
        let count = format::counted(seeds.len() as u64, "seeds");
        let _ = writeln!(out, "  {label:<44} {count}, {}: {}", known(entry.expected_ms), names::list(&seeds, 8));
    }
    out
}
