//! A small but faithful registry in the shape of SOFARegistry 6, simulated: meta nodes with a leader by a database lease,
//! data nodes that keep datums in slots, session nodes that hold clients' connections, and the clients.
//!
//! - [`config`], [`mod@contract`]: its delays, and what it promises given them
//! - [`world`]: how the master drives it; `resolve` and `faults`: what goes wrong
//! - [`meta`], [`cluster`]: who is alive, who leads which slot
//! - [`data`], `migration`, [`slot`]: where registrations are kept and served from
//! - [`session`]: where clients are connected; [`clients`]: the other end
//! - [`bugs`]: planted ones
//!
//! Invariant: every node is a state machine without clock, chance or I/O of its own; a bug alters one transition of a
//! node and never what a client reports.

pub mod bugs;
pub mod clients;
pub mod cluster;
pub mod config;
pub mod contract;
mod coverage;
pub mod data;
pub mod entry;
mod faults;
pub mod layout;
pub mod membership;
pub mod message;
pub mod meta;
mod migration;
pub mod node;
mod resolve;
mod saying;
pub mod session;
mod showing;
pub mod slot;
#[cfg(test)]
mod tests;
pub mod world;

pub use bugs::Bug;
pub use config::{Ack, Generation, RegistryConfig};
pub use contract::contract;
pub use world::RegistryWorld;
