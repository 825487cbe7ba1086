//! A queue without order: what goes in comes out, at any time, once.

use super::queue::{Action, NAMES, last_uses, show_values};
use crate::linearizability::model::{Model, Role};
use crate::linearizability::problem::Problem;
use crate::linearizability::vocabulary::Vocabulary;
use crate::linearizability::words::Words;
use history::calls::Call;

/// The queue; empty at first.
#[derive(Clone, Copy, Debug)]
pub struct Unordered;

impl Model for Unordered {
    type Action = Action;
    /// Sorted.
    type State = Vec<u32>;

    fn initial(&self) -> Vec<u32> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u32>, action: &Action) -> Option<Vec<u32>> {
        let mut next = state.clone();
        match *action {
            Action::Put(value) => next.insert(next.partition_point(|other| *other < value), value),
            Action::Take(value) => drop(next.remove(next.binary_search(&value).ok()?)),
            Action::Empty if !state.is_empty() => return None,
            Action::Empty => {}
            // A take of unknown outcome matters only just before somebody finds the queue empty, when all has to be gone; so it
            // makes no difference which value goes first.
            Action::TakeUnknown => next = state.get(1..).unwrap_or_default().to_vec(),
        }
        Some(next)
    }

    fn role(&self, action: &Action) -> Role {
        action.role()
    }

    fn part(&self, action: &Action) -> Option<u32> {
        action.value()
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
        action.show("enqueue", "dequeue")
    }

    fn show_state(&self, state: &Vec<u32>) -> String {
        show_values(state)
    }
}

impl Vocabulary for Unordered {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        Action::of(call, words, NAMES, "unordered-queue")
    }
}
