//! A barrier that nobody passes before all have arrived: kept by one coordinator, or in a replicated state machine (claim C4).

mod gate;
mod trial;

pub use trial::{Barrier, BarrierConfig, Keeper, Node};

use crate::consensus;
use simulation::{Message, hash_draw};

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Client: ask the coordinator again, in this round for this time.
    Again(u32, u32),
    /// Client: ask the servers again whether this round is open.
    Poll(u32),
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
    /// From outside: arrive.
    Begin(crate::trial::Operation),
    /// To the coordinator: I have arrived, in this round, and say so for this time.
    Arrived(u32, u32),
    /// To a client: pass.
    Pass(u32),
    /// With the servers.
    Servers(consensus::Say<gate::Gate>),
}

impl From<consensus::Say<gate::Gate>> for Say {
    fn from(say: consensus::Say<gate::Gate>) -> Say {
        Say::Servers(say)
    }
}

impl Message for Say {
    fn identity(&self) -> u64 {
        match self {
            Say::Begin(operation) => u64::from(operation.id),
            Say::Arrived(round, attempt) => hash_draw(1, &[u64::from(*round), u64::from(*attempt)]),
            Say::Pass(round) => hash_draw(2, &[u64::from(*round)]),
            Say::Servers(say) => say.identity(),
        }
    }

    fn says(&self) -> String {
        match self {
            Say::Begin(_) => String::new(),
            Say::Arrived(round, 0) => format!("arrived at {round}"),
            Say::Arrived(round, attempt) => format!("arrived at {round} (try {})", attempt + 1),
            Say::Pass(round) => format!("pass {round}"),
            Say::Servers(say) => say.says(),
        }
    }
}
