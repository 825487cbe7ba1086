//! Leadership by lease: whoever is elected leads for an epoch, until somebody is elected for a later one.

use crate::linearizability::model::{Model, Role};
use crate::linearizability::vocabulary::{Vocabulary, strange};
use crate::linearizability::words::Words;
use history::calls::{Call, Ended, Value};

/// The seat of the leader. A lease can run out at any time, so being elected needs no free seat, but a later epoch.
#[derive(Clone, Copy, Debug)]
pub struct Lease;

/// What is done to it. Leaders are numbers of [`Words`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Somebody leads from now on, for an epoch if it is known.
    Elect(u32, Option<i64>),
    /// The leader of an epoch was told that it still leads.
    Renew(u32, Option<i64>),
    /// The leader steps down.
    Resign(u32),
    /// Somebody saw who leads; none if nobody does.
    Read(Option<u32>, Option<i64>),
}

/// Who leads, and the last epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The leader, if there is one.
    pub leader: Option<u32>,
    /// The last epoch known.
    pub epoch: i64,
}

impl Model for Lease {
    type Action = Action;
    type State = State;

    fn has_few_states(&self) -> bool {
        true
    }

    fn initial(&self) -> State {
        State { leader: None, epoch: i64::MIN }
    }

    fn step(&self, state: &State, action: &Action) -> Option<State> {
        match *action {
            Action::Elect(leader, None) => Some(State { leader: Some(leader), ..*state }),
            Action::Elect(leader, Some(epoch)) => {
                (epoch > state.epoch).then_some(State { leader: Some(leader), epoch })
            }
            Action::Renew(leader, epoch) | Action::Read(Some(leader), epoch) => {
                let fits = state.leader == Some(leader) && epoch.is_none_or(|epoch| epoch == state.epoch);
                fits.then_some(*state)
            }
            Action::Read(None, _) => state.leader.is_none().then_some(*state),
            Action::Resign(leader) => (state.leader == Some(leader)).then_some(State { leader: None, ..*state }),
        }
    }

    fn role(&self, action: &Action) -> Role {
        match action {
            Action::Renew(..) | Action::Read(..) => Role::Observation,
            Action::Elect(_, None) => Role::Always,
            Action::Elect(..) | Action::Resign(_) => Role::Change,
        }
    }

    fn show_action(&self, action: &Action) -> String {
        let of = |epoch: &Option<i64>| epoch.map_or(String::new(), |epoch| format!(" for epoch {epoch}"));
        match action {
            Action::Elect(leader, epoch) => format!("\u{1}{leader}\u{2} is elected{}", of(epoch)),
            Action::Renew(leader, epoch) => format!("\u{1}{leader}\u{2} renews{}", of(epoch)),
            Action::Resign(leader) => format!("\u{1}{leader}\u{2} resigns"),
            Action::Read(Some(leader), epoch) => format!("sees the leader \u{1}{leader}\u{2}{}", of(epoch)),
            Action::Read(None, _) => "sees no leader".into(),
        }
    }

    fn show_state(&self, state: &State) -> String {
        let epoch = if state.epoch > i64::MIN { format!(", epoch {}", state.epoch) } else { String::new() };
        state.leader.map_or(format!("nobody leads{epoch}"), |leader| format!("\u{1}{leader}\u{2} leads{epoch}"))
    }
}

/// The epoch in a value: a number, or the entry `epoch`, `term` or `fence` of a map.
fn epoch(value: &Value, words: &Words<'_>) -> Option<i64> {
    let entry = ["epoch", "term", "fence"].iter().find_map(|name| words.entry(value, name));
    value.int().or_else(|| entry.and_then(Value::int))
}

impl Vocabulary for Lease {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        let (known, happened) = (call.ended == Ended::Ok, call.ended != Ended::Fail);
        let me = ["leader", "client"].iter().find_map(|name| words.entry(&call.input, name)).cloned();
        let me = words.number(&me.unwrap_or(Value::Int(call.process)));
        let epoch_of = epoch(&call.output, words).filter(|_| known);
        Ok(match words.f(call) {
            "elect" | "acquire" | "campaign" => happened.then_some(Action::Elect(me, epoch_of)),
            "renew" | "keep-alive" => known.then_some(Action::Renew(me, epoch_of)),
            "resign" | "release" => happened.then_some(Action::Resign(me)),
            "read" | "leader" => {
                // The leader alone, or [leader epoch], or a map.
                let (leader, epoch_of) = match call.output.list() {
                    Some([leader, epoch]) => (leader.clone(), epoch.int()),
                    _ => match words.entry(&call.output, "leader") {
                        Some(leader) => (leader.clone(), epoch_of),
                        None => (call.output.clone(), None),
                    },
                };
                let leader = (!leader.is_nil()).then(|| words.number(&leader));
                known.then_some(Action::Read(leader, epoch_of))
            }
            _ => return strange("lease", call, words),
        })
    }
}
