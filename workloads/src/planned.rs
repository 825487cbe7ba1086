//! The client side of a plan: data that can be saved, edited and run.

use history::{ClientId, DataIx, Nanos};
use serde::{Deserialize, Serialize};

/// One client of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientPlan {
    /// Its number; its random stream depends on the run's seed and this number only.
    pub id: ClientId,
    /// True if it publishes in warm-up and never acts afterwards.
    #[serde(default)]
    pub pinned: bool,
    /// Where it connects first: index into the nodes that serve clients, modulo their number. Each further attempt goes
    /// to the next one.
    pub node: u32,
    /// What it does by itself after the n-th loss of its connection (the last entry is used for all later ones).
    pub reactions: Vec<Reaction>,
}

/// How a client comes back after it lost its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reaction {
    /// From the loss (or a failed attempt) to the next attempt to connect, nanoseconds.
    pub reconnect_ns: Nanos,
    /// From a new session to the first registration made again, nanoseconds.
    pub reregister_ns: Nanos,
}

/// One operation of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOperation {
    /// When it is due; it starts then or when the client's operation before it has ended.
    pub at: Nanos,
    /// Who does it.
    pub client: ClientId,
    /// What.
    #[serde(flatten)]
    pub call: PlannedCall,
}

/// What a client can be told to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "f", rename_all = "kebab-case")]
pub enum PlannedCall {
    /// Connect (first time, or again after close or vanish). Registrations and subscriptions held are made again.
    Connect,
    /// Register on a dataId, or change the value of that registration.
    Publish {
        /// The dataId.
        data: DataIx,
        /// Number of the registration within the client.
        registration: u32,
    },
    /// Take the registration back.
    Unpublish {
        /// The dataId.
        data: DataIx,
        /// Number of the registration within the client.
        registration: u32,
    },
    /// Subscribe.
    Subscribe {
        /// The dataId.
        data: DataIx,
        /// Number of the subscription within the client.
        subscription: u32,
    },
    /// End a subscription.
    Unsubscribe {
        /// The dataId.
        data: DataIx,
        /// Number of the subscription within the client.
        subscription: u32,
    },
    /// Read once.
    Read {
        /// The dataId.
        data: DataIx,
    },
    /// Prove that the session is alive.
    Ping,
    /// Leave cleanly; everything held is given up.
    Close,
    /// Go away without a word and come back after the client's next [`Reaction`], as after a crash of its host: what
    /// was held is registered again.
    Vanish,
}

impl PlannedCall {
    /// The dataId that it is about.
    pub fn data(&self) -> Option<DataIx> {
        match self {
            PlannedCall::Publish { data, .. }
            | PlannedCall::Unpublish { data, .. }
            | PlannedCall::Subscribe { data, .. }
            | PlannedCall::Unsubscribe { data, .. }
            | PlannedCall::Read { data } => Some(*data),
            PlannedCall::Connect | PlannedCall::Ping | PlannedCall::Close | PlannedCall::Vanish => None,
        }
    }
}

/// How careful the clients are. The careful one is the default; each switch off is a planted bug of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientBehaviour {
    /// Registers everything it holds again in a new session.
    pub reregister: bool,
    /// Subscribes (sets its watches) again after a reconnect.
    pub resubscribe: bool,
    /// Sets its watch in the same step as it reads, not after it.
    pub watch_before_read: bool,
    /// Reads what is up to date (`sync` before a read), not what its node happens to have.
    pub synced_reads: bool,
}

impl Default for ClientBehaviour {
    fn default() -> Self {
        ClientBehaviour { reregister: true, resubscribe: true, watch_before_read: true, synced_reads: true }
    }
}
