//! What the registry promises, reasoned from its delays.
//!
//! - **visible**: an acknowledged change is at the slot's leader. Its notice waits `notify_ms`, the fetch
//!   `change_debounce_ms`, the push `push_debounce_ms`, and once more as long if the push before was still on its way.
//!   Four hops between nodes and three to the client. With acknowledgement by the session the write comes first.
//! - **recovered**: a write that was given up is found by the digest sync, a notice that was lost by the version scan, a
//!   push that was lost is repeated; in the worst case one after the other.
//! - **the connection hop** has no lease: when a session node notices that a connection is over, its registrations are
//!   taken back at once. A client that goes without a word is noticed after `connection_idle_ms`.
//! - **the node hop**: a session node fences itself `node_fence_ms` after the last heartbeat that meta confirmed, and
//!   data drops its registrations `session_lease_ms` after it was heard; the earlier of the two, less one interval of
//!   heartbeats and a tenth for clocks that drift, is the least. If it goes right after it has noticed that a client is
//!   gone, both hops add up: `lease_ms_max`.
//! - **memory**: nothing is on disk. A registration's version is known to its session node and to the replicas of its slot. When
//!   all of them are lost, a session that still holds an earlier registration of the same client, on a connection whose
//!   end it has not noticed, is the only one who says anything about it, and is believed until that connection's lease is
//!   over. SOFARegistry is no different: its sessions are what data nodes are built up from again.
//! - **staleness**: a content that could not be verified for `stale_close_ms` is not shown any longer; if at that moment
//!   the way to the client breaks, pushes must be repeated in vain, or the client must notice the silence, before
//!   its view is void.
//! - **V5** promises the same, but no atomic snapshots and no linearizable reads: a copy that takes over may lack what the
//!   one before acknowledged last.

use super::RegistryConfig;
use super::config::{Ack, Generation};
use history::{Contract, Copies, Keeper};

/// Intervals at which nodes look for what has run out (session ticks, data ticks, meta ticks), and rounding.
const TICKS_MS: u64 = 300;

/// The contract of a registry of these delays.
pub fn contract(config: &RegistryConfig) -> Contract {
    let c = config;
    let v5 = c.generation == Generation::V5;
    let node_hop_us = c.node_latency_us + c.node_jitter_us;
    let client_hop_us = c.client_latency_us + c.client_jitter_us;
    let hops_ms = (4 * node_hop_us + 3 * client_hop_us).div_ceil(1000);
    let write_ms = match c.ack {
        Ack::Data => 0,
        Ack::Session => c.write_batch_ms + (2 * node_hop_us).div_ceil(1000),
    };
    let visible = write_ms + c.notify_ms + c.change_debounce_ms + 2 * c.push_debounce_ms + hops_ms;
    let recovered = c.digest_ms + c.scan_ms + c.push_timeout_ms + visible;
    let node_least = (c.node_fence_ms - c.heartbeat_ms.min(c.node_fence_ms))
        .min(c.session_lease_ms - c.session_renew_ms.min(c.session_lease_ms));
    let unseen = (c.push_timeout_ms * u64::from(c.push_attempts)).max(c.client_silence_ms + c.client_heartbeat_ms);
    Contract {
        visible_ms_max: visible,
        recovered_ms_max: recovered,
        lease_ms_min: 0,
        lease_ms_max: c.connection_idle_ms + c.session_lease_ms + 2 * TICKS_MS,
        node_lease_ms_min: Some(node_least * 9 / 10),
        lease_restarts_on_keeper_change: false,
        lease_keeper: Keeper::OwnNode,
        survives_node_loss: false,
        // What two session nodes have accepted reaches data at different times.
        atomic_snapshots: !v5 && c.ack == Ack::Data,
        atomic_replace: true,
        monotonic_pushes: true,
        monotonic_versions: true,
        stale_writes_rejected: true,
        memory: Some(Copies { role: "data".to_owned(), count: c.replicas.min(c.data) }),
        staleness_ms_max: Some(c.stale_close_ms + TICKS_MS + unseen + visible),
        first_push_may_be_empty: false,
        in_flight_ms_max: c.connection_idle_ms + c.client_silence_ms,
        reregister_ms_max: None,
        linearizable_reads: c.ack == Ack::Data && !v5,
        calibrated: false,
    }
}
