//! Pushes to subscribers, and the contents they carry.

use crate::{ClientId, DataIx, Nanos, NodeIx, SessionId, SnapshotId};
use serde::{Deserialize, Serialize};

/// A subscriber was shown a content. Its view is this content until the next push, a disconnect or a resubscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// When the client received it.
    pub time: Nanos,
    /// Who received it.
    pub client: ClientId,
    /// In which session.
    pub session: SessionId,
    /// For which of the client's subscriptions.
    pub subscription: u32,
    /// Of which dataId.
    pub data: DataIx,
    /// What it says.
    pub snapshot: SnapshotId,
    /// The system's own version of the content, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Through which node it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeIx>,
}

/// A content, written once before its first use and referred to by number afterwards. It is given as a difference to an
/// earlier content of the same dataId, so that a large content that changes by one element costs one element.
/// A content is a multiset: an element may occur twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Numbered from 0 in order of first use.
    pub id: SnapshotId,
    /// Whose content it is.
    pub data: DataIx,
    /// The content it differs from; the empty content if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<SnapshotId>,
    /// Elements (published values) that it has and the base has not, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Elements that the base has and it has not, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}
