//! Locks that know their owner: reentrant, and fenced with a token that grows from owner to owner.

use crate::linearizability::model::Model;
use crate::linearizability::vocabulary::{Vocabulary, strange};
use crate::linearizability::words::Words;
use history::calls::{Call, Ended, Value};

/// A lock with an owner; free at first.
#[derive(Clone, Copy, Debug)]
pub struct Lock {
    /// How often its owner may take it at once.
    pub holds_max: u32,
    /// Each acquisition carries a token: larger than all before, and the same while the same owner holds it.
    pub fenced: bool,
}

/// What is done to it. Owners are numbers of [`Words`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Taken by an owner, with a token if one is known.
    Acquire(u32, Option<i64>),
    /// Given back by an owner.
    Release(u32),
}

/// Who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The owner and how often it holds the lock; none while it is free.
    pub held: Option<(u32, u32)>,
    /// The largest token seen.
    pub token: i64,
    /// True if the owner of now has not shown its token: then a later one of its own may be larger.
    pub token_open: bool,
}

impl Model for Lock {
    type Action = Action;
    type State = State;

    fn initial(&self) -> State {
        State { held: None, token: i64::MIN, token_open: false }
    }

    fn step(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = *state;
        match (*action, state.held) {
            (Action::Acquire(owner, token), None) => {
                next.held = Some((owner, 1));
                next.token_open = token.is_none();
                if let Some(token) = token.filter(|_| self.fenced) {
                    if token <= state.token {
                        return None;
                    }
                    next.token = token;
                }
            }
            (Action::Acquire(owner, token), Some((holder, holds))) => {
                if owner != holder || holds >= self.holds_max {
                    return None;
                }
                next.held = Some((owner, holds + 1));
                if let Some(token) = token.filter(|_| self.fenced) {
                    let fits = if state.token_open { token > state.token } else { token == state.token };
                    if !fits {
                        return None;
                    }
                    (next.token, next.token_open) = (token, false);
                }
            }
            (Action::Release(owner), Some((holder, holds))) if owner == holder => {
                next.held = (holds > 1).then_some((holder, holds - 1));
                next.token_open &= holds > 1;
            }
            (Action::Release(_), _) => return None,
        }
        Some(next)
    }

    fn show_action(&self, action: &Action) -> String {
        match action {
            Action::Acquire(owner, Some(token)) => format!("\u{1}{owner}\u{2} acquires, token {token}"),
            Action::Acquire(owner, None) => format!("\u{1}{owner}\u{2} acquires"),
            Action::Release(owner) => format!("\u{1}{owner}\u{2} releases"),
        }
    }

    fn show_state(&self, state: &State) -> String {
        let token =
            if self.fenced && state.token > i64::MIN { format!(", last token {}", state.token) } else { String::new() };
        match state.held {
            None => format!("free{token}"),
            Some((owner, 1)) => format!("held by \u{1}{owner}\u{2}{token}"),
            Some((owner, holds)) => format!("held {holds} times by \u{1}{owner}\u{2}{token}"),
        }
    }
}

impl Vocabulary for Lock {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        // Jepsen names the client in the value, since processes change after a crash.
        let client = words.entry(&call.input, "client").cloned();
        let owner = words.number(&client.unwrap_or(Value::Int(call.process)));
        let action = match words.f(call) {
            "acquire" | "lock" => {
                let token = call.output.int().or_else(|| words.entry(&call.output, "fence").and_then(Value::int));
                Action::Acquire(owner, token.filter(|_| self.fenced && call.ended == Ended::Ok))
            }
            "release" | "unlock" => Action::Release(owner),
            _ => return strange(if self.fenced { "fenced-lock" } else { "reentrant-lock" }, call, words),
        };
        Ok((call.ended != Ended::Fail).then_some(action))
    }
}
