//! Single-decree Paxos (Lamport 1998) for one value after the other, with several proposers at once: they pre-empt each other at
//! once, after a random back-off that grows, or leave it to the first of them (claim C10).
//!
//! A proposer has its proposal on disk before it asks for it to be accepted, which takes longer than a message: that is what
//! lets two proposers duel. Acceptors tell a proposer when they have promised to a later one.

mod acceptor;
mod proposer;
mod trial;

pub use trial::{Manner, Node, Proposers, ProposersConfig};

use simulation::{Message, hash_draw};

/// Number of a proposal: larger ones win.
pub type Ballot = u64;

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Proposer: tell the others that it lives.
    Beat,
    /// Proposer: the proposal is on disk.
    Synced(u32, Ballot),
    /// Proposer: try again, unless another ballot has begun.
    Again(u32, Ballot),
    /// Proposer: the operation has had its time.
    GiveUp(u32, u32),
}

/// A message.
#[derive(Clone, Debug)]
pub enum Say {
    /// From outside: propose.
    Begin(crate::trial::Operation),
    /// To acceptors: promise to ignore lower ballots in this slot.
    Prepare(u32, Ballot),
    /// Promised; and what was accepted there before.
    Promise(u32, Ballot, Option<(Ballot, i64)>),
    /// Not any more: a higher ballot was promised.
    PreEmpted(u32, Ballot, Ballot),
    /// To acceptors: accept this.
    Accept(u32, Ballot, i64),
    /// Accepted.
    Accepted(u32, Ballot),
    /// Proposer to the first proposer: propose this for me.
    Forward(u32, i64),
    /// To other proposers: this was chosen.
    Chosen(u32, i64),
    /// I live.
    Beat,
}

impl Message for Say {
    fn identity(&self) -> u64 {
        let draw = |kind: u64, slot: u32, rest: u64| hash_draw(kind, &[u64::from(slot), rest]);
        match self {
            Say::Begin(operation) => u64::from(operation.id),
            Say::Prepare(slot, ballot) => draw(1, *slot, *ballot),
            Say::Promise(slot, ballot, _) => draw(2, *slot, *ballot),
            Say::PreEmpted(slot, ballot, _) => draw(3, *slot, *ballot),
            Say::Accept(slot, ballot, _) => draw(4, *slot, *ballot),
            Say::Accepted(slot, ballot) => draw(5, *slot, *ballot),
            Say::Forward(slot, value) => draw(6, *slot, value.unsigned_abs()),
            Say::Chosen(slot, value) => draw(7, *slot, value.unsigned_abs()),
            Say::Beat => 8,
        }
    }

    fn says(&self) -> String {
        match self {
            Say::Begin(_) | Say::Beat | Say::Chosen(..) => String::new(),
            Say::Prepare(slot, ballot) => format!("prepare {ballot} of {slot}"),
            Say::Promise(_, ballot, _) => format!("promised {ballot}"),
            Say::PreEmpted(_, ballot, higher) => format!("not {ballot}: {higher} is promised"),
            Say::Accept(_, ballot, value) => format!("accept {value} under {ballot}"),
            Say::Accepted(_, ballot) => format!("accepted {ballot}"),
            Say::Forward(slot, value) => format!("propose {value} in {slot} for me"),
        }
    }
}
