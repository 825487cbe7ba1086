//! The vocabulary of a run: what clients did, what they were shown, what went wrong and when; and how that record is
//! written to disk and read again.
//!
//! Everything else in the workspace speaks these types. The history is the only source for verdicts and reports, so
//! whatever a checker needs to know (the contract of the system, its nodes, the faults and what each of them touched)
//! stands in it.

pub mod calls;
pub mod cat;
pub mod connection;
pub mod contents;
pub mod contract;
pub mod error;
pub mod event;
pub mod export;
pub mod fact;
mod fast;
pub mod fault;
pub mod header;
pub mod line;
mod lines;
pub mod operation;
pub mod push;
pub mod reader;
mod references;
pub mod routes;
pub mod snapshots;
pub mod source;
pub mod stats;
pub mod time;
pub mod writer;

pub use cat::Cat;
pub use connection::{Connection, ConnectionState};
pub use contents::{Content, Contents};
pub use contract::{Contract, Copies, Keeper};
pub use error::Error;
pub use event::{Event, Phase, PhaseName};
pub use export::export;
pub use fact::Fact;
pub use fault::{Effect, Fault, FaultKind, FaultStage};
pub use header::{Closing, Header, Node, SCHEMA, SystemName};
pub use operation::{Dropped, Function, Operation, Outcome};
pub use push::{Push, Snapshot};
pub use reader::{Damage, End, Loaded, Reader, read};
pub use routes::Routes;
pub use snapshots::{Interned, Interner};
pub use source::{Source, Stored};
pub use stats::{Stats, stats, word};
pub use time::{MILLI, Nanos, SECOND};
pub use writer::{Finished, Writer};

/// A simulated client, numbered from 0; stable over reconnects and over machines.
pub type ClientId = u32;
/// Index of a dataId in [`Header::data_ids`].
pub type DataIx = u32;
/// Index of a node in [`Header::nodes`].
pub type NodeIx = u32;
/// One session of one client with the system, numbered in the order in which the run saw them.
pub type SessionId = u32;
/// One interned content, see [`Snapshot`].
pub type SnapshotId = u32;
/// A process in Jepsen's sense: retired when one of its operations ends as [`Outcome::Info`].
pub type ProcessId = u32;
/// Pairs an invocation with its completion.
pub type OpId = u32;
