//! Options of the queue.

use crate::consensus::ConsensusConfig;
use crate::trial::broken;
use serde::{Deserialize, Serialize};

/// Options of the queue. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueConfig {
    /// Servers that hold the queue.
    pub servers: u32,
    /// Clients that put units in.
    pub clients: u32,
    /// Workers that take them out.
    pub workers: u32,
    /// Units.
    pub operations: u32,
    /// They are put in over so long.
    pub span_ms: u64,
    /// A unit that was taken and is not finished in time is handed out again.
    pub leases: bool,
    /// How long a lease lasts.
    pub lease_ms: u64,
    /// How long a worker works on a unit.
    pub work_ms: (u64, u64),
    /// An idle worker asks again after so long.
    pub poll_ms: u64,
    /// A client gives up after so long; 0: never.
    pub give_up_ms: u64,
    /// Servers are asked for real work this often; 0: never.
    pub probe_ms: u64,
    /// A server that has not answered for so long is taken for dead.
    pub suspect_ms: u64,
    /// What goes wrong.
    pub faults: QueueFaults,
}

/// What goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueFaults {
    /// The first server dies for good.
    pub lost: bool,
    /// So many workers crash, and come back.
    pub crashes: u32,
    /// So many workers stand still for longer than a lease.
    pub pauses: u32,
    /// The working threads of so many servers are stuck for 2.5 s, and their heartbeat threads are not.
    pub half_dead: u32,
    /// So many servers die instead, for as long.
    pub dead: u32,
}

impl Default for QueueConfig {
    fn default() -> Self {
        QueueConfig {
            servers: 3,
            clients: 2,
            workers: 3,
            operations: 24,
            span_ms: 1_500,
            leases: true,
            lease_ms: 400,
            work_ms: (20, 120),
            poll_ms: 200,
            give_up_ms: 0,
            probe_ms: 0,
            suspect_ms: 250,
            faults: QueueFaults::default(),
        }
    }
}

impl QueueConfig {
    /// Bounds that types cannot say; the sentence names the key.
    pub fn wrong(&self) -> Option<String> {
        let rules = [
            ((1..=9).contains(&self.servers), "servers: 1 to 9"),
            ((1..=64).contains(&self.clients), "clients: 1 to 64"),
            (self.workers <= 64, "workers: at most 64"),
            (self.operations <= 100_000, "operations: at most 100000"),
            ((1..=600_000).contains(&self.span_ms), "span_ms: 1 to 600000"),
            ((1..=60_000).contains(&self.lease_ms), "lease_ms: 1 to 60000"),
            (self.work_ms.0 <= self.work_ms.1 && self.work_ms.1 <= 60_000, "work_ms: [low, high]"),
            ((1..=60_000).contains(&self.poll_ms), "poll_ms: 1 to 60000"),
            (
                self.faults.pauses + self.faults.crashes == 0 || self.workers > 0,
                "faults: without workers none can fail",
            ),
        ];
        broken(&rules)
    }

    /// Of the group.
    pub fn consensus(&self) -> ConsensusConfig {
        ConsensusConfig { servers: self.servers, ..ConsensusConfig::default() }
    }
}
