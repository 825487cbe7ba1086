//! One value that is read, written, and compared and set.

use crate::linearizability::model::{Model, Role};
use crate::linearizability::problem::Problem;
use crate::linearizability::quick::Quick;
use crate::linearizability::vocabulary::{FailedCas, Vocabulary, strange};
use crate::linearizability::words::Words;
use crate::linearizability::zones;
use history::calls::{Call, Ended, OPEN, Value};
use rustc_hash::FxHashMap;

/// A register; values are numbers of [`Words`], and it holds number 0 at first.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Knows compare-and-set.
    pub cas: bool,
    /// What a failed one means.
    pub failed_cas: FailedCas,
}

/// What is done to a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A read saw a value.
    Read(u32),
    /// A value is written.
    Write(u32),
    /// The first value is replaced by the second.
    Cas(u32, u32),
    /// A compare-and-set saw another value than this.
    Missed(u32),
}

impl Model for Register {
    type Action = Action;
    type State = u32;

    fn has_few_states(&self) -> bool {
        true
    }

    fn initial(&self) -> u32 {
        0
    }

    fn step(&self, state: &u32, action: &Action) -> Option<u32> {
        match *action {
            Action::Read(value) => (value == *state).then_some(value),
            Action::Write(value) => Some(value),
            Action::Cas(old, new) => (old == *state).then_some(new),
            Action::Missed(old) => (old != *state).then_some(*state),
        }
    }

    fn role(&self, action: &Action) -> Role {
        match *action {
            Action::Read(_) | Action::Missed(_) => Role::Observation,
            Action::Cas(old, new) if old == new => Role::Observation,
            Action::Cas(..) => Role::Change,
            Action::Write(_) => Role::Always,
        }
    }

    fn code(&self, action: &Action) -> Option<u32> {
        let (number, kind) = match *action {
            Action::Read(value) => (value, 0),
            Action::Write(value) => (value, 1),
            Action::Missed(value) => (value, 2),
            // Pairs by their larger half, then by the other one, so that pairs of small values have small numbers.
            Action::Cas(old, new) if old < new => (new.checked_mul(new)?.checked_add(old)?, 3),
            Action::Cas(old, new) => (old.checked_mul(old)?.checked_add(old)?.checked_add(new)?, 3),
        };
        number.checked_mul(4)?.checked_add(kind)
    }

    fn overwrites(&self, action: &Action) -> bool {
        matches!(action, Action::Write(_))
    }

    fn last_uses(&self, problem: &Problem<Action>) -> Vec<Option<u32>> {
        let mut needs = Needs::of(problem);
        needs.spread(problem);
        let until = |kind: u32| match problem.actions[kind as usize] {
            Action::Write(value) | Action::Cas(_, value) => needs.until(value),
            Action::Read(_) | Action::Missed(_) => None,
        };
        problem.ops.iter().map(|op| if op.unknown() { until(op.kind) } else { None }).collect()
    }

    fn leans_on(&self, action: &Action, other: &Action) -> bool {
        let made = match *other {
            Action::Write(value) => value,
            Action::Cas(old, new) if old != new => new,
            _ => return false,
        };
        match *action {
            Action::Read(value) | Action::Cas(value, _) => made == value,
            Action::Missed(old) => made != old,
            Action::Write(_) => false,
        }
    }

    fn decide(&self, problem: &Problem<Action>) -> Option<Quick> {
        zones::decide(problem)
    }

    fn show_action(&self, action: &Action) -> String {
        match action {
            Action::Read(value) => format!("read \u{1}{value}\u{2}"),
            Action::Write(value) => format!("write \u{1}{value}\u{2}"),
            Action::Cas(old, new) => format!("cas \u{1}{old}\u{2} to \u{1}{new}\u{2}"),
            Action::Missed(old) => format!("cas of \u{1}{old}\u{2} failed"),
        }
    }

    fn show_state(&self, state: &u32) -> String {
        format!("\u{1}{state}\u{2}")
    }
}

/// Until when each value can be needed by somebody whose outcome is known, directly or through compare-and-sets of unknown
/// outcome.
struct Needs {
    by_value: FxHashMap<u32, u32>,
    /// The last two failed compare-and-sets with different old values: (completion, old value).
    missed: [Option<(u32, u32)>; 2],
}

impl Needs {
    fn of(problem: &Problem<Action>) -> Needs {
        let mut by_value: FxHashMap<u32, u32> = FxHashMap::default();
        let mut missed: Vec<(u32, u32)> = Vec::new();
        for op in problem.ops.iter().filter(|op| !op.unknown()) {
            match *problem.action(op) {
                Action::Read(value) | Action::Cas(value, _) => {
                    let until = by_value.entry(value).or_default();
                    *until = op.ret.max(*until);
                }
                Action::Missed(old) => missed.push((op.ret, old)),
                Action::Write(_) => {}
            }
        }
        missed.sort_unstable();
        let last = missed.pop();
        let other = missed.iter().rev().find(|(_, old)| last.is_some_and(|(_, value)| value != *old)).copied();
        Needs { by_value, missed: [last, other] }
    }

    fn until(&self, value: u32) -> Option<u32> {
        let missed = self.missed.iter().flatten().filter(|(_, old)| *old != value).map(|(place, _)| *place).max();
        self.by_value.get(&value).copied().max(missed)
    }

    /// Compare-and-sets of unknown outcome need their old value as long as anybody needs their new one.
    fn spread(&mut self, problem: &Problem<Action>) {
        let unknown: Vec<(u32, u32)> = problem
            .ops
            .iter()
            .filter(|op| op.unknown())
            .filter_map(|op| match *problem.action(op) {
                Action::Cas(old, new) => Some((old, new)),
                _ => None,
            })
            .collect();
        for round in 0.. {
            let mut changed = false;
            for (old, new) in &unknown {
                if let Some(until) = self.until(*new) {
                    let known = self.by_value.entry(*old).or_default();
                    changed |= until > *known;
                    *known = until.max(*known);
                }
            }
            if !changed {
                return;
            }
            if round == 64 {
                // A very long chain: then every value is needed for ever.
                self.missed = [Some((OPEN, u32::MAX)), None];
                return;
            }
        }
    }
}

impl Vocabulary for Register {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Action>, String> {
        let happened = call.ended != Ended::Fail;
        Ok(match words.f(call) {
            "read" | "r" | "get" => (call.ended == Ended::Ok).then(|| Action::Read(words.number(&call.output))),
            "write" | "w" | "put" | "set" => happened.then(|| Action::Write(words.number(&call.input))),
            "cas" | "compare-and-set" if self.cas => {
                let Some([old, new]) = call.input.list() else { return strange("cas-register", call, words) };
                let (old, new) = (words.number(old), words.number(new));
                if happened {
                    Some(Action::Cas(old, new))
                } else {
                    // Where the failure has another reason (a time-out on the way there), it saw nothing.
                    let saw = !call.error && !matches!(call.output, Value::Word(_));
                    (saw && self.failed_cas == FailedCas::Observed).then_some(Action::Missed(old))
                }
            }
            "cas" | "compare-and-set" => return Err("the model register has no cas; use cas-register".into()),
            _ => return strange(if self.cas { "cas-register" } else { "register" }, call, words),
        })
    }
}
