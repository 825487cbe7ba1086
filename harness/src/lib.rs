//! The `upheaval` program: plans, the master loop, the store, the command line.

pub mod attempt;
pub mod bugs;
pub mod claims;
pub mod cli;
pub mod clients;
pub mod driver;
pub mod error;
pub mod explore;
pub mod fingerprint;
pub mod gate;
pub mod master;
pub mod measuring;
pub mod metrics;
pub mod observer;
pub mod plan;
pub mod progress;
pub mod recorder;
pub mod recording;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod slack;
pub mod store;
pub mod swarm;
pub mod verdict;
pub mod walk;
pub mod worlds;

/// Name and version, as histories and plans carry them.
pub const PROGRAM: &str = concat!("upheaval ", env!("CARGO_PKG_VERSION"));
