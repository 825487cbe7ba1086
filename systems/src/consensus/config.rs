//! Options of the consensus group.

use crate::trial::broken;
use history::{MILLI, Nanos};
use serde::{Deserialize, Serialize};

/// Options of the servers and of those who ask them. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsensusConfig {
    /// Servers.
    pub servers: u32,
    /// A follower that hears of no leader for a time drawn from this range stands for election. A leader that hears from no
    /// majority for the longer one steps down.
    pub election_ms: (u64, u64),
    /// A leader is heard this often.
    pub heartbeat_ms: u64,
    /// A candidate first asks whether it would be elected, so that one who was cut off does not unseat a leader that works.
    pub pre_vote: bool,
    /// What is promised is on disk first. Without it a crash may forget votes and entries: a bug, for tests of checkers.
    pub sync: bool,
    /// A leader tells followers at once what is committed, and not with the next heartbeat.
    pub announce: bool,
    /// Every server asks all others for leases this long, under which it may read by itself; 0: there are none.
    pub read_lease_ms: u64,
    /// Who asks tries another server after so long.
    pub retry_ms: u64,
}

impl Default for ConsensusConfig {
    fn default() -> Self {
        ConsensusConfig {
            servers: 3,
            election_ms: (150, 300),
            heartbeat_ms: 50,
            pre_vote: true,
            sync: true,
            announce: false,
            read_lease_ms: 0,
            retry_ms: 100,
        }
    }
}

impl ConsensusConfig {
    /// Bounds that types cannot say; the sentence names the key.
    pub fn wrong(&self) -> Option<String> {
        let (low, high) = self.election_ms;
        let rules = [
            ((1..=9).contains(&self.servers), "servers: 1 to 9"),
            (low <= high && high <= 60_000, "election_ms: [low, high]"),
            (self.heartbeat_ms > 0 && 2 * self.heartbeat_ms <= low, "heartbeat_ms: at most half of election_ms[0]"),
            ((1..=60_000).contains(&self.retry_ms), "retry_ms: 1 to 60000"),
        ];
        broken(&rules)
    }

    /// The longest time without a leader before a follower stands for election, nanoseconds.
    pub(super) fn patience(&self) -> Nanos {
        self.election_ms.1 * MILLI
    }
}
