//! A queue of work, on one coordinator or on a consensus group (claim C3), and a master that is half dead (claim G5).
//!
//! Clients put units of work in, workers take them out under leases, or without; a prober asks each server for real work and has
//! one that does none taken for dead.

mod client;
mod config;
mod machine;
mod message;
mod node;
mod prober;
mod trial;
mod worker;

pub use config::{QueueConfig, QueueFaults};
pub use machine::{Answer, Command, Queue};
pub use message::{Say, Timer};
pub use node::Node;
pub use trial::QueueTrial;

use crate::trial::Said;
use simulation::{NodeId, Outputs};

type Out = Outputs<Say, Timer, (NodeId, Said)>;

fn fact(out: &mut Out, node: NodeId, what: &'static str, value: i64) {
    out.report((node, Said::Fact { what, value }));
}

fn note(out: &mut Out, node: NodeId, says: impl FnOnce() -> String) {
    out.report((node, Said::Note(says())));
}
