//! What clients and the server of a herd say to each other.

use crate::trial::Operation;
use simulation::{Message, NodeId, hash_draw};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(Operation),
    /// Client to server: number of the operation, and which attempt.
    Ask(u32, u32),
    /// Server to client: it is done, or there was no room for it.
    Answer(u32, u32, bool),
}

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Client: try this operation again.
    Again(u32),
    /// Client: this attempt at this operation has had its time.
    TimedOut(u32, u32),
    /// Server: this attempt at this operation of this client is done.
    Done(NodeId, u32, u32),
}

impl Message for Say {
    fn identity(&self) -> u64 {
        let parts = match self {
            Say::Begin(operation) => [0, u64::from(operation.id), 0],
            Say::Ask(op, attempt) => [1, u64::from(*op), u64::from(*attempt)],
            Say::Answer(op, attempt, _) => [2, u64::from(*op), u64::from(*attempt)],
        };
        hash_draw(0, &parts)
    }

    fn says(&self) -> String {
        match self {
            Say::Begin(_) => String::new(),
            Say::Ask(_, 0) => "ask".to_owned(),
            Say::Ask(_, attempt) => format!("ask (try {})", attempt + 1),
            Say::Answer(_, _, true) => "done".to_owned(),
            Say::Answer(_, _, false) => "no room".to_owned(),
        }
    }
}
