//! A registration as sessions and data nodes keep it, and the order that decides between two of them.

use super::bugs::Bug;
use history::{ClientId, DataIx, Nanos};
use simulation::{NodeId, hash_draw};
use std::sync::Arc;

/// Who publishes: a client's registration. One number, since maps compare publishers all the time; clients first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Publisher(u64);

impl Publisher {
    /// This registration of this client.
    pub fn new(client: ClientId, registration: u32) -> Publisher {
        Publisher(u64::from(client) << 32 | u64::from(registration))
    }

    /// Which client.
    pub fn client(self) -> ClientId {
        (self.0 >> 32) as ClientId
    }

    /// Which of its registrations.
    pub fn registration(self) -> u32 {
        self.0 as u32
    }
}

/// What is known of a registration. At the same version what was expired gives way to what is live (the session is
/// heard again), and that to what was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Dropped because its session was not heard; may come back.
    Expired,
    /// There.
    Live,
    /// Taken back, or its connection ended.
    Removed,
}

/// A registration, or the memory of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The dataId.
    pub data: DataIx,
    /// Whose.
    pub publisher: Publisher,
    /// Rises with each publish and unpublish of the client, over all its connections.
    pub version: u64,
    /// Live or not.
    pub rank: Rank,
    /// When the session accepted it, by its own wall clock: the last resort of the order.
    pub stamp: i64,
    /// The value, while it is live.
    pub value: Option<Arc<str>>,
    /// The client's how-many-eth connection.
    pub connection: u32,
    /// The session node that keeps it.
    pub session: NodeId,
    /// Its incarnation.
    pub incarnation: u64,
    /// True if the end of the connection removed it, not the client's own wish.
    pub clean_up: bool,
}

impl Entry {
    /// What decides between two of the same publisher: the greater wins.
    pub fn order(&self) -> (u64, Rank, i64) {
        (self.version, self.rank, self.stamp)
    }

    /// True if it is there.
    pub fn is_live(&self) -> bool {
        self.rank == Rank::Live
    }

    /// Its part of a digest; digests are sums.
    pub fn digest(&self, bug: Option<Bug>) -> u64 {
        if bug == Some(Bug::DigestCountsOnly) {
            return 1;
        }
        hash_draw(1, &[u64::from(self.data), self.publisher.0, self.version])
    }
}

/// An entry with the time since when it is what it is, by its keeper's monotonic clock.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The entry.
    pub entry: Entry,
    /// Since when.
    pub since: Nanos,
}
