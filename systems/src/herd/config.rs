//! Options of the herd.

use crate::trial::broken;
use serde::{Deserialize, Serialize};

/// How long a client waits before it tries again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The same time after each attempt.
    #[default]
    Fixed,
    /// The same on average, drawn anew each time.
    Jitter,
    /// Twice as long after each attempt.
    Growing,
    /// Twice as long on average, drawn anew each time.
    GrowingJitter,
}

/// Options of the herd. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HerdConfig {
    /// Clients.
    pub clients: u32,
    /// Requests that the server has when it goes away.
    pub operations: u32,
    /// Requests that come in the two seconds afterwards.
    pub later: u32,
    /// How long the server works on a request.
    pub work_ms: u64,
    /// It takes so many within 5 ms, and refuses what comes beyond; 0: any number.
    pub capacity: u32,
    /// How clients try again.
    pub retry: Retry,
    /// Their first delay.
    pub delay_ms: u64,
    /// No delay is longer.
    pub delay_ms_max: u64,
    /// An attempt times out.
    pub timeout_ms: u64,
    /// The load that the server is built for: requests within 5 ms.
    pub peak_max: u32,
    /// How long the server is away.
    pub away_ms: (u64, u64),
}

impl Default for HerdConfig {
    fn default() -> Self {
        HerdConfig {
            clients: 16,
            operations: 16,
            later: 16,
            work_ms: 250,
            capacity: 6,
            retry: Retry::Fixed,
            delay_ms: 200,
            delay_ms_max: 3_200,
            timeout_ms: 600,
            peak_max: 6,
            away_ms: (500, 900),
        }
    }
}

impl HerdConfig {
    /// Bounds that types cannot say; the sentence names the key.
    pub fn wrong(&self) -> Option<String> {
        let rules = [
            ((1..=1_000).contains(&self.clients), "clients: 1 to 1000"),
            (self.operations <= 10_000 && self.later <= 10_000, "operations, later: at most 10000"),
            (self.timeout_ms > self.work_ms && self.timeout_ms <= 60_000, "timeout_ms: more than work_ms"),
            ((1..=60_000).contains(&self.delay_ms), "delay_ms: 1 to 60000"),
            ((self.delay_ms..=60_000).contains(&self.delay_ms_max), "delay_ms_max: at least delay_ms"),
            (self.away_ms.0 <= self.away_ms.1 && self.away_ms.1 <= 60_000, "away_ms: [low, high]"),
        ];
        broken(&rules)
    }
}
