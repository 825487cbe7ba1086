//! The discrete-event kernel: virtual time, network, node clocks, random streams.
//!
//! Nodes are state machines ([`Machine`]); the [`Kernel`] steps them in order of (time, sequence). Everything is sans-IO
//! and deterministic: no sockets, no clock of the host, no map with a random order.

mod arrivals;
pub mod clock;
pub mod disk;
mod host;
pub mod kernel;
pub mod link;
pub mod machine;
mod network;
pub mod queue;
pub mod stream;
pub mod trace;
mod wheel;

pub use clock::{Clock, Now};
pub use disk::Disk;
pub use kernel::{Counters, Kernel};
pub use link::{Latency, Trouble};
pub use machine::{Channel, Input, Machine, Message, NO_CHANNEL, NodeId, Outputs, fetch};
pub use queue::EventQueue;
pub use stream::{Stream, hash_begin, hash_draw, hash_on};
pub use trace::Traced;
