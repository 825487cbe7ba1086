//! What a probe asks of a registry, and what it sees of it: everything that an adapter has to understand.

use history::{ClientId, ConnectionState, DataIx, Nanos, NodeIx, OpId};
use std::sync::Arc;

/// Contents as pushes carry them, sorted.
pub type Elements = Arc<[Arc<str>]>;

/// An operation to perform. A canary has one open at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub op: OpId,
    /// Whose it is.
    pub client: ClientId,
    /// What to do.
    pub ask: Ask,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Connect to this server; offer the session of before where `resume` says so.
    Connect {
        /// Which.
        node: NodeIx,
        /// With the session of before.
        resume: bool,
    },
    /// Register this value, in place of whatever this client has on this dataId.
    Publish {
        /// Where.
        data: DataIx,
        /// What.
        value: Arc<str>,
    },
    /// Take back whatever this client has on this dataId.
    Unpublish {
        /// Where.
        data: DataIx,
    },
    /// Be told of every content of this dataId from now on, until the connection ends.
    Subscribe {
        /// Of what.
        data: DataIx,
    },
    /// Prove that the session is alive where leases are kept.
    Ping,
    /// Give the session back.
    Close,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Done.
    Ok,
    /// Certainly not done.
    Fail(String),
    /// Nobody knows.
    Info(String),
}

/// Something that a canary saw.
#[derive(Clone, Debug)]
pub enum Seen {
    /// An operation ended. A connection that was lost by it was reported before.
    Done {
        /// Which.
        op: OpId,
        /// How.
        response: Response,
    },
    /// A content was pushed.
    Push {
        /// To whom.
        client: ClientId,
        /// Of which dataId.
        data: DataIx,
        /// The system's version of it.
        version: Option<u64>,
        /// The content.
        elements: Elements,
        /// How large it was on the wire.
        bytes: u64,
    },
    /// The connection or session of a canary changed.
    Connection {
        /// Whose.
        client: ClientId,
        /// What became of it.
        state: ConnectionState,
        /// The system's name of the session, where it is new.
        name: Option<String>,
        /// Why.
        reason: Option<String>,
    },
}

/// What was seen, and when.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// When, since the start of the probe, by a clock that nobody sets.
    pub time: Nanos,
    /// What.
    pub what: Seen,
}
