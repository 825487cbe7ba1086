//! Master-worker roll-out: a new version, good or bad, is brought to a cluster step by step while clients ask workers through a
//! gateway (gradual roll-out; claims G1 to G4, and the canary of C8).
//!
//! A deployer works through an upgrade plan: a step, a window of observation, and a rule that halts. Workers may be upgraded in
//! batches, or the masters that send orders to workers, or what masters and workers share: an SDK in every process, or an agent
//! beside it. Each remedy is an option, and so is each hole in it. Nothing is lost on the network in this trial: what goes
//! wrong is the new version.

mod config;
mod deployer;
mod draw;
mod gateway;
mod master;
mod message;
mod node;
mod steps;
mod trial;
mod worker;

pub use config::{Chokes, Halt, Interaction, Observe, RolloutConfig, Sdk, Target};
pub use node::Node;
pub use trial::Rollout;

use crate::trial::Said;
use simulation::{NodeId, Outputs};

const DEPLOYER: NodeId = 0;
const GATEWAY: NodeId = 1;
/// The clients come next, then masters, workers and agents.
const CLIENTS: NodeId = 2;

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Deployer: take the next step.
    Step,
    /// Deployer: the step is taken, begin to look.
    Watch,
    /// Deployer: look at what the gateway has seen.
    Look,
    /// Master: send orders. Worker: ask for orders.
    Round,
}

type Out = Outputs<message::Say, Timer, (NodeId, Said)>;

fn fact(out: &mut Out, node: NodeId, what: &'static str, value: i64) {
    out.report((node, Said::Fact { what, value }));
}

fn note(out: &mut Out, node: NodeId, says: impl FnOnce() -> String) {
    out.report((node, Said::Note(says())));
}
