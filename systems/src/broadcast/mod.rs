//! Reliable broadcast (Bracha 1987) among nodes of which the first may lie: when it broadcasts it tells everybody something else
//! and backs each up in what it was told (claim C9).
//!
//! A node waits for all nodes but one, since one may be silent: with four nodes that is enough to outweigh a liar, with three it
//! is not.

mod message;
mod peer;
mod trial;

pub use message::{Say, Stage as Step};
pub use trial::{Broadcast, BroadcastConfig, Node};

use crate::trial::Said;
use simulation::{NodeId, Outputs};

/// There are no timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {}

type Out = Outputs<Say, Timer, (NodeId, Said)>;
