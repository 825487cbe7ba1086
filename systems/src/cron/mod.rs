//! A distributed cron: servers that agree on which jobs were begun and which were launched, and one of them, the leader, that
//! launches them (claim C5).
//!
//! Before a launch the leader has it recorded that the job is begun, and after it that the job is launched. A new leader that
//! finds a job begun and not launched does not know whether it was: what it does then is an option. The executor, which runs
//! jobs, takes no orders of a leader older than one that it has heard of.

mod config;
mod executor;
mod machine;
mod message;
mod node;
mod scheduler;
mod trial;

pub use config::{CronConfig, CronFaults, Doubt};
pub use machine::{Answer, Command, Ledger};
pub use message::{Say, Timer};
pub use node::Node;
pub use trial::Cron;

use crate::trial::Said;
use simulation::{NodeId, Outputs};

type Out = Outputs<Say, Timer, (NodeId, Said)>;

fn fact(out: &mut Out, node: NodeId, what: &'static str, value: i64) {
    out.report((node, Said::Fact { what, value }));
}

fn note(out: &mut Out, node: NodeId, says: impl FnOnce() -> String) {
    out.report((node, Said::Note(says())));
}
