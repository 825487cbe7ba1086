//! A herd: clients of one server try again after it went away, each by the same policy (retries; claim C8).
//!
//! All requests that the server had are lost at one instant, so that all clients wait for the same time. Whether they come back
//! together hangs on the policy: the same delay each time, a growing one, a growing one with jitter.

mod client;
mod config;
mod message;
mod trial;

pub use config::{HerdConfig, Retry};
pub use message::{Say, Timer};
pub use trial::{Herd, Node};

use crate::trial::Said;
use simulation::{NodeId, Outputs};

const SERVER: NodeId = 0;
/// The clients come next.
const CLIENTS: NodeId = 1;

type Out = Outputs<Say, Timer, (NodeId, Said)>;
