//! The summary in the terminal. Short lines, numbers with units; colour only adds.

mod evidence;
pub(crate) mod paint;

use crate::digest::Digest;
use crate::facts::Run;
use crate::{faults, figures, format, names, story};
use checkers::{CheckResult, Verdict};
use paint::Paint;
use std::fmt::Write;

/// How many violations are told in full.
const STORIES_MAX: usize = 3;
/// Column in which the right half of a line begins.
const RIGHT_COLUMN: usize = 60;

/// What is about to be run, or was: two lines.
pub fn opening(run: &Run<'_>, coloured: bool) -> String {
    let paint = Paint::new(coloured);
    let header = run.header;
    let system = &header.system;
    let left = format!(
        "{} {}, {}, {}",
        names::clean(&system.name),
        names::clean(&system.version),
        format::counted(header.nodes.len() as u64, "nodes"),
        names::clean(&system.client)
    );
    let plan: String = run.plan_hash().chars().take(6).collect();
    let right = format!("seed {}   plan {}", header.seed, names::clean(&plan));
    let mut out = two_columns(&left, &left, &paint.dim(&right));
    let mut load = format!(
        "{}, {}, {} pinned",
        format::counted(u64::from(header.clients), "clients"),
        format::counted(header.data_ids.len() as u64, "dataIds"),
        format::count(header.pinned.len() as u64)
    );
    let drawn: Vec<String> =
        run.facts.drawn.iter().map(|(name, value)| format!("{} {}", names::clean(name), names::clean(value))).collect();
    if !drawn.is_empty() {
        let _ = write!(load, "; drawn: {}", drawn.join("; "));
    }
    let _ = writeln!(out, "{load}");
    if let Some(bug) = &header.bug {
        let _ = writeln!(out, "planted bug: {}", names::clean(bug));
    }
    out
}

/// Verdict, checks, faults and evidence.
pub fn summary(run: &Run<'_>, coloured: bool) -> String {
    let paint = Paint::new(coloured);
    let digest = Digest::of(run);
    let mut out = headline(run, &paint);
    if matches!(run.report.verdict, Verdict::Inconclusive | Verdict::Error) {
        for reason in story::reasons(run) {
            let _ = writeln!(out, "  why           {reason}");
        }
    }
    let name_width =
        run.report.checks.iter().map(|check| names::clean(&check.checker).chars().count()).max().unwrap_or(0);
    let judged: Vec<String> =
        run.report.checks.iter().map(|check| format::counted(check.checked, &names::clean(&check.unit))).collect();
    let judged_width = judged.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    for (check, judged) in run.report.checks.iter().zip(&judged) {
        let name = names::clean(&check.checker);
        let rest = check_line(run, &digest, check, &paint);
        let _ = writeln!(out, "  {name:<name_width$}   {judged:<judged_width$}   {rest}");
    }
    let _ = writeln!(out, "{}", faults_line(&digest));
    out.push_str(&suspect_line(run));
    out.push_str(&evidence::stories(run, &digest, &paint));
    if let Some(store) = &run.facts.store {
        let _ = writeln!(out, "report  {}/report.html", names::clean_long(store));
    }
    out
}

/// `PASS   in 1 min 21 s                runs/...`.
fn headline(run: &Run<'_>, paint: &Paint) -> String {
    let verdict = run.report.verdict;
    let word = story::verdict(verdict).to_uppercase();
    let mut left = word.clone();
    if let Some(wall_ms) = run.facts.wall_ms {
        let _ = write!(left, "   in {}", format::duration_ms(wall_ms));
    }
    let painted = left.replacen(&word, &paint.verdict(verdict, &word), 1);
    let right = run.facts.store.as_deref().or(run.facts.run.as_deref()).map(names::clean_long);
    match right {
        None => format!("{painted}\n"),
        Some(right) => two_columns(&left, &painted, &right),
    }
}

fn two_columns(plain: &str, painted: &str, right: &str) -> String {
    let gap = RIGHT_COLUMN.saturating_sub(plain.chars().count()).max(3);
    format!("{painted}{}{right}\n", " ".repeat(gap))
}

/// What a checker found, in one line.
fn check_line(run: &Run<'_>, digest: &Digest, check: &CheckResult, paint: &Paint) -> String {
    let mut parts = Vec::new();
    if check.checker == "convergence"
        && let Some(convergence) = run.report.convergence.as_ref().filter(|convergence| convergence.all.count > 0)
    {
        let all = &convergence.all;
        let contract = &run.header.contract;
        parts.push(format!("p50 {}", format::duration(all.p50)));
        parts.push(format!("p99 {}", format::duration(all.p99)));
        parts.push(format!("max {} ({})", format::duration(all.max), story::worst(convergence, digest)));
        parts.push(format!(
            "bound {} in calm, {} after faults",
            format::duration_ms(contract.visible_ms_max),
            format::duration_ms(contract.recovered_ms_max)
        ));
    }
    match check.verdict {
        Verdict::Violation => {
            parts.push(paint.verdict(Verdict::Violation, &format::counted(check.violations, "violations")));
        }
        Verdict::Pass if check.checker != "convergence" => parts.push(clean_words(run, &check.checker)),
        Verdict::Pass => {}
        Verdict::Inconclusive | Verdict::Error => {
            // Where the whole run has this verdict, the reasons stand above.
            let known = run.report.verdict == check.verdict;
            let reason = check.reason.as_deref().filter(|_| !known).map(names::clean_long);
            let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            parts.push(format!("{}{reason}", paint.verdict(check.verdict, story::verdict(check.verdict))));
        }
    }
    if let Some(judged) = figures::judged_permille(check).filter(|judged| *judged < 1_000) {
        parts.push(paint.dim(&format!("judged {}", format::permille(judged))));
    }
    parts.join("   ")
}

/// What it means that a checker found nothing.
fn clean_words(run: &Run<'_>, checker: &str) -> String {
    match (checker, run.header.pinned.len() as u64) {
        ("completeness", 0) => "none missing".to_owned(),
        ("completeness", pinned) => format!("none missing, {} among them", format::counted(pinned, "pinned clients")),
        ("order", _) => "never back".to_owned(),
        _ => "none".to_owned(),
    }
}

/// Which node clients blame, if any; nothing otherwise.
fn suspect_line(run: &Run<'_>) -> String {
    let Some(suspect) = &run.report.suspect else { return String::new() };
    format!(
        "suspect: {} (confidence {:.2}) {}: {}\n",
        names::clean(&suspect.node),
        suspect.confidence,
        story::stretch(suspect),
        names::clean_long(&suspect.reasoning)
    )
}

fn faults_line(digest: &Digest) -> String {
    if digest.faults.is_empty() {
        return "faults: none".to_owned();
    }
    format!("faults that bit: {}", faults::bitten_text(&digest.faults))
}
