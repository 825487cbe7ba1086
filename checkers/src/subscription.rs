//! One subscription on a walk: what it waits for, and what it shows.

use crate::changes::Stretch;
use crate::views::{Run, View};
use history::{ClientId, DataIx, Nanos, NodeIx};

/// For a first push.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    No,
    /// Asked; nothing is due before the answer.
    Asked,
    /// Confirmed then.
    Confirmed(Nanos),
    /// Connected again then, not asked yet.
    Owed(Nanos),
}

/// A client's subscription. There may be a million, and one is touched with every push: small.
pub(crate) struct Sub {
    pub client: u32,
    pub number: u32,
    pub data: DataIx,
    /// Index of what follows its dataId, if anything does.
    pub follower: Option<u32>,
    pub wanted: bool,
    /// Questions without an answer so far: until there is none, the base of a run is not settled.
    pub unanswered: u32,
    pub waiting: Waiting,
    pub last: Option<Last>,
    pub run: Option<Run>,
    pub stretch: Stretch,
    /// Connected and subscribed since.
    pub live: Option<Nanos>,
}

/// The present view of a subscription, without what the subscription tells.
#[derive(Clone, Copy)]
pub(crate) struct Last {
    pub push: u64,
    pub content: u32,
    pub node: Option<NodeIx>,
    pub version: Option<u64>,
    pub at: Nanos,
    pub judged: bool,
}

impl Last {
    /// As the view of this client's subscription until then.
    pub fn view(self, client: ClientId, subscription: u32, until: Nanos, base: Option<Nanos>) -> View {
        let Last { push, content, node, version, at, judged } = self;
        View { push, content, client, subscription, node, version, at, until, judged, base }
    }
}
