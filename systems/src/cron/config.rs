//! Options of the cron.

use crate::consensus::ConsensusConfig;
use crate::trial::broken;
use serde::{Deserialize, Serialize};

/// What a leader does about a job that was begun and of which nobody knows whether it was launched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// It launches it under its name: a launch under the same name does nothing the second time.
    #[default]
    Named,
    /// It asks the executor whether it was.
    Ask,
    /// It launches it again.
    Again,
    /// It lets it be.
    Skip,
}

/// Options of the cron. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CronConfig {
    /// Servers.
    pub servers: u32,
    /// Jobs.
    pub operations: u32,
    /// They are due within so long.
    pub span_ms: u64,
    /// All are due at one instant.
    pub midnight: bool,
    /// Each job is put off by a time of its own, up to so long; 0: none is.
    pub spread_ms: u64,
    /// What is done where nobody knows.
    pub doubt: Doubt,
    /// Between the record that a job is begun and its launch.
    pub prepare_ms: u64,
    /// A launch takes so long.
    pub launch_ms: u64,
    /// Launches within 20 ms that the executor is built for; 0: no matter.
    pub peak_max: u32,
    /// What goes wrong.
    pub faults: CronFaults,
}

/// What goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CronFaults {
    /// So many times a server crashes, and comes back.
    pub crashes: u32,
    /// So many times a server stands still.
    pub pauses: u32,
}

impl Default for CronConfig {
    fn default() -> Self {
        CronConfig {
            servers: 3,
            operations: 24,
            span_ms: 2_000,
            midnight: false,
            spread_ms: 0,
            doubt: Doubt::Named,
            prepare_ms: 15,
            launch_ms: 15,
            peak_max: 0,
            faults: CronFaults::default(),
        }
    }
}

impl CronConfig {
    /// Bounds that types cannot say; the sentence names the key.
    pub fn wrong(&self) -> Option<String> {
        let rules = [
            ((1..=9).contains(&self.servers), "servers: 1 to 9"),
            (self.operations <= 10_000, "operations: at most 10000"),
            ((1..=600_000).contains(&self.span_ms), "span_ms: 1 to 600000"),
            (self.spread_ms <= 600_000, "spread_ms: at most 600000"),
            (self.prepare_ms <= 60_000 && self.launch_ms <= 60_000, "prepare_ms, launch_ms: at most 60000"),
        ];
        broken(&rules)
    }

    /// Of the group.
    pub fn consensus(&self) -> ConsensusConfig {
        ConsensusConfig { servers: self.servers, ..ConsensusConfig::default() }
    }
}
