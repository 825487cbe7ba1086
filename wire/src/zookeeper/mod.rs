//! ZooKeeper: the serialization, the messages that are used here, and one connection to one server.

pub mod connection;
pub mod jute;
pub mod protocol;
