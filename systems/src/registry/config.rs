//! The registry's shape and delays. Everything is a parameter; the defaults are scaled down so that a run of 15 to 30
//! virtual seconds sees fail-overs, expiries and repairs. [`RegistryConfig::production`] has SOFARegistry's own.

use serde::{Deserialize, Serialize};

/// When a publish or unpublish is acknowledged to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ack {
    /// After the session has accepted it, as SOFARegistry does: fast, but nobody else can see it yet.
    Session,
    /// After the leader of its slot has applied it: from then on every read and every later push shows it.
    #[default]
    Data,
}

/// Which generation of the registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// Every node routes by hashing over the list of data nodes that it happens to have; whoever is asked serves. A node
    /// that comes to lead takes copies from the others in its list, and serves what it got. Nobody fences itself.
    V5,
    /// A slot table with epochs; only Accept serves; nodes that meta does not confirm fence themselves.
    #[default]
    V6,
}

/// Shape and delays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryConfig {
    /// Which generation.
    pub generation: Generation,
    /// Session nodes: clients connect to them.
    pub sessions: u32,
    /// Data nodes: they keep datums in slots.
    pub data: u32,
    /// Meta nodes: they keep the list of live nodes and the slot table.
    pub metas: u32,
    /// Slots that dataIds are hashed onto.
    pub slots: u32,
    /// Copies of a slot, the leader's included.
    pub replicas: u32,
    /// When a publish is acknowledged.
    pub ack: Ack,

    /// Latency between two nodes, microseconds.
    pub node_latency_us: u64,
    /// And up to this much more.
    pub node_jitter_us: u64,
    /// Latency between a client and a session node, microseconds.
    pub client_latency_us: u64,
    /// And up to this much more.
    pub client_jitter_us: u64,

    /// Lease of the meta leader on the database's row.
    pub meta_lease_ms: u64,
    /// How often it is renewed, and how often the others try.
    pub meta_renew_ms: u64,
    /// Heartbeats of session and data nodes to meta.
    pub heartbeat_ms: u64,
    /// A session or data node that has not been confirmed by meta for so long stops serving, by its own clock. Must be
    /// well below `node_lease_ms`: the difference pays for clocks that drift apart.
    pub node_fence_ms: u64,
    /// Meta gives a node up that it has not heard for so long.
    pub node_lease_ms: u64,
    /// Heartbeats of session nodes to data nodes.
    pub session_renew_ms: u64,
    /// A data node drops the registrations of a session node that it has not heard for so long.
    pub session_lease_ms: u64,
    /// How long the cluster is left alone after a change before leaders move to balance it.
    pub rebalance_ms: u64,

    /// A data node gathers changes for so long before it tells the sessions.
    pub notify_ms: u64,
    /// A slot's leader gathers changes for so long before it tells its followers.
    pub replicate_ms: u64,
    /// A slot's leader compares digests with every session, and a follower with its leader, so often.
    pub digest_ms: u64,
    /// A new leader waits so long, Migrating, before it asks the sessions.
    pub migrate_ms: u64,
    /// How long it is remembered that something was unpublished.
    pub tombstone_ms: u64,

    /// A session gathers writes to one slot for so long.
    pub write_batch_ms: u64,
    /// A write that was not answered is sent again after so long.
    pub write_timeout_ms: u64,
    /// A write that was refused is sent again after so long.
    pub write_retry_ms: u64,
    /// After so many attempts a write is given up; the next digest sync carries it.
    pub write_attempts: u32,
    /// From a change's notice to the fetch.
    pub change_debounce_ms: u64,
    /// From a fetched content to the push.
    pub push_debounce_ms: u64,
    /// A fetch that was not answered is sent again after so long.
    pub fetch_timeout_ms: u64,
    /// A fetch that was refused is sent again after so long.
    pub fetch_retry_ms: u64,
    /// A push that was not acknowledged is sent again after so long.
    pub push_timeout_ms: u64,
    /// After so many attempts the subscriber's connection is closed.
    pub push_attempts: u32,
    /// A client that was disconnected for that is not taken back by the same session node for so long.
    pub breaker_ms: u64,
    /// Sessions compare versions with the slots' leaders so often.
    pub scan_ms: u64,
    /// A session that could not verify a content for so long closes the connections of those who watch it, rather than
    /// show them something old for ever.
    pub stale_close_ms: u64,

    /// Heartbeats of clients.
    pub client_heartbeat_ms: u64,
    /// A client whose heartbeats were not answered for so long takes its connection for lost.
    pub client_silence_ms: u64,
    /// A session closes a connection on which it has heard nothing for so long.
    pub connection_idle_ms: u64,
    /// A client waits so long for an answer; the outcome is unknown afterwards.
    pub request_timeout_ms: u64,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        RegistryConfig {
            generation: Generation::V6,
            sessions: 3,
            data: 3,
            metas: 3,
            slots: 16,
            replicas: 2,
            ack: Ack::Data,
            node_latency_us: 200,
            node_jitter_us: 300,
            client_latency_us: 500,
            client_jitter_us: 1_000,
            meta_lease_ms: 1_000,
            meta_renew_ms: 250,
            heartbeat_ms: 250,
            node_fence_ms: 2_000,
            node_lease_ms: 2_500,
            session_renew_ms: 500,
            session_lease_ms: 2_500,
            rebalance_ms: 300,
            notify_ms: 20,
            replicate_ms: 50,
            digest_ms: 1_000,
            migrate_ms: 100,
            tombstone_ms: 15_000,
            write_batch_ms: 2,
            write_timeout_ms: 300,
            write_retry_ms: 100,
            write_attempts: 12,
            change_debounce_ms: 50,
            push_debounce_ms: 50,
            fetch_timeout_ms: 300,
            fetch_retry_ms: 100,
            push_timeout_ms: 500,
            push_attempts: 4,
            breaker_ms: 1_000,
            scan_ms: 500,
            stale_close_ms: 4_000,
            client_heartbeat_ms: 500,
            client_silence_ms: 2_000,
            connection_idle_ms: 2_500,
            request_timeout_ms: 2_000,
        }
    }
}

impl RegistryConfig {
    /// SOFARegistry's own delays, where it has such a delay (leases of 20 s at meta and 30 s at data, notices every 500 ms,
    /// change debounce 1 s, push debounce 500 ms, push timeout 2 s with 3 retries, version scan 5 s, digest sync 6 s,
    /// tombstones 180 s, idle connections 45 s, 256 slots). What it has not (self-fencing, closing what cannot be
    /// verified) is set in proportion. Runs with it must last minutes.
    pub fn production() -> RegistryConfig {
        RegistryConfig {
            slots: 256,
            ack: Ack::Session,
            meta_lease_ms: 8_000,
            meta_renew_ms: 1_000,
            heartbeat_ms: 1_000,
            node_fence_ms: 16_000,
            node_lease_ms: 20_000,
            session_renew_ms: 3_000,
            session_lease_ms: 30_000,
            rebalance_ms: 10_000,
            notify_ms: 500,
            replicate_ms: 500,
            digest_ms: 6_000,
            migrate_ms: 200,
            tombstone_ms: 180_000,
            write_batch_ms: 50,
            write_timeout_ms: 3_000,
            write_retry_ms: 500,
            write_attempts: 10,
            change_debounce_ms: 1_000,
            push_debounce_ms: 500,
            fetch_timeout_ms: 3_000,
            fetch_retry_ms: 500,
            push_timeout_ms: 2_000,
            push_attempts: 4,
            breaker_ms: 10_000,
            scan_ms: 5_000,
            stale_close_ms: 30_000,
            client_heartbeat_ms: 5_000,
            client_silence_ms: 15_000,
            connection_idle_ms: 45_000,
            request_timeout_ms: 5_000,
            ..RegistryConfig::default()
        }
    }
}
