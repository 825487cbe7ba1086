//! Options of the replicated register.

use crate::trial::broken;
use serde::{Deserialize, Serialize};

/// How many replicas have to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quorum {
    /// More than half.
    #[default]
    Majority,
    /// All but one: as many as one can wait for when one may be silent.
    AllButOne,
}

/// Options of the register. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuorumConfig {
    /// Replicas.
    pub replicas: u32,
    /// Racks; replicas are dealt out to them in turn.
    pub racks: u32,
    /// Clients; each has one operation open at a time.
    pub clients: u32,
    /// Registers.
    pub keys: u32,
    /// Operations of all clients.
    pub operations: u32,
    /// They are spread over so long.
    pub span_ms: u64,
    /// How many replicas have to answer.
    pub quorum: Quorum,
    /// Values are signed by who wrote them; otherwise they need the votes of two replicas.
    pub signed: bool,
    /// Clients ask again after so long.
    pub retry_ms: u64,
    /// Clients give up after so long.
    pub give_up_ms: u64,
    /// What goes wrong.
    pub faults: QuorumFaults,
}

/// What goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuorumFaults {
    /// So many replicas die for good.
    pub lost: u32,
    /// The first rack fails for good.
    pub rack: bool,
    /// The first replica lies.
    pub liar: bool,
    /// So many times what a client sends to a rack is late.
    pub late: u32,
}

impl Default for QuorumConfig {
    fn default() -> Self {
        QuorumConfig {
            replicas: 3,
            racks: 3,
            clients: 3,
            keys: 2,
            operations: 40,
            span_ms: 1_000,
            quorum: Quorum::Majority,
            signed: true,
            retry_ms: 100,
            give_up_ms: 1_500,
            faults: QuorumFaults::default(),
        }
    }
}

impl QuorumConfig {
    /// Bounds that types cannot say; the sentence names the key.
    pub fn wrong(&self) -> Option<String> {
        let rules = [
            ((1..=31).contains(&self.replicas), "replicas: 1 to 31"),
            ((1..=self.replicas).contains(&self.racks), "racks: 1 to the number of replicas"),
            ((1..=64).contains(&self.clients), "clients: 1 to 64"),
            ((1..=1_000).contains(&self.keys), "keys: 1 to 1000"),
            (self.operations <= 100_000, "operations: at most 100000"),
            ((1..=60_000).contains(&self.retry_ms), "retry_ms: 1 to 60000"),
            ((1..=60_000).contains(&self.give_up_ms), "give_up_ms: 1 to 60000"),
            (self.faults.lost <= self.replicas, "faults.lost: at most the number of replicas"),
        ];
        broken(&rules)
    }

    /// So many replicas have to answer.
    pub fn needed(&self) -> usize {
        match self.quorum {
            Quorum::Majority => self.replicas as usize / 2 + 1,
            Quorum::AllButOne => self.replicas as usize - 1,
        }
    }
}
