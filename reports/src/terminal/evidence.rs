//! The story of a violation: what was expected, what was shown, by whom, meanwhile, and the line that replays it.

use super::STORIES_MAX;
use super::paint::Paint;
use crate::digest::Digest;
use crate::facts::Run;
use crate::trail::{self, Origin};
use crate::{format, names, story};
use checkers::{CheckResult, Verdict, Violation};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many elements of a set are named.
const ELEMENTS_MAX: usize = 4;
/// How many publishers' trails are told.
const PUBLISHERS_MAX: usize = 3;
/// How many of the last steps of each.
const STEPS_MAX: usize = 4;
/// Width of the labels on the left.
const LABEL_WIDTH: usize = 12;

/// The first few violations in full, the most telling kinds first, in order of time.
pub(super) fn stories(run: &Run<'_>, digest: &Digest, paint: &Paint) -> String {
    let mut all = story::violations(run);
    all.sort_by_key(|(_, violation)| (story::rank(violation.kind), violation.time));
    // One of each checker before a second of any: more kinds of wrong tell more.
    let mut chosen: Vec<(&CheckResult, &Violation)> = Vec::new();
    for round in [true, false] {
        for (check, violation) in &all {
            let known = chosen.iter().any(|(c, _)| c.checker == check.checker);
            let told = chosen.iter().any(|(_, v)| std::ptr::eq(*v, *violation));
            if chosen.len() < STORIES_MAX && !told && known != round {
                chosen.push((check, violation));
            }
        }
    }
    let origins = trail::origins(run);
    let mut out = String::new();
    for (check, violation) in &chosen {
        out.push('\n');
        out.push_str(&one(run, digest, check, violation, &origins, paint));
    }
    if chosen.is_empty() {
        return out;
    }
    let more = story::violations_counted(run).saturating_sub(chosen.len() as u64);
    if more > 0 {
        let _ = writeln!(out, "\n... and {}", format::more(more, "violations"));
    }
    out.push('\n');
    for (label, line) in [("replay", &run.facts.replay), ("shrink", &run.facts.shrink)] {
        if let Some(line) = line {
            let _ = writeln!(out, "{label}  {}", paint.bold(&names::clean_long(line)));
        }
    }
    if let (Some(store), false) = (&run.facts.store, run.facts.node_logs.is_empty()) {
        let _ = writeln!(out, "nodes   {}", names::clean_long(&format!("{store}: {}", run.facts.node_logs.join(", "))));
    }
    out
}

fn one(
    run: &Run<'_>,
    digest: &Digest,
    check: &CheckResult,
    violation: &Violation,
    origins: &BTreeMap<String, Origin>,
    paint: &Paint,
) -> String {
    let header = run.header;
    let word = paint.verdict(Verdict::Violation, "VIOLATION");
    let mut out = format!("{word}  {}: {}\n", names::clean(&check.checker), story::kind(violation.kind));
    let mut line = |label: &str, text: &str| {
        let _ = writeln!(out, "  {label:<LABEL_WIDTH$} {text}");
    };
    let version = violation.version.map_or_else(String::new, |version| format!(" (version {version})"));
    line(
        "at",
        &format!(
            "{}  {} of {}{version}",
            format::instant(violation.time),
            story::observer(header, violation),
            names::data_id(header, violation.data)
        ),
    );
    line("wrong", &names::clean_long(&violation.sentence));
    line(
        "expected",
        &format!("{}, shown {}", story::addresses(&violation.expected), story::addresses(&violation.shown)),
    );
    for (label, list) in [("missing", &violation.missing), ("extra", &violation.extra)] {
        for (index, value) in list.iter().take(ELEMENTS_MAX).enumerate() {
            let origin = origins.get(value).map_or_else(|| "no publish of it in this history".to_owned(), Origin::text);
            line(if index == 0 { label } else { "" }, &format!("{} = {origin}", names::clean(value)));
        }
        if list.len() > ELEMENTS_MAX {
            line("", &format!("and {} more", format::count((list.len() - ELEMENTS_MAX) as u64)));
        }
    }
    line("explained", &names::clean_long(&violation.explained));
    let meanwhile: Vec<String> = violation
        .faults
        .iter()
        .map(|id| digest.fault(*id).map_or_else(|| format!("fault {id}"), |fault| fault.title_and_span(digest.end)))
        .collect();
    line("meanwhile", &if meanwhile.is_empty() { "no fault".to_owned() } else { meanwhile.join("; ") });
    let publishers = trail::publishers(violation);
    for publisher in publishers.iter().take(PUBLISHERS_MAX) {
        let label = format!("trail {}", publisher.name());
        let skipped = publisher.steps.len().saturating_sub(STEPS_MAX);
        let mut steps: Vec<String> =
            publisher.steps.iter().skip(skipped).map(|entry| trail::step(header, entry)).collect();
        if skipped > 0 {
            steps.insert(0, format!("{} before", format::counted(skipped as u64, "steps")));
        }
        steps.push("nothing since".to_owned());
        line(&label, &steps.join(", "));
    }
    if publishers.len() > PUBLISHERS_MAX {
        line("", &format!("and {}", format::more((publishers.len() - PUBLISHERS_MAX) as u64, "publishers")));
    }
    out
}
