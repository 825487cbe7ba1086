//! What a system promises. Declared by its adapter, printed in every verdict, compared with what was measured.

use serde::{Deserialize, Serialize};

/// Who keeps a client's lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    /// The node that the client is connected to.
    #[default]
    OwnNode,
    /// Any node may be the keeper (an elected leader): a fault on any node may stop heartbeats.
    AnyNode,
}

/// Who keeps copies of registrations in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copies {
    /// Role of the nodes that do.
    pub role: String,
    /// How many of them have each registration.
    pub count: u32,
}

/// The contract of a system; `../shared/truth.md` of the project gives each word its exact meaning. A scenario can
/// tighten it, never loosen it silently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// An acknowledged change is in what subscribers see after this long, in calm.
    pub visible_ms_max: u64,
    /// The same, counted from the end of the last fault.
    pub recovered_ms_max: u64,
    /// A registration outlives the last heartbeat that could have arrived by at least this long.
    pub lease_ms_min: u64,
    /// ... and by at most this long.
    pub lease_ms_max: u64,
    /// As `lease_ms_min`, for the hop between the client's node and the rest of the system where that hop has a lease
    /// of its own ([`Keeper::OwnNode`] only); none: `lease_ms_min` holds for it too.
    pub node_lease_ms_min: Option<u64>,
    /// A change of the keeper of leases gives every lease its full length again.
    pub lease_restarts_on_keeper_change: bool,
    /// Who keeps leases.
    pub lease_keeper: Keeper,
    /// Registrations outlive the loss of the node that the client is connected to.
    pub survives_node_loss: bool,
    /// One instant explains a whole push.
    pub atomic_snapshots: bool,
    /// While a registration is replaced exactly one of the two values is present.
    pub atomic_replace: bool,
    /// A subscription never goes back to an earlier state of a publisher.
    pub monotonic_pushes: bool,
    /// Versions of pushes never fall within a subscription.
    pub monotonic_versions: bool,
    /// A write that was overtaken by a later acknowledged one of the same publisher is not applied any more.
    pub stale_writes_rejected: bool,
    /// Which registration of a publisher is the newest is known to the node that it was made through and to those that keep
    /// copies, in memory. When all of them may have lost it, an earlier one of another session whose lease still runs
    /// may be shown again; none: the newest is never forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Copies>,
    /// How old a view may be while a fault is active and until `recovered_ms_max` after it; none: infinitely.
    pub staleness_ms_max: Option<u64>,
    /// The first push of a subscription may be empty although there are publishers.
    pub first_push_may_be_empty: bool,
    /// How long an operation whose outcome is unknown may still take effect after its connection and lease are over.
    pub in_flight_ms_max: u64,
    /// A client that is connected in a new session has registered everything that it holds again after this long without
    /// a fault on its way; none: no such promise.
    pub reregister_ms_max: Option<u64>,
    /// A read reflects every change acknowledged before it was invoked.
    pub linearizable_reads: bool,
    /// `visible_ms_max`, `recovered_ms_max` and `reregister_ms_max` are limits only; what binds is twice what changes took
    /// before the first fault of the same run, where that is less. For systems on hosts whose speed is not known beforehand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub calibrated: bool,
}
