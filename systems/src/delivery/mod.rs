//! Delivery among several members: each sender sends to all, or a replicated log says the order (claim C2).

mod trial;

pub use trial::{Delivery, DeliveryConfig, Node};

use crate::consensus::{self, Request, StateMachine};
use simulation::{Message, NodeId, hash_draw};

/// The log is all there is: a member delivers what it applies.
#[derive(Clone, Debug)]
pub struct Log;

impl StateMachine for Log {
    /// What is broadcast.
    type Command = i64;
    type Answer = ();

    fn apply(&mut self, _: i64, request: &Request<i64>, told: &mut Vec<(&'static str, i64)>) {
        told.push(("delivers", request.command));
    }

    fn words(command: &i64) -> String {
        format!("message {command}")
    }

    fn answer_words((): &()) -> String {
        String::new()
    }
}

/// A message.
#[derive(Clone, Debug)]
pub enum Say {
    /// From outside: broadcast this.
    Begin(crate::trial::Operation),
    /// Client to member: operation, attempt, what.
    Send(u32, u32, i64),
    /// Member to client.
    Sent(u32),
    /// Member to member.
    Tell(NodeId, i64),
    /// With the servers.
    Servers(consensus::Say<Log>),
}

impl From<consensus::Say<Log>> for Say {
    fn from(say: consensus::Say<Log>) -> Say {
        Say::Servers(say)
    }
}

impl Message for Say {
    fn identity(&self) -> u64 {
        match self {
            Say::Begin(operation) => u64::from(operation.id),
            Say::Send(op, attempt, _) => hash_draw(1, &[u64::from(*op), u64::from(*attempt)]),
            Say::Sent(op) => hash_draw(2, &[u64::from(*op)]),
            Say::Tell(from, value) => hash_draw(3, &[u64::from(*from), value.unsigned_abs()]),
            Say::Servers(say) => say.identity(),
        }
    }

    fn says(&self) -> String {
        match self {
            Say::Begin(_) | Say::Sent(_) => String::new(),
            Say::Send(_, _, value) | Say::Tell(_, value) => format!("message {value}"),
            Say::Servers(say) => say.says(),
        }
    }
}
