//! First and last line of a history.

use crate::{ClientId, Contract};
use serde::{Deserialize, Serialize};

/// Version of the schema of histories that this program writes.
pub const SCHEMA: u32 = 1;

/// The first line: what was run, on what, and what that promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The run's seed.
    pub seed: u64,
    /// `upheaval 0.1.0`.
    pub program: String,
    /// Hash of the plan, hexadecimal.
    pub plan_hash: String,
    /// The system under test.
    pub system: SystemName,
    /// True if time is virtual.
    pub virtual_time: bool,
    /// The system's nodes; [`crate::NodeIx`] counts from 0 in this list.
    pub nodes: Vec<Node>,
    /// Names of dataIds; [`crate::DataIx`] counts from 0 in this list.
    pub data_ids: Vec<String>,
    /// How many clients the plan has.
    pub clients: u32,
    /// Clients that register once at the start and never change.
    pub pinned: Vec<ClientId>,
    /// What the system promises.
    pub contract: Contract,
    /// How many final reads a complete run makes (every dataId on every node that serves clients).
    #[serde(default)]
    pub final_reads: u32,
    /// The planted bug, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
}

/// Name and version of the system and of the client library that speaks to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemName {
    /// `registry`, `zookeeper` ...
    pub name: String,
    /// The system's own version.
    pub version: String,
    /// Client library and its version.
    pub client: String,
}

/// A node of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// `session-2`, `n1` ...
    pub name: String,
    /// `session`, `data`, `meta`, `server` ...
    pub role: String,
    /// True if clients connect to it.
    pub serves_clients: bool,
}

/// The last line: proof that nothing is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Number of events between header and closing line.
    pub events: u64,
    /// SHA-256 over all lines before this one, each with its newline, hexadecimal.
    pub hash: String,
}
