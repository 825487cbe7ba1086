//! Several registers that are read and written together, in transactions of micro-operations.

use crate::linearizability::model::{Model, Role};
use crate::linearizability::vocabulary::{Vocabulary, strange};
use crate::linearizability::words::Words;
use history::calls::{Call, Ended, Value};

/// Registers by name. All hold number 0 of [`Words`] at first, but for those named here.
#[derive(Clone, Debug, Default)]
pub struct Registers {
    /// Registers that begin with a value of their own: (name, value), numbers of [`Words`], by name.
    pub initial: Vec<(u32, u32)>,
}

/// One micro-operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Micro {
    /// A read of a register saw a value; none if nobody knows which.
    Read(u32, Option<u32>),
    /// A value is written into a register.
    Write(u32, u32),
}

impl Model for Registers {
    type Action = Vec<Micro>;
    /// Values by register, sorted; registers that still hold number 0 are left out.
    type State = Vec<(u32, u32)>;

    fn has_few_states(&self) -> bool {
        true
    }

    fn initial(&self) -> Vec<(u32, u32)> {
        self.initial.iter().copied().filter(|(_, value)| *value != 0).collect()
    }

    fn step(&self, state: &Vec<(u32, u32)>, action: &Vec<Micro>) -> Option<Vec<(u32, u32)>> {
        let mut state = state.clone();
        for micro in action {
            match *micro {
                Micro::Read(_, None) => {}
                Micro::Read(register, Some(value)) => {
                    let found = state.binary_search_by_key(&register, |entry| entry.0);
                    if found.map_or(0, |at| state[at].1) != value {
                        return None;
                    }
                }
                Micro::Write(register, value) => {
                    match (state.binary_search_by_key(&register, |entry| entry.0), value) {
                        (Ok(at), 0) => drop(state.remove(at)),
                        (Ok(at), _) => state[at].1 = value,
                        (Err(_), 0) => {}
                        (Err(at), _) => state.insert(at, (register, value)),
                    }
                }
            }
        }
        Some(state)
    }

    fn role(&self, action: &Vec<Micro>) -> Role {
        let reads = action.iter().any(|micro| matches!(micro, Micro::Read(_, Some(_))));
        match action.iter().any(|micro| matches!(micro, Micro::Write(..))) {
            false => Role::Observation,
            true if reads => Role::Change,
            true => Role::Always,
        }
    }

    fn leans_on(&self, action: &Vec<Micro>, other: &Vec<Micro>) -> bool {
        // Whoever reads a register leans on everybody who writes to it.
        let reads = |register: u32| action.iter().any(|micro| matches!(micro, Micro::Read(r, _) if *r == register));
        other.iter().any(|micro| matches!(micro, Micro::Write(register, _) if reads(*register)))
    }

    fn heap_bytes(&self, state: &Vec<(u32, u32)>) -> usize {
        state.capacity() * 8
    }

    fn show_action(&self, action: &Vec<Micro>) -> String {
        let micro = |micro: &Micro| match micro {
            Micro::Read(register, None) => format!("read \u{1}{register}\u{2}"),
            Micro::Read(register, Some(value)) => format!("read \u{1}{register}\u{2} = \u{1}{value}\u{2}"),
            Micro::Write(register, value) => format!("write \u{1}{register}\u{2} = \u{1}{value}\u{2}"),
        };
        action.iter().map(micro).collect::<Vec<_>>().join(", ")
    }

    fn show_state(&self, state: &Vec<(u32, u32)>) -> String {
        if state.is_empty() {
            return "all as at first".into();
        }
        let entry = |(register, value): &(u32, u32)| format!("\u{1}{register}\u{2} = \u{1}{value}\u{2}");
        state.iter().map(entry).collect::<Vec<_>>().join(", ")
    }
}

/// The name of a register: strings (of JSON) and keywords (of EDN) are the same.
pub fn named(register: &Value) -> Value {
    match register {
        Value::Text(symbol) => Value::Word(*symbol),
        other => other.clone(),
    }
}

impl Vocabulary for Registers {
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Vec<Micro>>, String> {
        if call.ended == Ended::Fail {
            return Ok(None);
        }
        let known = call.ended == Ended::Ok;
        let value = if known { &call.output } else { &call.input };
        let micros = match value.list() {
            Some(micros) if micros.iter().all(|micro| micro.list().is_some()) => micros,
            // One micro-operation as the whole value, or as function and value.
            _ => return strange("multi-register", call, words),
        };
        let mut action = Vec::with_capacity(micros.len());
        for micro in micros {
            let Some([f, register, rest @ ..]) = micro.list() else { return strange("multi-register", call, words) };
            let value = rest.first().unwrap_or(&Value::Nil);
            let name = f.word().map_or("", |symbol| words.name(symbol)).to_owned();
            let register = words.number(&named(register));
            match name.as_str() {
                "read" | "r" => action.push(Micro::Read(register, known.then(|| words.number(value)))),
                "write" | "w" => action.push(Micro::Write(register, words.number(value))),
                _ => return strange("multi-register", call, words),
            }
        }
        Ok((!action.is_empty()).then_some(action))
    }
}
