//! One line of a history.

use crate::{Connection, Dropped, Fault, Nanos, Operation, Push, Routes, Snapshot};
use serde::{Deserialize, Serialize};

/// Everything that can happen in a run. On disk `{"push":{"time":...}}`: the kind outside, so that `jq .push` works and
/// reading needs no buffering. Nearly all are pushes, and they lie in memory by the million, so larger ones are boxed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// A client's operation.
    Op(Box<Operation>),
    /// A planned operation that was not started.
    Dropped(Dropped),
    /// A client was shown a content.
    Push(Push),
    /// A content that pushes and reads refer to.
    Snapshot(Box<Snapshot>),
    /// A session began, was lost, went on or ended.
    Connection(Box<Connection>),
    /// A fault began or ended.
    Fault(Box<Fault>),
    /// The run entered its next phase.
    Phase(Phase),
    /// The system tells everybody where dataIds are kept.
    Routes(Routes),
}

impl Event {
    /// When it happened; a [`Snapshot`] is timeless and belongs to the event after it.
    pub fn time(&self) -> Option<Nanos> {
        match self {
            Event::Op(e) => Some(e.time),
            Event::Dropped(e) => Some(e.time),
            Event::Push(e) => Some(e.time),
            Event::Snapshot(_) => None,
            Event::Connection(e) => Some(e.time),
            Event::Fault(e) => Some(e.time),
            Event::Phase(e) => Some(e.time),
            Event::Routes(e) => Some(e.time),
        }
    }
}

impl From<Snapshot> for Event {
    fn from(snapshot: Snapshot) -> Event {
        Event::Snapshot(Box::new(snapshot))
    }
}

/// The phases of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseName {
    /// Clients connect; pinned ones publish.
    WarmUp,
    /// Operations and faults.
    Chaos,
    /// Every fault is lifted.
    Heal,
    /// Nothing acts any more; bounded.
    Settle,
    /// Fresh clients read every dataId on every node.
    Final,
    /// Everything is over.
    End,
}

impl PhaseName {
    /// As it is written: `warm-up`.
    pub fn name(self) -> &'static str {
        match self {
            PhaseName::WarmUp => "warm-up",
            PhaseName::Chaos => "chaos",
            PhaseName::Heal => "heal",
            PhaseName::Settle => "settle",
            PhaseName::Final => "final",
            PhaseName::End => "end",
        }
    }
}

/// A phase begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// When.
    pub time: Nanos,
    /// Which.
    pub name: PhaseName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_small_since_there_are_millions() {
        assert!(size_of::<Event>() <= 64, "{}", size_of::<Event>());
    }
}
