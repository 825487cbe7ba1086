//! The summary in the terminal, and contradictions in words.

use super::summary::{CheckSummary, Example, FileSummary};
use crate::{format, names};
use checkers::Verdict;
use checkers::linearizability::{Explanation, Path};
use std::fmt::Write;

/// How many contradictions of a file are told.
const EXAMPLES_MAX: usize = 3;
/// How many operations of a part are listed.
const OPERATIONS_MAX: usize = 24;

/// Every file, and what is wrong with it.
pub fn text(summary: &CheckSummary) -> String {
    let mut out = String::new();
    for file in &summary.files {
        head(&mut out, file);
        for example in file.examples.iter().take(EXAMPLES_MAX) {
            tell(&mut out, example);
        }
        let all: u64 = file.anomalies.values().sum();
        if all > EXAMPLES_MAX as u64 {
            let _ = writeln!(out, "  and {} more", format::count(all - EXAMPLES_MAX as u64));
        }
    }
    if summary.files.len() > 1 {
        let of = |verdict: Verdict| summary.files.iter().filter(|file| file.verdict == verdict).count();
        let (pass, bad) = (of(Verdict::Pass), of(Verdict::Violation));
        let rest = summary.files.len() - pass - bad;
        let _ = writeln!(out, "{} files: {pass} pass, {bad} violation, {rest} neither", summary.files.len());
    }
    out
}

pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Violation => "VIOLATION",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Error => "ERROR",
    }
}

fn head(out: &mut String, file: &FileSummary) {
    let algorithm = if file.algorithm.is_empty() { String::new() } else { format!(", {}", file.algorithm) };
    let _ = writeln!(
        out,
        "{:12}  {}   {}, {}{algorithm}, {} ms",
        word(file.verdict),
        names::clean(&file.file),
        file.model,
        format::counted(file.operations, "operations"),
        file.wall_ms
    );
    if let Some(reason) = &file.reason {
        let reached = file.reached.map_or(String::new(), |reached| {
            format!("; {} of its operations had been decided", format::count(reached))
        });
        let _ = writeln!(out, "  why           {}{reached}", names::clean(reason));
    }
    if !file.not.is_empty() {
        let _ = writeln!(out, "  not           {}", file.not.join(", "));
    }
    if let Some(model) = file.consistency_model {
        models(out, file, model);
    }
}

/// What transactions were to obey, and how often they did not.
fn models(out: &mut String, file: &FileSummary, model: &str) {
    let _ = writeln!(out, "  asked for     {model}");
    if !file.weakest.is_empty() {
        let _ = writeln!(out, "  weakest not   {}", file.weakest.join(", "));
        let _ = writeln!(out, "  may hold      {}", file.may_hold.join(", "));
    }
    let counts: Vec<String> = file.anomalies.iter().map(|(name, count)| format!("{name} {count}")).collect();
    if !counts.is_empty() {
        let _ = writeln!(out, "  anomalies     {}", counts.join(", "));
    }
}

fn tell(out: &mut String, example: &Example) {
    let key = example.key.as_ref().map_or(String::new(), |key| format!("key {}: ", names::clean(key)));
    let _ = writeln!(out, "  {}: {key}{}", example.anomaly, names::clean(&example.sentence));
    for txn in example.cycle.iter().flat_map(|cycle| &cycle.transactions) {
        let who = txn.process.map_or(String::new(), |process| format!("process {process}  "));
        let until = txn.complete.map_or("...".to_owned(), |place| place.to_string());
        let text = names::clean(&txn.text);
        let _ = writeln!(out, "    {}  {who}{text}   [{} to {until}]", txn.name, txn.invoke);
    }
    for step in example.cycle.iter().flat_map(|cycle| &cycle.steps) {
        let _ = writeln!(out, "    {}", names::clean(&step.sentence));
    }
    let Some(explanation) = &example.explanation else { return };
    for line in in_words(explanation) {
        let _ = writeln!(out, "    {line}");
    }
}

/// What is said of a part of which nothing can be left out.
pub(super) const MINIMAL: &str =
    "none of them can be left out: without any one, and what leans on it, there is an order";

/// A contradiction in lines.
pub(super) fn in_words(explanation: &Explanation) -> Vec<String> {
    let mut lines = Vec::new();
    let count = explanation.operations.len() as u64;
    if !explanation.starts.is_empty() {
        lines.push(format!(
            "{}, that contradict each other {}:",
            format::counted(count, "operations"),
            beginning(explanation)
        ));
    }
    for (number, op) in explanation.operations.iter().enumerate().take(OPERATIONS_MAX) {
        let who = op.process.map_or(String::new(), |process| format!("process {process}  "));
        let until = op.complete.map_or("...".to_owned(), |place| place.to_string());
        let mark = if number == explanation.stuck { "  <- no order reaches it" } else { "" };
        lines.push(format!("  {who}{}   [{} to {until}]{mark}", names::clean(&op.text), op.invoke));
    }
    if explanation.operations.len() > OPERATIONS_MAX {
        lines.push(format!("  and {} more", explanation.operations.len() - OPERATIONS_MAX));
    }
    if explanation.minimal && count > 1 {
        lines.push(MINIMAL.to_owned());
    }
    lines.extend(explanation.paths.iter().map(|path| way(explanation, path)));
    lines
}

/// How many operations contradict each other, in words.
pub(super) fn contradiction(count: u64) -> String {
    match count {
        1 => "1 operation that cannot be".to_owned(),
        _ => format!("{} that contradict each other", format::counted(count, "operations")),
    }
}

/// What the object held at first, in words.
pub(super) fn beginning(explanation: &Explanation) -> String {
    let starts: Vec<String> = explanation.starts.iter().map(|start| names::clean(start)).collect();
    match (explanation.from_beginning, starts.as_slice()) {
        (true, [one]) => format!("(it begins with {one})"),
        (_, [one]) => format!("(before them it can only be {one})"),
        (_, many) => format!("(before them it can be {})", many.join(" or ")),
    }
}

/// One of the longest orders, in a sentence.
pub(super) fn way(explanation: &Explanation, path: &Path) -> String {
    let text = |index: usize| explanation.operations.get(index).map_or(String::new(), |op| names::clean(&op.text));
    let steps = path.order.iter().zip(&path.states);
    let steps: Vec<String> =
        steps.map(|(index, state)| format!("{} -> {}", text(*index), names::clean(state))).collect();
    let last = names::clean(path.states.last().unwrap_or(&path.start));
    let begin = format!("from {}", names::clean(&path.start));
    let order = if steps.is_empty() { "nothing can go first".to_owned() } else { steps.join(", ") };
    format!("longest order {begin}: {order}; then `{}` has to follow, and cannot: it is {last}", text(path.stuck))
}
