//! A queue: first in, first out.

use crate::linearizability::fifo;
use crate::linearizability::model::{Model, Role};
use crate::linearizability::problem::Problem;
use crate::linearizability::quick::Quick;
use crate::linearizability::vocabulary::{Vocabulary, strange};
use crate::linearizability::words::Words;
use history::calls::{Call, Ended};

/// The queue; empty at first.
#[derive(Clone, Copy, Debug)]
pub struct Queue;

/// What is done to a container of values; values are numbers of [`Words`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A value goes in.
    Put(u32),
    /// A value comes out.
    Take(u32),
    /// There was nothing to come out.
    Empty,
    /// Something may have come out, nobody knows what.
    TakeUnknown,
}

impl Action {
    /// The value that it is about.
    pub fn value(self) -> Option<u32> {
        match self {
            Action::Put(value) | Action::Take(value) => Some(value),
            Action::Empty | Action::TakeUnknown => None,
        }
    }

    pub(super) fn role(self) -> Role {
        match self {
            Action::Empty => Role::Observation,
            Action::Put(_) | Action::TakeUnknown => Role::Always,
            Action::Take(_) => Role::Change,
        }
    }

    /// All operations of a value stay or go together; an empty container stays empty if they go.
    pub(super) fn leans_on(self, other: Action) -> bool {
        match (self.value(), other.value()) {
            (Some(mine), Some(other)) => mine == other,
            _ => other == Action::TakeUnknown,
        }
    }

    /// For people.
    pub(super) fn show(self, put: &str, take: &str) -> String {
        match self {
            Action::Put(value) => format!("{put} \u{1}{value}\u{2}"),
            Action::Take(value) => format!("{take} \u{1}{value}\u{2}"),
            Action::Empty => format!("{take}: empty"),
            Action::TakeUnknown => take.to_owned(),
        }
    }

    /// Reads a call of a queue or a stack.
    pub(super) fn of(
        call: &Call,
        words: &mut Words<'_>,
        names: (&[&str], &[&str]),
        model: &str,
    ) -> Result<Option<Action>, String> {
        let f = words.f(call);
        if names.0.contains(&f) {
            return Ok((call.ended != Ended::Fail).then(|| Action::Put(words.number(&call.input))));
        }
        if !names.1.contains(&f) {
            return strange(model, call, words);
        }
        Ok(match call.ended {
            Ended::Fail => None,
            Ended::Info => Some(Action::TakeUnknown),
            Ended::Ok if call.output.is_nil() => Some(Action::Empty),
            Ended::Ok => Some(Action::Take(words.number(&call.output))),
        })
    }
}

/// For operations of unknown outcome in containers: a put matters until the last take of its value, or else the last take of all
/// where some took nobody knows what.
pub(super) fn last_uses(problem: &Problem<Action>) -> Vec<Option<u32>> {
    let mut taken = rustc_hash::FxHashMap::<u32, u32>::default();
    for op in problem.ops.iter().filter(|op| !op.unknown()) {
        if let Action::Take(value) = problem.action(op) {
            let last = taken.entry(*value).or_default();
            *last = op.ret.max(*last);
        }
    }
    let last = problem.last_return();
    let until = |action: &Action| match action {
        Action::Put(value) => taken.get(value).copied(),
        _ => last,
    };
    problem.ops.iter().map(|op| if op.unknown() { until(problem.action(op)) } else { None }).collect()
}

/// A state for people.
pub(super) fn show_values(values: &[u32]) -> String {
    if values.is_empty() {
        return "empty".into();
    }
    values.iter().map(|value| format!("\u{1}{value}\u{2}")).collect::<Vec<_>>().join(", ")
}

impl Model for Queue {
    type Action = Action;
    /// From the oldest on.
    type State = Vec<u32>;

    fn initial(&self) -> Vec<u32> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u32>, action: &Action) -> Option<Vec<u32>> {
        match *action {
            Action::Put(value) => Some([state.as_slice(), &[value]].concat()),
            Action::Take(value) => (state.first() == Some(&value)).then(|| state[1..].to_vec()),
            Action::Empty => state.is_empty().then(Vec::new),
            Action::TakeUnknown => Some(state.get(1..).unwrap_or_default().to_vec()),
        }
    }

    fn role(&self, action: &Action) -> Role {
        action.role()
    }

    fn last_uses(&self, problem: &Problem<Action>) -> Vec<Option<u32>> {
        last_uses(problem)
    }

    fn leans_on(&self, action: &Action, other: &Action) -> bool {
        action.leans_on(*other)
    }

    fn decide(&self, problem: &Problem<Action>) -> Option<Quick> {
        fifo::decide(problem)
    }

    fn heap_bytes(&self, state: &Vec<u32>) -> usize {
        state.capacity() * 4
    }

    fn show_action(&self, action: &Action) -> String {
        action.show("enqueue", "dequeue")
    }

    fn show_state(&self, state: &Vec<u32>) -> String {
        show_values(state)
    }
}

/// Names of putting into and taking out of queues.
pub(super) const NAMES: (&[&str], &[&str]) =
    (&["enqueue", "enq", "put", "offer", "push"], &["dequeue", "deq", "take", "poll", "pop"]);

impl Vocabulary for Queue {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        Action::of(call, words, NAMES, "fifo-queue")
    }
}
