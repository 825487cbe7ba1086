//! Options of the work distributor.

use crate::trial::broken;
use serde::{Deserialize, Serialize};

/// Options of the work distributor. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DistributorConfig {
    /// Clients.
    pub clients: u32,
    /// Workers; every other one works for the second pipeline.
    pub workers: u32,
    /// Units, in turn of either pipeline.
    pub operations: u32,
    /// They come within so long.
    pub span_ms: u64,
    /// How long a worker works on a unit.
    pub work_ms: (u64, u64),
    /// How long a lease lasts.
    pub lease_ms: u64,
    /// An idle worker asks again after so long.
    pub poll_ms: u64,
    /// Work done by an older configuration is not committed.
    pub barrier: bool,
    /// Only who holds the lease on a unit commits it.
    pub lease: bool,
    /// Each output has a name of its own.
    pub unique_names: bool,
    /// Each operation says which server it is for.
    pub token: bool,
    /// What goes wrong.
    pub faults: DistributorFaults,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DistributorFaults {
    /// So many times a worker stands still for longer than a lease.
    pub pauses: u32,
    /// So many times a worker crashes, and comes back.
    pub crashes: u32,
    /// So many times a server crashes, and comes back.
    pub server_crashes: u32,
}

impl Default for DistributorFaults {
    fn default() -> Self {
        DistributorFaults { pauses: 4, crashes: 1, server_crashes: 1 }
    }
}

impl Default for DistributorConfig {
    fn default() -> Self {
        DistributorConfig {
            clients: 2,
            workers: 6,
            operations: 60,
            span_ms: 1_200,
            work_ms: (20, 120),
            lease_ms: 250,
            poll_ms: 60,
            barrier: true,
            lease: true,
            unique_names: true,
            token: true,
            faults: DistributorFaults::default(),
        }
    }
}

impl DistributorConfig {
    /// Bounds that types cannot say; the sentence names the key.
    pub fn wrong(&self) -> Option<String> {
        let rules = [
            ((1..=64).contains(&self.clients), "clients: 1 to 64"),
            ((2..=64).contains(&self.workers), "workers: 2 to 64"),
            (self.operations <= 900, "operations: at most 900"),
            ((1..=60_000).contains(&self.span_ms), "span_ms: 1 to 60000"),
            (self.work_ms.0 <= self.work_ms.1 && self.work_ms.1 <= 60_000, "work_ms: [low, high]"),
            ((1..=60_000).contains(&self.lease_ms), "lease_ms: 1 to 60000"),
            ((1..=60_000).contains(&self.poll_ms), "poll_ms: 1 to 60000"),
        ];
        broken(&rules)
    }
}
