//! What is tested. Systems with clients of their own kind are [`trial::Trial`]s, small and embedded, one for each group of claims.
//! Registries are [`World`]s: the master drives them and does not know which one it is.

pub mod barrier;
pub mod broadcast;
pub mod consensus;
pub mod cron;
pub mod delivery;
pub mod distributor;
pub mod election;
pub mod failing;
pub mod herd;
pub mod levels;
pub mod proposers;
pub mod proxies;
pub mod queue;
pub mod quorum;
pub mod reads;
pub mod registry;
pub mod rollout;
pub mod routed;
pub mod trial;
pub mod world;
pub mod zookeeper;

pub use world::{Call, Happening, NodeState, Observation, Request, Response, SystemInfo, World, WorldError};
