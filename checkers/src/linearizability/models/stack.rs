//! A stack: last in, first out.

use super::queue::{Action, last_uses, show_values};
use crate::linearizability::model::{Model, Role};
use crate::linearizability::problem::Problem;
use crate::linearizability::vocabulary::Vocabulary;
use crate::linearizability::words::Words;
use history::calls::Call;

/// The stack; empty at first.
#[derive(Clone, Copy, Debug)]
pub struct Stack;

impl Model for Stack {
    type Action = Action;
    /// From the bottom up.
    type State = Vec<u32>;

    fn initial(&self) -> Vec<u32> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u32>, action: &Action) -> Option<Vec<u32>> {
        match *action {
            Action::Put(value) => Some([state.as_slice(), &[value]].concat()),
            Action::Take(value) => match state.split_last() {
                Some((top, rest)) if *top == value => Some(rest.to_vec()),
                _ => None,
            },
            Action::Empty => state.is_empty().then(Vec::new),
            Action::TakeUnknown => Some(state.split_last().map_or(&[][..], |(_, rest)| rest).to_vec()),
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

    fn heap_bytes(&self, state: &Vec<u32>) -> usize {
        state.capacity() * 4
    }

    fn show_action(&self, action: &Action) -> String {
        action.show("push", "pop")
    }

    fn show_state(&self, state: &Vec<u32>) -> String {
        show_values(state)
    }
}

impl Vocabulary for Stack {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        Action::of(call, words, (&["push", "put"], &["pop", "take"]), "stack")
    }
}
