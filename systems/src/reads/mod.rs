//! Reading from replicas: by an operation of the consensus, from a replica that has made sure that it is up to date, from one that
//! holds a quorum lease, or from any (claim C7). Writes go through the consensus always.

mod client;
mod registers;
mod replica;
#[cfg(test)]
mod tests;
mod trial;

pub use trial::{Node, Path, Reads, ReadsConfig};

use crate::consensus::{self, Index};
use registers::Registers;
use simulation::{Message, hash_draw};

/// A read in one attempt: operation, attempt, key.
pub type Glance = (u32, u32, u32);

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Client: this attempt at a read has had its time.
    TimedOut(u32, u32),
    /// Client: the operation has had its time.
    GiveUp(u32),
    /// Of the consensus.
    Consensus(consensus::Timer),
}

impl From<consensus::Timer> for Timer {
    fn from(timer: consensus::Timer) -> Timer {
        Timer::Consensus(timer)
    }
}

/// A message.
#[derive(Clone, Debug)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(crate::trial::Operation),
    /// Client to replica.
    Read(Glance),
    /// What it reads.
    Value(Glance, Option<i64>),
    /// Replica to client: not by me.
    NotNow(Glance),
    /// Replica to leader: up to where is the log committed?
    Where(Glance),
    /// Up to here, at least when it was asked.
    Here(Glance, Index),
    /// In the consensus.
    Servers(consensus::Say<Registers>),
}

impl From<consensus::Say<Registers>> for Say {
    fn from(say: consensus::Say<Registers>) -> Say {
        Say::Servers(say)
    }
}

impl Message for Say {
    fn identity(&self) -> u64 {
        let draw = |kind: u64, (op, attempt, _): &Glance| hash_draw(kind, &[u64::from(*op), u64::from(*attempt)]);
        match self {
            Say::Begin(operation) => u64::from(operation.id),
            Say::Read(glance) => draw(11, glance),
            Say::Value(glance, _) => draw(12, glance),
            Say::NotNow(glance) => draw(13, glance),
            Say::Where(glance) => draw(14, glance),
            Say::Here(glance, _) => draw(15, glance),
            Say::Servers(say) => say.identity(),
        }
    }

    fn says(&self) -> String {
        match self {
            Say::Begin(_) => String::new(),
            Say::Read((_, _, key)) => format!("read k{key}"),
            Say::Value((_, _, key), Some(value)) => format!("k{key} is {value}"),
            Say::Value((_, _, key), None) => format!("k{key} is nothing"),
            Say::NotNow(_) => "not now".to_owned(),
            Say::Where(_) => "what is committed?".to_owned(),
            Say::Here(_, index) => format!("{index} entries"),
            Say::Servers(say) => say.says(),
        }
    }
}
