//! The tale of a small run: what happened in plain words, and a space-time diagram, up to its earliest violation.
//!
//! Made from the history, from what the checkers said and from the messages between the nodes, which only a simulated run
//! has. Meant for shrunk runs: of a run with hundreds of operations nobody wants to hear everything.

mod cast;
mod diagram;
mod lines;
mod messages;

pub use diagram::{Arrow, Bar, Diagram, Lane, Mark, MarkKind};

use crate::facts::Run;
use crate::{format, names, story};
use cast::Cast;
use history::Nanos;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A message between two nodes, or a client and a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it was sent.
    pub sent: Nanos,
    /// When it arrives; none if a fault swallowed it.
    pub arrives: Option<Nanos>,
    /// Name of the node that sent it, or `client-N`.
    pub from: String,
    /// Name of the node that it goes to, or `client-N`.
    pub to: String,
    /// What it says: `op 3: publish d1 10.0.0.3:9003#4 (c2@1)`.
    pub says: String,
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tale {
    /// What it is about: `incomplete push, from 1,388 operations and 9 faults down to 3 and 1`.
    pub headline: String,
    /// What happened, in order.
    pub lines: Vec<Line>,
    /// What should have been: `expected {a, b}, shown {a}`.
    pub outcome: String,
    /// The same as a drawing.
    pub diagram: Diagram,
}

/// One thing that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub time: Nanos,
    /// What.
    pub text: String,
    /// True for the violation itself.
    pub wrong: bool,
}

/// Tells a run; none if it has no violation, or if its history is not in memory. `how` says how the run came about, after the kind of violation.
pub fn tell(run: &Run<'_>, messages: &[Message], how: &str) -> Option<Tale> {
    let cast = Cast::of(run)?;
    let chosen = messages::choose(&cast, messages);
    let violation = cast.violation;
    Some(Tale {
        headline: format!("{}, {how}", story::kind(violation.kind)),
        lines: lines::all(&cast, &chosen),
        outcome: outcome(&cast),
        diagram: diagram::of(&cast, &chosen),
    })
}

/// `expected {10.0.0.3:9000#4}, shown nothing`.
fn outcome(cast: &Cast<'_>) -> String {
    let violation = cast.violation;
    if violation.snapshot.is_none() {
        return format!("nothing of {} was ever shown", names::data_id(cast.run.header, violation.data));
    }
    format!("expected {}, shown {}", set(&violation.expected), set(&violation.shown))
}

/// `{a, b and 3 more}`, or `nothing`.
fn set<T: AsRef<str>>(values: &[T]) -> String {
    const NAMED_MAX: usize = 4;
    if values.is_empty() {
        return "nothing".to_owned();
    }
    let shown: Vec<String> = values.iter().map(|value| names::clean(value.as_ref())).collect();
    format!("{{{}}}", names::list(&shown, NAMED_MAX))
}

/// As plain text: a headline, a line for each thing that happened, and what should have been.
pub fn text(tale: &Tale) -> String {
    let mut out = format!("{}\n", tale.headline);
    for line in &tale.lines {
        let mark = if line.wrong { "   <- violation" } else { "" };
        let _ = writeln!(out, "  {:>9}  {}{mark}", format::instant(line.time), line.text);
    }
    let _ = writeln!(out, "{}", tale.outcome);
    out
}
