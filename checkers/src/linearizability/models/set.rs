//! A set: add, remove, contains, and reads of the whole.

use super::container::show_values;
use crate::linearizability::grow;
use crate::linearizability::model::{Model, Role};
use crate::linearizability::problem::Problem;
use crate::linearizability::quick::Quick;
use crate::linearizability::vocabulary::{Vocabulary, strange};
use crate::linearizability::words::Words;
use history::calls::{Call, Ended, Value};
use std::sync::Arc;

/// The set; empty at first.
#[derive(Clone, Copy, Debug)]
pub struct Set;

/// What is done to it. Elements are numbers of [`Words`]; the result says whether the set changed, where that is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// An element is put in.
    Add(u32, Option<bool>),
    /// An element is taken out.
    Remove(u32, Option<bool>),
    /// An element was seen in it, or not.
    Contains(u32, bool),
    /// The whole was seen, sorted.
    Read(Arc<[u32]>),
}

impl Model for Set {
    type Action = Action;
    /// Sorted.
    type State = Vec<u32>;

    fn has_few_states(&self) -> bool {
        true
    }

    fn initial(&self) -> Vec<u32> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u32>, action: &Action) -> Option<Vec<u32>> {
        let mut next = state.clone();
        let fits = match *action {
            Action::Add(element, changed) => {
                let found = state.binary_search(&element);
                if let Err(at) = found {
                    next.insert(at, element);
                }
                changed.is_none_or(|changed| changed == found.is_err())
            }
            Action::Remove(element, changed) => {
                let found = state.binary_search(&element);
                if let Ok(at) = found {
                    next.remove(at);
                }
                changed.is_none_or(|changed| changed == found.is_ok())
            }
            Action::Contains(element, seen) => state.binary_search(&element).is_ok() == seen,
            Action::Read(ref seen) => **seen == *state,
        };
        fits.then_some(next)
    }

    fn role(&self, action: &Action) -> Role {
        match action {
            Action::Add(_, None) | Action::Remove(_, None) => Role::Always,
            // Told that nothing changed: it only saw.
            Action::Add(_, Some(false)) | Action::Remove(_, Some(false)) => Role::Observation,
            Action::Add(..) | Action::Remove(..) => Role::Change,
            Action::Contains(..) | Action::Read(_) => Role::Observation,
        }
    }

    fn part(&self, action: &Action) -> Option<u32> {
        match *action {
            Action::Add(element, _) | Action::Remove(element, _) | Action::Contains(element, _) => Some(element),
            Action::Read(_) => None,
        }
    }

    fn leans_on(&self, action: &Action, other: &Action) -> bool {
        if self.role(other) == Role::Observation {
            return false;
        }
        let same = self.part(action) == self.part(other);
        match (action, other) {
            (Action::Add(_, None) | Action::Remove(_, None), _) => false,
            // An element that was not seen is not missed if nobody adds it.
            (Action::Contains(_, false), Action::Add(..)) => false,
            (Action::Read(seen), Action::Add(element, _)) => seen.binary_search(element).is_ok(),
            (Action::Read(_), _) => true,
            _ => same,
        }
    }

    fn decide(&self, problem: &Problem<Action>) -> Option<Quick> {
        grow::decide(problem)
    }

    fn heap_bytes(&self, state: &Vec<u32>) -> usize {
        state.capacity() * 4
    }

    fn show_action(&self, action: &Action) -> String {
        let told = |changed: &Option<bool>| match changed {
            None => "",
            Some(true) => ": changed",
            Some(false) => ": unchanged",
        };
        match action {
            Action::Add(element, changed) => format!("add \u{1}{element}\u{2}{}", told(changed)),
            Action::Remove(element, changed) => format!("remove \u{1}{element}\u{2}{}", told(changed)),
            Action::Contains(element, true) => format!("contains \u{1}{element}\u{2}"),
            Action::Contains(element, false) => format!("does not contain \u{1}{element}\u{2}"),
            Action::Read(seen) => format!("read {{{}}}", show_values(seen)),
        }
    }

    fn show_state(&self, state: &Vec<u32>) -> String {
        format!("{{{}}}", show_values(state))
    }
}

impl Vocabulary for Set {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        let (known, happened) = (call.ended == Ended::Ok, call.ended != Ended::Fail);
        let told = match (&call.output, known) {
            (Value::Bool(told), true) => Some(*told),
            (Value::List(pair), true) => match &**pair {
                [element, Value::Bool(told)] if *element == call.input => Some(*told),
                _ => None,
            },
            _ => None,
        };
        let f = words.f(call);
        Ok(match (f, told) {
            ("add", _) => happened.then(|| Action::Add(words.number(&call.input), told)),
            ("remove" | "delete", _) => happened.then(|| Action::Remove(words.number(&call.input), told)),
            ("contains" | "contains?", Some(seen)) => Some(Action::Contains(words.number(&call.input), seen)),
            ("contains" | "contains?" | "read" | "r", _) if !known => None,
            ("read" | "r", _) => {
                let Some(items) = call.output.items() else { return strange("set", call, words) };
                let mut seen: Vec<u32> = items.iter().map(|item| words.number(item)).collect();
                seen.sort_unstable();
                seen.dedup();
                Some(Action::Read(seen.into()))
            }
            _ => return strange("set", call, words),
        })
    }
}
