//! One leader among several members, which alone may write to a store: elected by pings, heartbeats or gossip, by a third party
//! with sessions, or by consensus with a lease (claims S2, S3, S4 and C1).
//!
//! A member that believes it leads says so as it acts (`acts`, with the token of its leadership), and it takes a while between
//! looking whether it leads and writing. What the checkers judge is when members acted, and what the store applied.

mod client;
mod config;
mod member;
mod message;
mod office;
mod store;
#[cfg(test)]
mod tests;
mod trial;
mod view;

pub use config::{Decider, ElectionConfig, ElectionFaults};
pub use trial::{Election, Node};

use crate::consensus;
use crate::trial::Said;
use simulation::{NodeId, Outputs};

const STORE: NodeId = 0;

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Member: look around, report, act.
    Beat,
    /// Member: the leadership may be over.
    Over,
    /// Member: try to take the lease.
    Try,
    /// Member: the work on a write is done, it goes to the store with this token.
    Worked(message::Please, i64),
    /// Client: this attempt has had its time.
    TimedOut(u32, u32),
    /// Client: this operation has had its time.
    GiveUp(u32),
    /// Of the consensus.
    Consensus(consensus::Timer),
}

impl From<consensus::Timer> for Timer {
    fn from(timer: consensus::Timer) -> Timer {
        Timer::Consensus(timer)
    }
}

type Out = Outputs<message::Say, Timer, (NodeId, Said)>;

fn fact(out: &mut Out, node: NodeId, what: &'static str, value: i64) {
    out.report((node, Said::Fact { what, value }));
}

fn note(out: &mut Out, node: NodeId, says: String) {
    out.report((node, Said::Note(says)));
}
