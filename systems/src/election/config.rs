//! Options of the election: who decides, with what care, and what goes wrong.

use crate::consensus::ConsensusConfig;
use crate::trial::broken;
use serde::{Deserialize, Serialize};

/// Who decides which member leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decider {
    /// Each member for itself: it leads if no member before it answers its pings.
    #[default]
    Ping,
    /// Each member for itself: it leads if it hears no heartbeats of a member before it.
    Heartbeats,
    /// Each member for itself: the same, with heartbeats passed on by gossip.
    Gossip,
    /// A third party, itself replicated: the first of the registered members leads while its session lasts.
    Sessions,
    /// A lease in a replicated state machine.
    Lease,
}

/// Options of the election. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ElectionConfig {
    /// Those who may lead.
    pub members: u32,
    /// Clients; each has one write open at a time.
    pub clients: u32,
    /// Writes of all clients.
    pub operations: u32,
    /// They are spread over so long, from one second on.
    pub span_ms: u64,
    /// Who decides.
    pub by: Decider,
    /// Members ping, beat, gossip or report this often.
    pub beat_ms: u64,
    /// A member that was not heard for so long is taken for dead.
    pub timeout_ms: u64,
    /// A session ends when nothing was heard for so long.
    pub session_ms: u64,
    /// The holder of a session gives up so long before it may end.
    pub margin_ms: u64,
    /// How long a lease lasts.
    pub lease_ms: u64,
    /// The allowance for clock error, epsilon.
    pub epsilon_ms: u64,
    /// The holder renews its lease before others may try.
    pub early: bool,
    /// Writes carry the token of the leadership that they are made under; the store refuses older ones.
    pub fencing: bool,
    /// Between the check that a member leads and its write to the store it works for so long.
    pub work_ms: (u64, u64),
    /// Those who replicate the decision.
    pub consensus: ConsensusConfig,
    /// What goes wrong.
    pub faults: ElectionFaults,
}

/// How often what goes wrong. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ElectionFaults {
    /// So many times a link between two members is cut, in one direction or both.
    pub cuts: u32,
    /// So many times a member is cut off from everybody.
    pub isolated: u32,
    /// So many times a member stands still.
    pub pauses: u32,
    /// So many times a member dies, and comes back.
    pub crashes: u32,
    /// So many times a server dies, and comes back.
    pub server_crashes: u32,
    /// Each of these lasts so long.
    pub lasts_ms: (u64, u64),
    /// The clock of the first member is slow by so much against those of the others; it is cut off once.
    pub clock_error_ms: u64,
}

impl Default for ElectionFaults {
    fn default() -> Self {
        ElectionFaults {
            cuts: 0,
            isolated: 0,
            pauses: 0,
            crashes: 0,
            server_crashes: 0,
            lasts_ms: (500, 1_000),
            clock_error_ms: 0,
        }
    }
}

impl Default for ElectionConfig {
    fn default() -> Self {
        ElectionConfig {
            members: 2,
            clients: 2,
            operations: 40,
            span_ms: 2_000,
            by: Decider::Ping,
            beat_ms: 60,
            timeout_ms: 200,
            session_ms: 300,
            margin_ms: 60,
            lease_ms: 300,
            epsilon_ms: 20,
            early: true,
            fencing: false,
            work_ms: (2, 10),
            consensus: ConsensusConfig::default(),
            faults: ElectionFaults::default(),
        }
    }
}

impl ElectionConfig {
    /// True if servers decide.
    pub fn is_replicated(&self) -> bool {
        matches!(self.by, Decider::Sessions | Decider::Lease)
    }

    /// Bounds that types cannot say; the sentence names the key.
    pub fn wrong(&self) -> Option<String> {
        let rules = [
            ((2..=16).contains(&self.members), "members: 2 to 16"),
            ((1..=64).contains(&self.clients), "clients: 1 to 64"),
            (self.operations <= 10_000, "operations: at most 10000"),
            ((1..=600_000).contains(&self.span_ms), "span_ms: 1 to 600000"),
            ((1..=10_000).contains(&self.beat_ms), "beat_ms: 1 to 10000"),
            (self.timeout_ms > self.beat_ms, "timeout_ms: more than beat_ms"),
            (self.session_ms > self.margin_ms + self.beat_ms, "session_ms: more than margin_ms and beat_ms"),
            (self.lease_ms > 2 * self.epsilon_ms, "lease_ms: more than twice epsilon_ms"),
            (
                self.faults.lasts_ms.0 > 0 && self.faults.lasts_ms.0 <= self.faults.lasts_ms.1,
                "faults.lasts_ms: [low, high], more than 0",
            ),
            (self.work_ms.0 <= self.work_ms.1 && self.work_ms.1 <= 10_000, "work_ms: [low, high]"),
        ];
        let rule = broken(&rules);
        rule.or_else(|| self.consensus.wrong().map(|rule| format!("consensus.{rule}")))
    }
}
