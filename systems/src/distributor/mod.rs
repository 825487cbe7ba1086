//! A work distributor: two servers, each with a pipeline of units, hand them out to workers, which write an output and commit
//! (claim C6).
//!
//! Four guarantees make a commit happen exactly once and rightly: a barrier at each change of configuration, a lease on each
//! unit, a name of its own for each output, and a token that says which server handed a unit out, checked at each operation.
//! Each can be dropped. Halfway the addresses of the two servers change places, and the configuration changes.

mod client;
mod config;
mod message;
mod node;
mod server;
mod trial;
mod worker;

pub use config::{DistributorConfig, DistributorFaults};
pub use message::{Say, Timer};
pub use node::Node;
pub use trial::Distributor;

use crate::trial::Said;
use simulation::{NodeId, Outputs};

/// The servers of the two pipelines are 0 and 1.
const SERVERS: u32 = 2;
const STORE: NodeId = 2;
const OPERATOR: NodeId = 3;
/// The clients come next, then the workers.
const CLIENTS: NodeId = 4;

type Out = Outputs<Say, Timer, (NodeId, Said)>;

fn fact(out: &mut Out, node: NodeId, what: &'static str, value: i64) {
    out.report((node, Said::Fact { what, value }));
}

fn note(out: &mut Out, node: NodeId, says: impl FnOnce() -> String) {
    out.report((node, Said::Note(says())));
}
