//! Options of the roll-out: what is upgraded, how it is watched, and what is wrong with the new version.

use crate::trial::broken;
use serde::{Deserialize, Serialize};

/// What gets the new version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The workers, in batches: the new version answers requests badly.
    #[default]
    Workers,
    /// The masters: followers first, then another one leads, and speaks the new form to its workers.
    Masters,
    /// First the SDK in every process (or the agent beside it), in batches, and then the masters.
    Sdk,
}

/// Who cannot handle the new form of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chokes {
    /// Code of the old version, which does not know the new field.
    #[default]
    Old,
    /// Code of the new version, which slept until it got one; the old one takes no notice.
    New,
}

/// What makes the deployer halt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Halt {
    /// Nothing.
    None,
    /// The share of requests that failed, as clients see it.
    #[default]
    Errors,
    /// The share of requests that the gateway had to try again.
    Retries,
}

/// Which requests the deployer looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observe {
    /// All of them.
    #[default]
    All,
    /// Those to workers that were upgraded.
    Upgraded,
}

/// Where masters and workers meet in the new form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interaction {
    /// In the orders that masters send.
    #[default]
    Orders,
    /// In what masters answer when workers ask.
    Answers,
}

/// What stands between a master and a process that works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sdk {
    /// Nothing, or an SDK in the process itself.
    #[default]
    Full,
    /// A small SDK in the process, the rest in an agent beside it.
    Thin,
}

/// Options of the roll-out. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutConfig {
    /// Workers.
    pub workers: u32,
    /// They belong to so many clusters (or applications) of the same size.
    pub clusters: u32,
    /// Workers that hold the same shard.
    pub replicas: u32,
    /// The gateway tries a request so often, each time with another worker of the shard.
    pub attempts: u32,
    /// Clients.
    pub clients: u32,
    /// Requests of all clients.
    pub operations: u32,
    /// They are spread over so long.
    pub span_ms: u64,
    /// Groups of masters; each leads its share of the workers.
    pub shards: u32,
    /// Masters of a group.
    pub masters: u32,
    /// What is upgraded.
    pub target: Target,
    /// Workers of a batch.
    pub batch: u32,
    /// Workers of the first batch; 0: as many as in the others.
    pub canary: u32,
    /// How long is looked after each step.
    pub window_ms: u64,
    /// What makes the deployer halt.
    pub halt: Halt,
    /// Beyond so many in 1,000.
    pub halt_permille: u64,
    /// Which requests it looks at.
    pub observe: Observe,
    /// A window with fewer requests is extended.
    pub evidence: u64,
    /// Halt after so many steps; 0: never.
    pub stop_after: u32,
    /// New requests go to so many workers of a group first, and to as many more after each window; 0: to all at once.
    pub gradual: u32,
    /// Where the new form is spoken.
    pub interaction: Interaction,
    /// Who cannot handle it.
    pub chokes: Chokes,
    /// What stands between masters and processes.
    pub sdk: Sdk,
    /// The plan allows so many workers to be hurt.
    pub allowed: u32,
    /// What goes wrong.
    pub faults: RolloutFaults,
}

/// What is wrong with the new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutFaults {
    /// It is bad.
    pub bad: bool,
    /// The agent hands orders on as they are.
    pub verbatim: bool,
}

impl Default for RolloutFaults {
    fn default() -> Self {
        RolloutFaults { bad: true, verbatim: false }
    }
}

impl Default for RolloutConfig {
    fn default() -> Self {
        RolloutConfig {
            workers: 8,
            clusters: 1,
            replicas: 1,
            attempts: 1,
            clients: 4,
            operations: 240,
            span_ms: 2_400,
            shards: 1,
            masters: 3,
            target: Target::Workers,
            batch: 2,
            canary: 0,
            window_ms: 300,
            halt: Halt::Errors,
            halt_permille: 375,
            observe: Observe::All,
            evidence: 1,
            stop_after: 0,
            gradual: 0,
            interaction: Interaction::Orders,
            chokes: Chokes::Old,
            sdk: Sdk::Full,
            allowed: 4,
            faults: RolloutFaults::default(),
        }
    }
}

impl RolloutConfig {
    /// Bounds that types cannot say; the sentence names the key.
    pub fn wrong(&self) -> Option<String> {
        let divides = |part: u32| part > 0 && self.workers.is_multiple_of(part);
        let rules = [
            ((1..=256).contains(&self.workers), "workers: 1 to 256"),
            (divides(self.clusters), "clusters: divides workers"),
            (divides(self.replicas), "replicas: divides workers"),
            (divides(self.shards), "shards: divides workers"),
            ((1..=8).contains(&self.attempts), "attempts: 1 to 8"),
            ((1..=64).contains(&self.clients), "clients: 1 to 64"),
            (self.operations <= 100_000, "operations: at most 100000"),
            ((1..=600_000).contains(&self.span_ms), "span_ms: 1 to 600000"),
            ((2..=7).contains(&self.masters), "masters: 2 to 7"),
            (self.batch > 0, "batch: at least 1"),
            ((1..=60_000).contains(&self.window_ms), "window_ms: 1 to 60000"),
        ];
        broken(&rules)
    }

    /// The cluster of a worker.
    pub fn cluster(&self, worker: u32) -> u32 {
        worker / (self.workers / self.clusters)
    }

    /// The group of masters that leads a worker.
    pub fn shard(&self, worker: u32) -> u32 {
        worker / (self.workers / self.shards)
    }
}
