//! What nodes of a reliable broadcast say to each other.

use crate::trial::Operation;
use simulation::{Message, NodeId, hash_draw};

/// A stage of a broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// By its origin: this is the value.
    Send,
    /// By everybody: this I was told.
    Echo,
    /// By everybody: enough were told this.
    Ready,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(Operation),
    /// Client to a node: broadcast this value for me.
    Please(u32, i64),
    /// Node to client: it is delivered.
    Done(u32),
    /// Between nodes: stage, number and value of a broadcast.
    Tell(Stage, u32, i64),
}

/// Who is asked to do an operation of the plan: `peer-<key>`.
pub fn peer(key: u32) -> NodeId {
    key
}

impl Message for Say {
    fn identity(&self) -> u64 {
        let parts = match self {
            Say::Begin(operation) => [0, u64::from(operation.id), 0],
            Say::Please(op, _) => [1, u64::from(*op), 0],
            Say::Done(op) => [2, u64::from(*op), 0],
            Say::Tell(stage, op, _) => [3, u64::from(*op), *stage as u64],
        };
        hash_draw(0, &parts)
    }

    fn says(&self) -> String {
        match self {
            Say::Begin(_) => String::new(),
            Say::Please(_, value) => format!("broadcast {value}"),
            Say::Done(_) => "delivered".to_owned(),
            Say::Tell(Stage::Send, _, value) => format!("send {value}"),
            Say::Tell(Stage::Echo, _, value) => format!("echo {value}"),
            Say::Tell(Stage::Ready, _, value) => format!("ready {value}"),
        }
    }
}
