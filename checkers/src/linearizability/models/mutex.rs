//! A lock that does not ask who holds it: acquire when free, release when held.

use crate::linearizability::model::Model;
use crate::linearizability::vocabulary::{Vocabulary, strange};
use crate::linearizability::words::Words;
use history::calls::{Call, Ended};

/// The lock; free at first.
#[derive(Clone, Copy, Debug)]
pub struct Mutex;

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Taken.
    Acquire,
    /// Given back.
    Release,
}

impl Model for Mutex {
    type Action = Action;
    /// True while it is held.
    type State = bool;

    fn has_few_states(&self) -> bool {
        true
    }

    fn initial(&self) -> bool {
        false
    }

    fn step(&self, held: &bool, action: &Action) -> Option<bool> {
        match action {
            Action::Acquire => (!held).then_some(true),
            Action::Release => held.then_some(false),
        }
    }

    fn show_state(&self, held: &bool) -> String {
        if *held { "held" } else { "free" }.to_owned()
    }
}

impl Vocabulary for Mutex {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        let action = match words.f(call) {
            "acquire" | "lock" => Action::Acquire,
            "release" | "unlock" => Action::Release,
            _ => return strange("mutex", call, words),
        };
        Ok((call.ended != Ended::Fail).then_some(action))
    }
}
