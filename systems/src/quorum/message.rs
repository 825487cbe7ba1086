//! What clients and replicas of a register say to each other, through racks.

use crate::trial::Operation;
use simulation::{Message, NodeId, hash_draw};

/// Orders writes: a count, and the node of the writer.
pub type Tag = (u64, NodeId);

/// What a client asks of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// What stands there?
    Query,
    /// Keep this, if it is newer.
    Store(Tag, Option<i64>),
}

/// What a replica answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This stands there.
    Stands(Tag, Option<i64>),
    /// It is kept, or something newer is.
    Kept,
}

/// Which question of which client: number of the operation, phase, attempt, register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Node of the client.
    pub client: NodeId,
    /// Node of the replica.
    pub replica: NodeId,
    /// Number of the operation.
    pub op: u32,
    /// Which round of questions of it.
    pub round: u32,
    /// Which register.
    pub key: u32,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(Operation),
    /// Client to rack, rack to replica.
    Ask(Header, Ask, u32),
    /// Replica to rack, rack to client.
    Reply(Header, Reply),
}

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Client: ask again who has not answered in this round of this operation.
    Again(u32, u32),
    /// Client: give this operation up.
    GiveUp(u32),
}

impl Message for Say {
    fn identity(&self) -> u64 {
        let of = |h: &Header| [u64::from(h.op), u64::from(h.round), u64::from(h.replica)];
        match self {
            Say::Begin(operation) => hash_draw(0, &[u64::from(operation.id)]),
            Say::Ask(header, _, attempt) => hash_draw(1 + u64::from(*attempt), &of(header)),
            Say::Reply(header, _) => hash_draw(0, &of(header)),
        }
    }

    fn says(&self) -> String {
        let shown = |value: &Option<i64>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
        match self {
            Say::Begin(_) => String::new(),
            Say::Ask(header, Ask::Query, _) => format!("what is k{}?", header.key),
            Say::Ask(header, Ask::Store(_, value), _) => format!("keep k{} = {}", header.key, shown(value)),
            Say::Reply(header, Reply::Stands(_, value)) => format!("k{} is {}", header.key, shown(value)),
            Say::Reply(_, Reply::Kept) => "kept".to_owned(),
        }
    }
}
