//! The fault side of a plan: data that can be saved, edited and run.

use crate::shape::Shape;
use history::{FaultKind, Nanos};
use serde::{Deserialize, Serialize};

/// One fault of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFault {
    /// Number in the plan.
    pub id: u32,
    /// When it begins.
    pub at: Nanos,
    /// How long the injector holds it.
    pub duration: Nanos,
    /// What kind.
    pub kind: FaultKind,
    /// On what; resolved when it is due.
    pub target: Selector,
    /// Which links, for kinds that lie on links; ignored by others.
    #[serde(default)]
    pub shape: Shape,
    /// Strength: milliseconds for delay and clock steps (signed), parts per million for drift (signed), per mille of
    /// messages for loss, duplicate and reorder, microseconds a step for slow, bytes a second for throttle,
    /// slots for rebalance.
    #[serde(default)]
    pub amount: i64,
}

/// Which node. Resolved when the fault is due and recorded; no match means not bitten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Only nodes of this role; none: of any role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Which of them.
    pub pick: Pick,
    /// Breaks ties: index modulo the number of candidates, in the order of the system's node list.
    #[serde(default)]
    pub draw: u32,
}

/// Which of several nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// Any node that runs, by the draw.
    #[default]
    Any,
    /// The leader (ZooKeeper's leader, the meta leader, a data node that leads most slots).
    Leader,
    /// A node that is not the leader.
    Follower,
    /// The node that a client is connected to.
    OfClient(u32),
    /// This one.
    Named(String),
}
