//! Operations of clients: invoke, then ok, fail or info.

use crate::{ClientId, DataIx, Nanos, NodeIx, OpId, ProcessId, SessionId, SnapshotId};
use serde::{Deserialize, Serialize};

/// Where an operation stands, in Jepsen's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The client is about to send it.
    Invoke,
    /// It took effect, the system said so.
    Ok,
    /// It did certainly not take effect.
    Fail,
    /// Nobody knows: it may have happened, and may still happen.
    Info,
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// Open a connection to a node; resumes the client's session where the system can.
    Connect,
    /// Register, or register again with another value.
    Publish,
    /// Take a registration back.
    Unpublish,
    /// Ask for pushes of a dataId.
    Subscribe,
    /// End a subscription.
    Unsubscribe,
    /// Read the content of a dataId once.
    Read,
    /// A round trip that proves, where it ends ok, that the session was alive at the keeper of leases.
    Ping,
    /// Leave cleanly: ok means that the server confirmed it.
    Close,
    /// Go away without a word. Completes at once with ok; nothing is confirmed by the server.
    Vanish,
}

/// One line of an operation. `op` pairs the invocation with its completion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// When it was recorded: an invocation before it is sent, a completion after it was received.
    pub time: Nanos,
    /// invoke, ok, fail or info.
    #[serde(rename = "type")]
    pub outcome: Outcome,
    /// Pairs invocation and completion; unique in a run.
    pub op: OpId,
    /// Retired after info.
    pub process: ProcessId,
    /// The client that acts.
    pub client: ClientId,
    /// What it asks for.
    pub f: Function,
    /// On which dataId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataIx>,
    /// Which registration of this client (publish, unpublish). A publisher is (client, registration).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<u32>,
    /// Which subscription of this client (subscribe, unsubscribe).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<u32>,
    /// The value published (`address#n`, unique in the run) or, for unpublish, the value last published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The session in which it runs; none for connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The node that the client was connected to, or tries to connect to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeIx>,
    /// What a read saw (ok of a read only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotId>,
    /// How much later than planned it was invoked (the one before was still open).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub late_ns: Nanos,
    /// Not in the plan's list but a planned reaction: reconnect, register again, subscribe again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reaction: bool,
    /// Why it failed or is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

fn is_zero(n: &Nanos) -> bool {
    *n == 0
}

/// A planned operation that was never started: the client was not connected, or chaos ended before its turn came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// When it was given up.
    pub time: Nanos,
    /// Whose it was.
    pub client: ClientId,
    /// What it would have asked for.
    pub f: Function,
    /// When it was due.
    pub due: Nanos,
    /// Why it was not started.
    pub why: String,
}
