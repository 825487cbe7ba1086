//! What everybody around a queue says to each other.

use super::machine::Queue;
use crate::consensus;
use crate::trial::Operation;
use simulation::{Message, NodeId, hash_draw};

/// A message.
#[derive(Clone, Debug)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(Operation),
    /// To and between servers.
    Consensus(consensus::Say<Queue>),
    /// Prober to server: do a piece of real work.
    Probe(u64),
    /// Server to prober: it is done.
    Probed(u64),
    /// Prober to server: take this server for dead, whatever it says.
    Shun(NodeId),
    /// Prober to server: this one works again.
    Trust(NodeId),
}

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Of the consensus.
    Consensus(consensus::Timer),
    /// Worker: ask for work.
    Poll,
    /// Worker: this unit is done.
    Worked(u32),
    /// Client: give this operation up.
    GiveUp(u32),
    /// Prober: ask all servers.
    Round,
}

impl From<consensus::Say<Queue>> for Say {
    fn from(say: consensus::Say<Queue>) -> Say {
        Say::Consensus(say)
    }
}

impl From<consensus::Timer> for Timer {
    fn from(timer: consensus::Timer) -> Timer {
        Timer::Consensus(timer)
    }
}

impl Message for Say {
    fn identity(&self) -> u64 {
        match self {
            Say::Begin(operation) => hash_draw(10, &[u64::from(operation.id)]),
            Say::Consensus(say) => say.identity(),
            Say::Probe(number) => hash_draw(11, &[*number]),
            Say::Probed(number) => hash_draw(12, &[*number]),
            Say::Shun(node) => hash_draw(13, &[u64::from(*node)]),
            Say::Trust(node) => hash_draw(14, &[u64::from(*node)]),
        }
    }

    /// Probes come round every so often.
    fn says(&self) -> String {
        match self {
            Say::Begin(_) | Say::Probe(_) | Say::Probed(_) => String::new(),
            Say::Consensus(consensus::Say::Ask(request, _)) if request.command == super::Command::Take => String::new(),
            Say::Consensus(say) => say.says(),
            Say::Shun(_) => "take it for dead".to_owned(),
            Say::Trust(_) => "it works again".to_owned(),
        }
    }
}
