//! What is wrong right now, as the monitor and the canaries see it: the raw material of incidents.

use history::{ClientId, DataIx, Nanos, NodeIx};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A publisher that was there all along is missing in what a subscriber is shown.
    Incomplete,
    /// An address is shown that has been gone for longer than the objective.
    Ghost,
    /// Something is shown that this probe never published, twice, or an older state after a newer one.
    WrongContent,
    /// A change has not reached a subscriber within the objective.
    Late,
    /// A canary's connection broke, or it cannot connect.
    LostConnection,
    /// A server does not answer in time.
    Silence,
    /// No server serves: what the registry holds is unknown.
    Down,
    /// Pushes are slower than the objective.
    Slow,
}

impl Kind {
    /// All of them, worst first.
    pub const ALL: [Kind; 8] = [
        Kind::Incomplete,
        Kind::Ghost,
        Kind::WrongContent,
        Kind::Down,
        Kind::LostConnection,
        Kind::Silence,
        Kind::Late,
        Kind::Slow,
    ];

    /// As in labels and links.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Incomplete => "incomplete",
            Kind::Ghost => "ghost",
            Kind::WrongContent => "wrong-content",
            Kind::Late => "late",
            Kind::LostConnection => "lost-connection",
            Kind::Silence => "silence",
            Kind::Down => "down",
            Kind::Slow => "slow",
        }
    }

    /// For a headline.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Incomplete => "Incomplete push",
            Kind::Ghost => "Ghost address",
            Kind::WrongContent => "Wrong content",
            Kind::Late => "Late change",
            Kind::LostConnection => "Lost connection",
            Kind::Silence => "No answer",
            Kind::Down => "Registry unavailable",
            Kind::Slow => "Slow pushes",
        }
    }

    /// True where it is about what is shown, false where it is about a server.
    pub fn is_content(self) -> bool {
        matches!(self, Kind::Incomplete | Kind::Ghost | Kind::WrongContent)
    }
}

/// One thing that is wrong at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub kind: Kind,
    /// Through which server it is seen; none where it is about all.
    pub server: Option<NodeIx>,
    /// Of which dataId.
    pub data: Option<DataIx>,
    /// Whose value is concerned.
    pub publisher: Option<ClientId>,
    /// Which canary sees it.
    pub observer: Option<ClientId>,
    /// Which value, where there is one. Hostile: it may come from outside.
    pub value: Option<Arc<str>>,
    /// Since when it is so.
    pub since: Nanos,
    /// In words, without times. Hostile, too.
    pub detail: String,
}

/// What belongs to one incident.
pub type Key = (Kind, Option<NodeIx>, Option<DataIx>, Option<ClientId>);

impl Finding {
    /// Content is about a publisher on a dataId, whoever sees it; everything else is about a server.
    pub fn key(&self) -> Key {
        if self.kind.is_content() {
            (self.kind, None, self.data, self.publisher)
        } else {
            (self.kind, self.server, None, None)
        }
    }
}
