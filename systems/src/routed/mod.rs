//! The routed store: clients reach a store through stateless agents, which hold routing configuration; the configuration is
//! changed while clients work, from store A to store B (updating a service while it runs; claims U1 to U8).
//!
//! With the new configuration an agent writes to store B, and reads from store B what is there and from store A what is not.
//! Each way of changing it, each guard against late requests and each way of copying is an option, the naive ones included.

mod agent;
mod centre;
mod client;
mod config;
mod draw;
mod message;
mod node;
mod store;
mod tracker;
mod trial;

pub use config::{Copying, Guard, Order, RoutedConfig, RoutedFaults, Switch};
pub use node::Node;
pub use store::PRELOADED;
pub use trial::Routed;

use crate::trial::Said;
use simulation::{NodeId, Outputs};

const CENTRE: NodeId = 0;
const STORE_A: NodeId = 1;
const STORE_B: NodeId = 2;
const TRACKER: NodeId = 3;
const COPIER: NodeId = 4;
/// The clients come next, then the agents.
const CLIENTS: NodeId = 5;

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Client: ask who accepts.
    Discover,
    /// Client: this attempt has had its time.
    TimedOut {
        /// Number of the operation.
        op: u32,
        /// Which attempt.
        attempt: u32,
    },
    /// Client: try again.
    Again {
        /// Number of the operation.
        op: u32,
        /// Which attempt.
        attempt: u32,
    },
    /// Client: this operation has had its time.
    GiveUp {
        /// Number of the operation.
        op: u32,
    },
    /// Agent: renew the lease.
    Renew,
    /// Agent: the update is done.
    Updated {
        /// Accept now.
        accept: bool,
    },
    /// Agent: the lease may be over.
    LeaseOver {
        /// Which lease.
        turn: u32,
    },
    /// Centre: begin the change.
    Change,
    /// Centre: grant leases to all.
    Batch,
    /// Centre: it has waited long enough.
    Patience {
        /// In which stage.
        turn: u32,
    },
    /// Centre: with swapped steps, stop the old half now.
    StopLate,
    /// Copier: on to the next key.
    NextKey,
}

type Out = Outputs<message::Say, Timer, (NodeId, Said)>;

fn fact(out: &mut Out, node: NodeId, what: &'static str, value: i64) {
    out.report((node, Said::Fact { what, value }));
}

fn note(out: &mut Out, node: NodeId, says: impl FnOnce() -> String) {
    out.report((node, Said::Note(says())));
}
