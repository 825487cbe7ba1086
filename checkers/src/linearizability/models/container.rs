//! Containers of values: a queue (first in, first out), a stack (last in, first out), a queue without order.

use crate::linearizability::fifo;
use crate::linearizability::model::{Model, Role};
use crate::linearizability::problem::Problem;
use crate::linearizability::quick::Quick;
use crate::linearizability::vocabulary::{Vocabulary, strange};
use crate::linearizability::words::Words;
use history::calls::{Call, Ended};

/// Which value comes out next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The one that has been in it longest: a queue.
    First,
    /// The one that went in last: a stack.
    Last,
    /// Any: an unordered queue.
    Any,
}

/// A container of values; empty at first.
#[derive(Clone, Copy, Debug)]
pub struct Container {
    /// Which value comes out next.
    pub order: Order,
}

/// What is done to it; values are numbers of [`Words`].
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
}

impl Container {
    /// Where the next value stands; none if the container is empty or, in the order, `value` is not the next.
    fn next(self, state: &[u32], value: Option<u32>) -> Option<usize> {
        let at = match (self.order, value) {
            (Order::Any, Some(value)) => state.binary_search(&value).ok()?,
            (Order::Last, _) => state.len().checked_sub(1)?,
            // A take of unknown outcome from an unordered queue matters only just before somebody finds it empty, when
            // all has to be gone; so it makes no difference which value goes first.
            (Order::First | Order::Any, _) => 0,
        };
        let found = *state.get(at)?;
        value.is_none_or(|value| value == found).then_some(at)
    }

    /// Putting into it and taking out of it, for people.
    fn verbs(self) -> (&'static str, &'static str) {
        if self.order == Order::Last { ("push", "pop") } else { ("enqueue", "dequeue") }
    }
}

impl Model for Container {
    type Action = Action;
    /// A queue from the oldest on, a stack from the bottom up, an unordered queue sorted.
    type State = Vec<u32>;

    fn initial(&self) -> Vec<u32> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u32>, action: &Action) -> Option<Vec<u32>> {
        let without = |at: usize| [&state[..at], &state[at + 1..]].concat();
        match *action {
            Action::Put(value) => {
                let at = match self.order {
                    Order::First | Order::Last => state.len(),
                    Order::Any => state.partition_point(|other| *other < value),
                };
                Some([&state[..at], &[value], &state[at..]].concat())
            }
            Action::Take(value) => self.next(state, Some(value)).map(without),
            Action::Empty => state.is_empty().then(Vec::new),
            Action::TakeUnknown => Some(self.next(state, None).map_or(Vec::new(), without)),
        }
    }

    fn role(&self, action: &Action) -> Role {
        match action {
            Action::Empty => Role::Observation,
            Action::Put(_) | Action::TakeUnknown => Role::Always,
            Action::Take(_) => Role::Change,
        }
    }

    fn part(&self, action: &Action) -> Option<u32> {
        if self.order == Order::Any { action.value() } else { None }
    }

    /// A put matters until the last take of its value, or else the last take of all where some took nobody knows what.
    fn last_uses(&self, problem: &Problem<Action>) -> Vec<Option<u32>> {
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

    /// All operations of a value stay or go together; an empty container stays empty if they go.
    fn leans_on(&self, action: &Action, other: &Action) -> bool {
        match (action.value(), other.value()) {
            (Some(mine), Some(other)) => mine == other,
            _ => *other == Action::TakeUnknown,
        }
    }

    fn decide(&self, problem: &Problem<Action>) -> Option<Quick> {
        if self.order == Order::First { fifo::decide(problem) } else { None }
    }

    fn heap_bytes(&self, state: &Vec<u32>) -> usize {
        state.capacity() * 4
    }

    fn show_action(&self, action: &Action) -> String {
        let (put, take) = self.verbs();
        match action {
            Action::Put(value) => format!("{put} \u{1}{value}\u{2}"),
            Action::Take(value) => format!("{take} \u{1}{value}\u{2}"),
            Action::Empty => format!("{take}: empty"),
            Action::TakeUnknown => take.to_owned(),
        }
    }

    fn show_state(&self, state: &Vec<u32>) -> String {
        show_values(state)
    }
}

/// Values for people.
pub(super) fn show_values(values: &[u32]) -> String {
    if values.is_empty() {
        return "empty".into();
    }
    values.iter().map(|value| format!("\u{1}{value}\u{2}")).collect::<Vec<_>>().join(", ")
}

impl Vocabulary for Container {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        let (model, puts, takes): (_, &[&str], &[&str]) = match self.order {
            Order::Last => ("stack", &["push", "put"], &["pop", "take"]),
            Order::First => ("fifo-queue", &PUTS, &TAKES),
            Order::Any => ("unordered-queue", &PUTS, &TAKES),
        };
        let f = words.f(call);
        if puts.contains(&f) {
            return Ok((call.ended != Ended::Fail).then(|| Action::Put(words.number(&call.input))));
        }
        if !takes.contains(&f) {
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

/// Names of putting into queues.
const PUTS: [&str; 5] = ["enqueue", "enq", "put", "offer", "push"];
/// Names of taking out of queues.
const TAKES: [&str; 5] = ["dequeue", "deq", "take", "poll", "pop"];
