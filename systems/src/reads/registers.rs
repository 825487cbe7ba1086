//! What is replicated: registers.

use crate::consensus::{Request, StateMachine};
use std::collections::BTreeMap;

/// What can be done to a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Read it.
    Read(u32),
    /// Write it.
    Write(u32, i64),
}

/// Registers by key.
#[derive(Clone, Debug, Default)]
pub struct Registers(BTreeMap<u32, i64>);

impl Registers {
    /// What a register holds.
    pub fn get(&self, key: u32) -> Option<i64> {
        self.0.get(&key).copied()
    }
}

impl StateMachine for Registers {
    type Command = Act;
    type Answer = Option<i64>;

    fn apply(&mut self, _: i64, request: &Request<Act>, _: &mut Vec<(&'static str, i64)>) -> Option<i64> {
        match request.command {
            Act::Read(key) => self.get(key),
            Act::Write(key, value) => {
                self.0.insert(key, value);
                Some(value)
            }
        }
    }

    fn words(command: &Act) -> String {
        match command {
            Act::Read(key) => format!("read k{key}"),
            Act::Write(key, value) => format!("write k{key} = {value}"),
        }
    }

    fn answer_words(answer: &Option<i64>) -> String {
        answer.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
    }
}
