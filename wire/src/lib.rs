//! The client side of real systems' protocols, for the adapters of runs and for the probe. It is a crate of its own so that the
//! probe can speak to a production registry without the code that injects faults being anywhere in its dependencies.

pub mod stream;
pub mod tls;
pub mod zookeeper;
