//! What clients do: a scenario's wishes and a seed become a list of operations, before the run begins.

pub mod planned;
pub mod pubsub;

pub use planned::{ClientBehaviour, ClientPlan, PlannedCall, PlannedOperation, Reaction};
pub use pubsub::{ClientWork, PubSub, Storm, StormKind, Weights, Window};
