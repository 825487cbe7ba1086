//! The tale of a shrunk plan: what happened in plain words, and a space-time diagram of who said what to whom.

use ::systems::trial::{Outcome, TrialPlan, node_of};
use checkers::Finding;
use history::Nanos;
use history::calls::{Call, Ended, Value, render};
use reports::Tale;
use reports::tale::{Arrow, Bar, Diagram, Lane, Line, Mark, MarkKind};
use std::collections::BTreeSet;

/// More messages are not drawn.
const ARROWS_MAX: usize = 70;

/// Tells a run that was traced, up to what is wrong with it.
pub fn tell(plan: &TrialPlan, outcome: &Outcome, finding: &Finding) -> Tale {
    let end = finding.at.unwrap_or(Nanos::MAX);
    let mut lines = Vec::new();
    for fault in plan.faults.iter().filter(|fault| fault.at <= end) {
        lines.push((fault.at, 0, fault.to_string()));
    }
    for note in outcome.notes.iter().filter(|note| note.at <= end) {
        lines.push((note.at, 1, format!("{} {}", note.node, note.says)));
    }
    for call in &outcome.calls.calls {
        let (begins, ends) = words(outcome, call);
        lines.push((call.start_ns.max(0) as Nanos, 3, begins));
        if let (Some(ends), Ok(at)) = (ends, Nanos::try_from(call.end_ns)) {
            lines.push((at, 2, ends));
        }
    }
    lines.retain(|(at, _, _)| *at <= end);
    lines.sort();
    let mut lines: Vec<Line> = lines.into_iter().map(|(time, _, text)| Line { time, text, wrong: false }).collect();
    if let Some(last) = lines.last_mut()
        && finding.at.is_some()
    {
        last.wrong = true;
    }
    let count = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    Tale {
        headline: format!(
            "{}, with {} and {}",
            finding.kind,
            count(plan.operations.len(), "operation"),
            count(plan.faults.len(), "fault")
        ),
        lines,
        outcome: finding.sentence.clone(),
        diagram: diagram(plan, outcome, finding, end),
    }
}

/// How a call begins, and how it ends.
fn words(outcome: &Outcome, call: &Call) -> (String, Option<String>) {
    let symbols = &outcome.calls.symbols;
    let who = &outcome.nodes[node_of(call.process) as usize];
    let key = call.key.as_ref().map_or(String::new(), |key| format!(" k{}", render(key, symbols)));
    let value = |value: &Value| match value {
        Value::Nil => "nothing".to_owned(),
        value => render(value, symbols),
    };
    let what = match (outcome.calls.f(call), &call.input) {
        ("write", Value::Nil) => format!("delete{key}"),
        (f, Value::Nil) => format!("{f}{key}"),
        (f, input) => format!("{f}{key} = {}", value(input)),
    };
    // Only reads come to something to see.
    let changes = matches!(call.input, Value::Int(_)) || (call.output == Value::Nil && outcome.calls.f(call) != "read");
    let ends = match call.ended {
        Ended::Ok if changes => format!("{who}: {what} is done"),
        Ended::Ok => format!("{who}: {what} sees {}", value(&call.output)),
        Ended::Fail => format!("{who}: {what} is refused"),
        Ended::Info => format!("{who} gives up {what}: nobody knows what became of it"),
    };
    (format!("{who} begins to {what}"), (call.end_ns >= 0).then_some(ends))
}

fn diagram(plan: &TrialPlan, outcome: &Outcome, finding: &Finding, end: Nanos) -> Diagram {
    let told: Vec<_> =
        outcome.messages.iter().filter(|m| !m.says.is_empty() && m.sent <= end && m.from != m.to).collect();
    // Of a long story the end matters.
    let told = &told[told.len().saturating_sub(ARROWS_MAX)..];
    let mut names: BTreeSet<&str> = told.iter().flat_map(|m| [m.from.as_str(), m.to.as_str()]).collect();
    names.extend(plan.faults.iter().map(|fault| fault.what.node()));
    let culprit = finding.node.and_then(|node| outcome.nodes.get(node as usize)).map(String::as_str);
    names.extend(culprit);
    let is_client = |name: &str| name.starts_with("client-");
    let mut cast: Vec<&str> = outcome.nodes.iter().map(String::as_str).filter(|name| names.contains(name)).collect();
    cast.sort_by_key(|name| !is_client(name));
    let lane = |name: &str| cast.iter().position(|known| *known == name);
    let lanes = cast.iter().map(|name| Lane { name: (*name).to_owned(), client: is_client(name) }).collect();
    let mut diagram = Diagram { lanes, ..Diagram::default() };
    for message in told {
        if let (Some(from), Some(to)) = (lane(&message.from), lane(&message.to)) {
            let arrives = message.arrives;
            diagram.arrows.push(Arrow { from, to, sent: message.sent, arrives, label: message.says.clone() });
        }
    }
    for fault in plan.faults.iter().filter(|fault| fault.at <= end) {
        let Some(lane) = lane(fault.what.node()) else { continue };
        let until = fault.lasts.map(|lasts| fault.at.saturating_add(lasts)).filter(|until| *until <= end);
        let mark = |time, kind, label: String| Mark { lane, time, kind, label };
        diagram.marks.push(mark(fault.at, MarkKind::Fault, fault.what.to_string()));
        diagram.marks.extend(until.map(|until| mark(until, MarkKind::Lifted, "over".to_owned())));
        let down = matches!(fault.what, ::systems::trial::Wrong::Kill { .. });
        diagram.bars.push(Bar { lane, from: fault.at, until, down });
    }
    if let (Some(time), Some(lane)) = (finding.at, culprit.and_then(lane)) {
        let label = finding.sentence.clone();
        diagram.marks.push(Mark { lane, time, kind: MarkKind::Violation, label });
    }
    diagram
}
