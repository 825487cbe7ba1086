//! What is tested. Each system is a [`World`]: the master drives it and does not know which one it is.

pub mod registry;
pub mod world;
pub mod zookeeper;

pub use world::{Call, Happening, Observation, Request, Response, SystemInfo, World, WorldError};
