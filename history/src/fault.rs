//! Faults as they happened: what was touched, from when until when, and the proof that it bit.

use crate::{ClientId, Nanos};
use serde::{Deserialize, Serialize};

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The process is killed (SIGKILL); volatile state is lost; it is started again at the end.
    Kill,
    /// The process stands still (SIGSTOP) and goes on at the end (SIGCONT).
    Pause,
    /// Directed links are cut.
    Partition,
    /// Directed links are slow.
    Delay,
    /// Directed links lose messages.
    Loss,
    /// A node's clock jumps, and jumps back at the end.
    ClockStep,
    /// A node's clock runs too fast or too slow.
    ClockDrift,
    /// Each step of a node takes time: it works, but slowly, and what it cannot do at once waits.
    Slow,
    /// A node's heartbeats go on and are answered, but its work stands still (G5).
    HalfDead,
    /// Directed links deliver some messages twice.
    Duplicate,
    /// Directed links let some messages overtake others.
    Reorder,
    /// Directed links carry few bytes a second: messages queue up.
    Throttle,
    /// A node takes no newer routing table than the one that it has.
    StaleTable,
    /// The leaders of some slots change hands, as an operator or the system itself does it in daily life: no failure, but no
    /// calm either.
    Rebalance,
    /// The master itself was late: real runs only, found by the master, never planned.
    MasterLag,
}

impl FaultKind {
    /// Those that a plan may hold, in the order of lists. [`FaultKind::MasterLag`] is found, never planned.
    pub const PLANNED: [FaultKind; 14] = [
        FaultKind::Kill,
        FaultKind::Pause,
        FaultKind::Partition,
        FaultKind::Delay,
        FaultKind::Loss,
        FaultKind::ClockStep,
        FaultKind::ClockDrift,
        FaultKind::Slow,
        FaultKind::HalfDead,
        FaultKind::Duplicate,
        FaultKind::Reorder,
        FaultKind::Throttle,
        FaultKind::StaleTable,
        FaultKind::Rebalance,
    ];

    /// True if it lies on links between nodes; false if on a node as a whole.
    pub fn is_on_links(self) -> bool {
        match self {
            FaultKind::Partition
            | FaultKind::Delay
            | FaultKind::Loss
            | FaultKind::Duplicate
            | FaultKind::Reorder
            | FaultKind::Throttle => true,
            FaultKind::Kill
            | FaultKind::Pause
            | FaultKind::ClockStep
            | FaultKind::ClockDrift
            | FaultKind::Slow
            | FaultKind::HalfDead
            | FaultKind::StaleTable
            | FaultKind::Rebalance
            | FaultKind::MasterLag => false,
        }
    }
}

/// Where a fault stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultStage {
    /// It begins.
    Start,
    /// The injector has stopped.
    End,
    /// Its target serves again: only now is the fault over. Carries the measured effect.
    Serving,
    /// It was due, but nothing matched its selector or the injector failed: it never began. `detail` says why.
    Missed,
}

/// One step of a fault. `id` ties the steps together; nodes, links and clients are the same in each of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// When.
    pub time: Nanos,
    /// Which fault of the run.
    pub id: u32,
    /// Which step of it.
    pub stage: FaultStage,
    /// What kind.
    pub kind: FaultKind,
    /// Names of nodes that do not work as they should: killed, paused, slow, half-dead, with a wrong clock or an old table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// Directed links (from, to) that do not work as they should. An end is a node's name, or `clients` for all clients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<(String, String)>,
    /// Clients touched one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientId>,
    /// For people: "kill -9 n2 (leader)", "n1 -> n3 cut".
    pub detail: String,
    /// With [`FaultStage::Serving`]: what was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

/// The measured effect of a fault; intention does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Whether it bit.
    pub bit: bool,
    /// How much, in `unit`.
    pub amount: i64,
    /// `ms without service`, `frames dropped`, `ms of clock error`, `messages dropped` ...
    pub unit: String,
}
