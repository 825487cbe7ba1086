//! What clients, members, the store and the servers say to each other.

use super::office::Office;
use crate::consensus;
use crate::trial::Operation;
use simulation::{Message, NodeId, hash_draw};

/// A write of a client, in one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Please {
    /// Number of the operation.
    pub op: u32,
    /// Which attempt, from 0.
    pub attempt: u32,
    /// Node of the client.
    pub client: NodeId,
    /// What is to be written.
    pub value: i64,
}

/// A message.
#[derive(Clone, Debug)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(Operation),
    /// Client to member.
    Please(Please),
    /// Member to client: it is done.
    Done(Please),
    /// Member to client: I do not lead, or not any more.
    NotI(Please),
    /// Member to store, with the token of its leadership.
    Write(Please, i64),
    /// Store to member.
    Written(Please, bool),
    /// Are you there?
    Ping(u64),
    /// I am.
    Pong(u64),
    /// I live; in gossip also: how often each was heard to beat.
    Beat(Vec<u64>),
    /// With the servers.
    Servers(consensus::Say<Office>),
}

impl From<consensus::Say<Office>> for Say {
    fn from(say: consensus::Say<Office>) -> Say {
        Say::Servers(say)
    }
}

impl Message for Say {
    fn identity(&self) -> u64 {
        let (kind, please) = match self {
            Say::Servers(say) => return say.identity(),
            Say::Begin(operation) => return u64::from(operation.id),
            Say::Ping(number) => return hash_draw(10, &[*number]),
            Say::Pong(number) => return hash_draw(11, &[*number]),
            Say::Beat(counts) => return hash_draw(12, counts),
            Say::Please(please) => (13, please),
            Say::Done(please) => (14, please),
            Say::NotI(please) => (15, please),
            Say::Write(please, _) => (16, please),
            Say::Written(please, _) => (17, please),
        };
        hash_draw(kind, &[u64::from(please.op), u64::from(please.attempt)])
    }

    /// What comes round every so often is not worth telling.
    fn says(&self) -> String {
        match self {
            Say::Begin(_) | Say::Ping(_) | Say::Pong(_) | Say::Beat(_) | Say::NotI(_) => String::new(),
            Say::Servers(say) => say.says(),
            Say::Please(please) => format!("write {}, please", please.value),
            Say::Done(please) => format!("{} is written", please.value),
            Say::Write(please, token) => format!("write {} (token {token})", please.value),
            Say::Written(please, true) => format!("wrote {}", please.value),
            Say::Written(please, false) => format!("refused: {} comes from an earlier leader", please.value),
        }
    }
}
