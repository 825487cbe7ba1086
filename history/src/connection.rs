//! What became of a client's connection and session.

use crate::{ClientId, Nanos, NodeIx, SessionId};
use serde::{Deserialize, Serialize};

/// A step in the life of a session, as the client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionState {
    /// A new session began: nothing that the client held before is held by it.
    Connected,
    /// The server confirmed that the earlier session goes on, on this node.
    Resumed,
    /// The connection broke; the session may or may not live on.
    Lost,
    /// The server said that the session is over.
    Expired,
    /// The server confirmed a clean close.
    Closed,
}

/// A step in the life of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// When the client saw it.
    pub time: Nanos,
    /// Whose session.
    pub client: ClientId,
    /// Which session.
    pub session: SessionId,
    /// What happened.
    pub state: ConnectionState,
    /// On which node, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeIx>,
    /// The system's own name of the session, with [`ConnectionState::Connected`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why, in the client library's or the system's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
