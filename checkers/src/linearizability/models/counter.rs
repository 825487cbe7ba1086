//! A number that is added to and read.

use crate::linearizability::model::{Model, Role};
use crate::linearizability::vocabulary::{Vocabulary, strange};
use crate::linearizability::words::Words;
use history::calls::{Call, Ended};

/// The counter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    /// What it shows at first.
    pub initial: i64,
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A number is added.
    Add(i64),
    /// A number was seen.
    Read(i64),
}

impl Model for Counter {
    type Action = Action;
    type State = i64;

    fn initial(&self) -> i64 {
        self.initial
    }

    fn step(&self, state: &i64, action: &Action) -> Option<i64> {
        match *action {
            Action::Add(n) => state.checked_add(n),
            Action::Read(n) => (n == *state).then_some(n),
        }
    }

    fn role(&self, action: &Action) -> Role {
        match *action {
            Action::Read(_) | Action::Add(0) => Role::Observation,
            Action::Add(_) => Role::Change,
        }
    }
}

impl Vocabulary for Counter {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        let f = words.f(call);
        let amount = if call.input.is_nil() { Some(1) } else { call.input.int() };
        let action = match (f, amount) {
            ("read" | "r" | "get", _) if call.ended != Ended::Ok => return Ok(None),
            ("read" | "r" | "get", _) => match call.output.int() {
                Some(n) => Action::Read(n),
                None => return strange("counter", call, words),
            },
            ("add" | "increment" | "inc", Some(n)) => Action::Add(n),
            ("decrement" | "dec" | "subtract", Some(n)) if n > i64::MIN => Action::Add(-n),
            _ => return strange("counter", call, words),
        };
        Ok((call.ended != Ended::Fail).then_some(action))
    }
}
