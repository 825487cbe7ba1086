//! A register on replicas, read and written by quorums (Attiya, Bar-Noy and Dolev 1995): how many losses it survives, what
//! failure domains do to that, and what a lying replica does (Malkhi and Reiter 1998; claim C9).
//!
//! Every replica is in a rack, and is reached only through it: a rack that fails takes all its replicas with it. A liar
//! acknowledges writes and forgets them. Where values are signed it can hide what was written but not make anything up; where
//! they are not, what is read needs the votes of more replicas than can lie.

mod client;
mod config;
mod message;
mod trial;

pub use config::{Quorum, QuorumConfig, QuorumFaults};
pub use message::{Ask, Reply, Say, Tag, Timer};
pub use trial::{Node, Quorums};

use crate::trial::Said;
use simulation::{NodeId, Outputs};

type Out = Outputs<Say, Timer, (NodeId, Said)>;
