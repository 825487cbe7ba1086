//! How large a plan is.

use crate::plan::{Plan, SystemPlan};
use history::{ClientId, DataIx, MILLI};
use reports::format::counted;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// What is counted of a plan. Everything that is planned counts: connects and what pinned clients do are operations too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Planned operations.
    pub operations: usize,
    /// Planned faults.
    pub faults: usize,
    /// Clients that act.
    pub clients: usize,
    /// DataIds that are used.
    pub data_ids: usize,
    /// Nodes of the cluster.
    pub nodes: u32,
    /// Slots of the cluster.
    pub slots: u32,
    /// Warm-up and chaos.
    pub length_ms: u64,
}

/// More operations than this are no short story.
const OPERATIONS_FEW: usize = 12;
/// Nor are more faults.
const FAULTS_FEW: usize = 3;

impl Size {
    /// True if there is more left than makes a short story.
    pub fn is_much(&self) -> bool {
        self.operations > OPERATIONS_FEW || self.faults > FAULTS_FEW
    }

    /// What orders sizes: the smaller the better. Fewer faults count before fewer operations, but a short story before both.
    pub fn worth(&self) -> (bool, usize, usize) {
        (self.is_much(), self.faults, self.operations)
    }

    /// Of this plan.
    pub fn of(plan: &Plan) -> Size {
        let clients: BTreeSet<ClientId> = plan.operations.iter().map(|operation| operation.client).collect();
        let data_ids: BTreeSet<DataIx> = plan.operations.iter().filter_map(|operation| operation.call.data()).collect();
        let (nodes, slots) = match &plan.system {
            SystemPlan::Registry(config) => (config.sessions + config.data + config.metas, config.slots),
            // A real system has the nodes that it has.
            SystemPlan::Zookeeper(_) => (0, 0),
        };
        Size {
            operations: plan.operations.len(),
            faults: plan.faults.len(),
            clients: clients.len(),
            data_ids: data_ids.len(),
            nodes,
            slots,
            length_ms: (plan.time.warmup_ns + plan.time.chaos_ns) / MILLI,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: usize, plural: &str| counted(number as u64, plural);
        write!(f, "{} and {}", count(self.operations, "operations"), count(self.faults, "faults"))
    }
}
