//! A store of strings: get, put, append. Empty at first.

use crate::linearizability::model::{Model, Role};
use crate::linearizability::problem::Problem;
use crate::linearizability::vocabulary::{Vocabulary, strange};
use crate::linearizability::words::Words;
use history::calls::{Call, Ended};
use std::sync::Arc;

/// The value of one key.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// What it holds at first.
    pub initial: Arc<str>,
}

/// What is done to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A text was seen.
    Get(Arc<str>),
    /// A text replaces the whole.
    Put(Arc<str>),
    /// A text is added at the end.
    Append(Arc<str>),
}

impl Model for Text {
    type Action = Action;
    type State = Arc<str>;

    fn initial(&self) -> Arc<str> {
        Arc::clone(&self.initial)
    }

    fn step(&self, state: &Arc<str>, action: &Action) -> Option<Arc<str>> {
        match action {
            Action::Get(seen) => (seen == state).then(|| Arc::clone(state)),
            Action::Put(text) => Some(Arc::clone(text)),
            Action::Append(text) => Some(format!("{state}{text}").into()),
        }
    }

    fn role(&self, action: &Action) -> Role {
        match action {
            Action::Get(_) => Role::Observation,
            Action::Append(text) if text.is_empty() => Role::Observation,
            Action::Put(_) | Action::Append(_) => Role::Always,
        }
    }

    fn overwrites(&self, action: &Action) -> bool {
        matches!(action, Action::Put(_))
    }

    fn last_uses(&self, problem: &Problem<Action>) -> Vec<Option<u32>> {
        let gets: Vec<(u32, &str)> = problem
            .ops
            .iter()
            .filter(|op| !op.unknown())
            .filter_map(|op| match problem.action(op) {
                Action::Get(seen) => Some((op.ret, &**seen)),
                _ => None,
            })
            .collect();
        let until = |action: &Action| {
            let (Action::Put(text) | Action::Append(text)) = action else { return None };
            gets.iter().filter(|(_, seen)| seen.contains(&**text)).map(|(place, _)| *place).max()
        };
        problem.ops.iter().map(|op| if op.unknown() { until(problem.action(op)) } else { None }).collect()
    }

    fn heap_bytes(&self, state: &Arc<str>) -> usize {
        state.len() + 16
    }

    fn show_action(&self, action: &Action) -> String {
        match action {
            Action::Get(seen) => format!("get {:?}", short(seen)),
            Action::Put(text) => format!("put {:?}", short(text)),
            Action::Append(text) => format!("append {:?}", short(text)),
        }
    }

    fn show_state(&self, state: &Arc<str>) -> String {
        format!("{:?}", short(state))
    }
}

/// The end of a long text: what was added last tells most.
fn short(text: &str) -> String {
    const CHARS: usize = 40;
    let long = text.chars().count();
    if long <= CHARS { text.to_owned() } else { format!("...{}", text.chars().skip(long - CHARS).collect::<String>()) }
}

impl Vocabulary for Text {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        let (known, happened) = (call.ended == Ended::Ok, call.ended != Ended::Fail);
        let value = if matches!(words.f(call), "get" | "read" | "r") { &call.output } else { &call.input };
        let Some(text) = words.text(value) else { return strange("kv", call, words) };
        Ok(match words.f(call) {
            "get" | "read" | "r" => known.then_some(Action::Get(text)),
            "put" | "write" | "w" | "set" => happened.then_some(Action::Put(text)),
            "append" => happened.then_some(Action::Append(text)),
            _ => return strange("kv", call, words),
        })
    }
}
