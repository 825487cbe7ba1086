//! What clients saw that says something about nodes: how long each answer and each push took, and who was on its way.

use history::{Nanos, Node, NodeIx};

/// One delay that a client saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When it began: the operation was invoked, the change was acknowledged.
    pub at: Nanos,
    /// How long it took; where nothing came, how long was waited.
    pub took: Nanos,
    /// False if nothing came (or the outcome is unknown).
    pub answered: bool,
    /// Which way it went; delays are compared among those of the same way only.
    pub way: Way,
    /// The node that the client was connected to.
    pub session: Option<NodeIx>,
    /// The slot of the dataId, by the public routing table.
    pub slot: Option<u32>,
    /// The node that answers for the slot of the dataId, by the public routing table at that time.
    pub data: Option<NodeIx>,
}

/// Which way was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// Client, session node, client: connect, ping, subscribe, unsubscribe.
    Answer,
    /// Client, session node, data node, and back: publish, unpublish.
    Write,
    /// The same: read.
    Read,
    /// From the answer to a subscribe to the first push.
    FirstPush,
    /// From an acknowledged change to the push that shows it to one subscriber: data node, session node, client.
    Push,
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 5] = [Way::Answer, Way::Write, Way::Read, Way::FirstPush, Way::Push];

    /// For people, in the plural.
    pub fn name(self) -> &'static str {
        match self {
            Way::Answer => "answers",
            Way::Write => "writes",
            Way::Read => "reads",
            Way::FirstPush => "first pushes",
            Way::Push => "pushes",
        }
    }
}

/// A window of observations, and the nodes that they name.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// The system's nodes.
    pub nodes: Vec<Node>,
    /// In any order.
    pub all: Vec<Observation>,
}
