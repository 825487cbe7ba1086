//! Tests of the whole registry, with a small driver of their own: clients that come back, register and subscribe again.
#![allow(clippy::unwrap_used)]

mod breaker;
mod calm;
mod driver;
mod faults;
mod fuzz;
mod literal;
mod model;
mod tracing;

use super::RegistryConfig;
use super::bugs::Bug;
use super::world::RegistryWorld;

/// A registry with the default delays.
fn world(clients: u32, seed: u64, bug: Option<Bug>) -> RegistryWorld {
    RegistryWorld::new(RegistryConfig::default(), clients, 8, seed, bug)
}
