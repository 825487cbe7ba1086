//! What a scenario can set about a ZooKeeper ensemble, and the contract that follows from it.

use history::{Contract, Keeper};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use wire::zookeeper::connection::{FRAME_BYTES_MAX, Timing};

/// How a careful client makes sure that its next read is up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Barrier {
    /// A transaction that changes nothing (a check of the root node). A quorum agrees on it, so that a leader that was
    /// deposed without knowing it cannot answer: reads after it are linearizable.
    #[default]
    Transaction,
    /// `sync`. In ZooKeeper 3.8 the leader answers it alone: an isolated or just resumed leader that does not know of
    /// its successor yet says that its own old state is the newest. Reads after it are not linearizable.
    Sync,
}

/// Settings of [`super::ZooKeeperWorld`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ZooKeeperConfig {
    /// Addresses of the servers of a running ensemble. Empty: three nodes are started and faults can be injected;
    /// otherwise no faults, and a root node of the run's own that is removed at the end.
    pub addresses: Vec<SocketAddr>,
    /// `tickTime` of the nodes started here; of a running ensemble, its own.
    pub tick_ms: u64,
    /// `syncLimit`: ticks after which a follower and its leader give each other up.
    pub sync_limit: u64,
    /// Session timeout that clients ask for.
    pub session_timeout_ms: u64,
    /// Clients send a heartbeat after this long without a request; none: a third of the session timeout.
    pub heartbeat_ms: Option<u64>,
    /// A connection on which nothing came for this long is given up; none: two thirds of the session timeout.
    pub read_timeout_ms: Option<u64>,
    /// A request without an answer for this long ends as unknown, and its connection is given up; none: as
    /// `read_timeout_ms`.
    pub request_timeout_ms: Option<u64>,
    /// An attempt to connect without an answer for this long is given up; none: a third of the session timeout.
    pub connect_timeout_ms: Option<u64>,
    /// What precedes a careful read, and what a ping is.
    pub barrier: Barrier,
    /// How long a client that does not watch before it reads takes from the read to the watch.
    pub careless_watch_gap_ms: u64,
    /// Heap of each node's Java machine.
    pub heap_mib: u32,
    /// Port on which clients connect to the nodes started here.
    pub client_port: u16,
    /// The Java program.
    pub java: PathBuf,
    /// Where Debian's `libzookeeper-java` and `libslf4j-java` put their jars.
    pub jars: PathBuf,
    /// How long the ensemble may take until it serves.
    pub start_timeout_ms: u64,
    /// Allowance for a busy machine in all bounds of the contract that follow from timeouts.
    pub slack_ms: u64,
    /// An acknowledged change is in what subscribers see after this long, in calm.
    pub visible_ms_max: u64,
    /// The same after the last fault; none: what the timeouts allow.
    pub recovered_ms_max: Option<u64>,
    /// How long a publish of unknown outcome may still take effect after its session is over: the end of a session is a
    /// transaction, and what is ordered after it fails.
    pub in_flight_ms_max: u64,
    /// A client in a new session has registered everything again after this long.
    pub reregister_ms_max: u64,
}

impl Default for ZooKeeperConfig {
    fn default() -> Self {
        ZooKeeperConfig {
            addresses: Vec::new(),
            tick_ms: 500,
            sync_limit: 5,
            session_timeout_ms: 6000,
            heartbeat_ms: None,
            read_timeout_ms: None,
            request_timeout_ms: None,
            connect_timeout_ms: None,
            barrier: Barrier::default(),
            careless_watch_gap_ms: 50,
            heap_mib: 128,
            client_port: 2181,
            java: PathBuf::from("java"),
            jars: PathBuf::from("/usr/share/java"),
            start_timeout_ms: 30_000,
            slack_ms: 750,
            visible_ms_max: 1000,
            recovered_ms_max: None,
            in_flight_ms_max: 0,
            reregister_ms_max: 5000,
        }
    }
}

impl ZooKeeperConfig {
    /// See [`ZooKeeperConfig::heartbeat_ms`].
    pub fn heartbeat_ms(&self) -> u64 {
        self.heartbeat_ms.unwrap_or(self.session_timeout_ms / 3)
    }

    /// See [`ZooKeeperConfig::read_timeout_ms`].
    pub fn read_timeout_ms(&self) -> u64 {
        self.read_timeout_ms.unwrap_or(self.session_timeout_ms * 2 / 3)
    }

    /// See [`ZooKeeperConfig::request_timeout_ms`].
    pub fn request_timeout_ms(&self) -> u64 {
        self.request_timeout_ms.unwrap_or_else(|| self.read_timeout_ms())
    }

    /// See [`ZooKeeperConfig::connect_timeout_ms`].
    pub fn connect_timeout_ms(&self) -> u64 {
        self.connect_timeout_ms.unwrap_or(self.session_timeout_ms / 3)
    }

    /// What connections of clients keep to.
    pub fn timing(&self) -> Timing {
        Timing {
            session: Duration::from_millis(self.session_timeout_ms),
            heartbeat: Duration::from_millis(self.heartbeat_ms()),
            read: Duration::from_millis(self.read_timeout_ms()),
            connect: Duration::from_millis(self.connect_timeout_ms()),
            request: Duration::from_millis(self.request_timeout_ms()),
            frame_bytes_max: FRAME_BYTES_MAX,
        }
    }

    /// What makes no sense in these settings, if anything.
    pub fn fault(&self) -> Option<String> {
        let (timeout, tick) = (self.session_timeout_ms, self.tick_ms);
        if tick < 50 {
            return Some(format!("tick_ms = {tick}: at least 50"));
        }
        if timeout < 2 * tick || timeout > 600_000 {
            return Some(format!("session_timeout_ms = {timeout}: between two ticks ({} ms) and 600000", 2 * tick));
        }
        if self.sync_limit < 2 {
            return Some(format!("sync_limit = {}: at least 2", self.sync_limit));
        }
        if self.heartbeat_ms() == 0 || self.heartbeat_ms() >= self.read_timeout_ms() {
            return Some("heartbeat_ms must be above 0 and below read_timeout_ms".to_owned());
        }
        if self.read_timeout_ms() > timeout {
            return Some("read_timeout_ms must not exceed session_timeout_ms".to_owned());
        }
        (self.lease_ms_min() == 0).then(|| {
            "session_timeout_ms leaves no lease after heartbeat_ms, a tick and slack_ms: make it longer".to_owned()
        })
    }

    /// A client's heartbeats are `heartbeat_ms` apart; a follower tells the leader of them every half tick. So in the
    /// worst case the last one that the leader knows of at the first instant of a fault is this much old already.
    fn lease_ms_min(&self) -> u64 {
        self.session_timeout_ms.saturating_sub(self.heartbeat_ms() + self.tick_ms / 2 + self.slack_ms)
    }

    /// A follower reports a heartbeat half a tick later, the leader rounds the end of the lease up to a whole tick, and
    /// the end of the session is a transaction that every node has to apply.
    fn lease_ms_max(&self) -> u64 {
        self.session_timeout_ms + self.tick_ms / 2 + self.tick_ms + self.slack_ms
    }

    /// What the ensemble and the careful client promise, reasoned from the settings.
    ///
    /// - The leader keeps leases; a new leader gives each its full length again.
    /// - A list of children comes from one moment of one node, a replacement is one transaction.
    /// - Each write carries the version of its publisher's fence node, so an overtaken one fails: see `publish.rs`.
    /// - A node that is cut off serves its old state until it gives its leader up (`sync_limit` ticks, looked at once a
    ///   tick); a client that is cut off from its node gives it up after `read_timeout_ms`, counted from the last
    ///   answer. Both can follow each other.
    /// - After the last fault, connections that it stalled come to life when TCP sends again or are given up by then.
    pub fn contract(&self) -> Contract {
        let stale = self.read_timeout_ms() + (self.sync_limit + 1) * self.tick_ms + self.slack_ms;
        Contract {
            visible_ms_max: self.visible_ms_max,
            recovered_ms_max: self.recovered_ms_max.unwrap_or(stale).max(self.visible_ms_max),
            lease_ms_min: self.lease_ms_min(),
            lease_ms_max: self.lease_ms_max(),
            node_lease_ms_min: None,
            lease_restarts_on_keeper_change: true,
            lease_keeper: Keeper::AnyNode,
            survives_node_loss: true,
            atomic_snapshots: true,
            atomic_replace: true,
            monotonic_pushes: true,
            monotonic_versions: true,
            stale_writes_rejected: true,
            memory: None,
            staleness_ms_max: Some(stale),
            first_push_may_be_empty: false,
            in_flight_ms_max: self.in_flight_ms_max,
            reregister_ms_max: Some(self.reregister_ms_max),
            linearizable_reads: self.barrier == Barrier::Transaction,
            calibrated: false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn defaults_make_sense() {
        let config = ZooKeeperConfig::default();
        assert_eq!(config.fault(), None);
        let contract = config.contract();
        assert_eq!((contract.lease_ms_min, contract.lease_ms_max), (3000, 7500));
        assert_eq!(contract.staleness_ms_max, Some(7750));
        assert!(contract.linearizable_reads);
    }

    #[test]
    fn nonsense_is_named() {
        let wrong = ZooKeeperConfig { session_timeout_ms: 600, ..ZooKeeperConfig::default() };
        assert!(wrong.fault().unwrap().contains("two ticks"));
        let wrong = ZooKeeperConfig { session_timeout_ms: 1000, ..ZooKeeperConfig::default() };
        assert!(wrong.fault().unwrap().contains("no lease"));
        assert!(serde_json::from_str::<ZooKeeperConfig>("{\"tick\": 5}").is_err());
    }
}
