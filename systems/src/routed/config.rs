//! Options of the routed store: how the configuration changes, how requests are guarded, what goes wrong.

use crate::trial::broken;
use serde::{Deserialize, Serialize};

/// How agents come by a new configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// It never changes.
    #[default]
    None,
    /// Half of the agents are stopped and updated, then the other half.
    BlueGreen,
    /// It is sent to all agents, each of which uses it at once.
    Pushed,
    /// It is sent to all agents, each of which stands idle for a while before it uses it.
    Waiting,
    /// Agents hold leases on it; it changes when all leases are over.
    Leased,
    /// Blue/green, with a leased switch for each half: a half serves only while it holds leases.
    LeasedHalves,
}

/// The order of steps of [`Switch::BlueGreen`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The old half stops accepting before the new half starts.
    #[default]
    Right,
    /// The old half is only removed from discovery before the new half starts, and stops afterwards.
    Swapped,
}

/// What keeps a late request from doing harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// Nothing.
    #[default]
    None,
    /// Each attempt carries a larger number than the last of the same client; stores apply larger ones only.
    Ids,
    /// Each write carries the cookie of what it replaces; stores compare and set.
    Cookies,
    /// A central tracker knows which requests may still be under way; nothing is retried before it is settled.
    Tracker,
}

/// How keys are moved from the old store to the new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Copying {
    /// They stay.
    #[default]
    None,
    /// Each is read from the old store and written to the new one where it is absent there.
    CompareAndSet,
    /// Each is read from the old store and written to the new one.
    Plain,
    /// The same under a lock on the key in the new store.
    Locked,
}

/// Options of the routed store. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoutedConfig {
    /// Stateless agents between clients and stores.
    pub agents: u32,
    /// Clients; each has one operation open at a time.
    pub clients: u32,
    /// Keys.
    pub keys: u32,
    /// Operations of all clients.
    pub operations: u32,
    /// They are spread over so long.
    pub span_ms: u64,
    /// The change begins within this range.
    pub change_ms: (u64, u64),
    /// Any client writes any key; otherwise each key has one writer.
    pub shared_keys: bool,
    /// The old store holds every key at first.
    pub preloaded: bool,
    /// So many in 1,000 writes are deletes.
    pub delete_permille: u32,
    /// Writes are increments, which are not idempotent.
    pub increments: bool,
    /// Writes and reads are of two keys at once.
    pub pairs: bool,
    /// Clients begin the next operation before the last has ended.
    pub pipelined: bool,
    /// Clients try again after a time-out or a broken connection.
    pub retry: bool,
    /// An attempt times out.
    pub timeout_ms: u64,
    /// An operation is given up.
    pub give_up_ms: u64,
    /// Clients learn this often which agents accept.
    pub discovery_ms: u64,
    /// How the configuration changes.
    pub switch: Switch,
    /// Of the steps of blue/green.
    pub order: Order,
    /// Agents finish what is in flight before they stop.
    pub drain: bool,
    /// Updating an agent takes so long.
    pub update_ms: u64,
    /// Agents stand idle for so long ([`Switch::Waiting`]).
    pub wait_ms: u64,
    /// What keeps late requests from doing harm.
    pub guard: Guard,
    /// Cookies are read again before each retry.
    pub fresh_cookies: bool,
    /// The tracker takes a request for dead after so long; 0: never.
    pub tracker_forgets_ms: u64,
    /// How long a lease lasts.
    pub lease_ms: u64,
    /// The allowance for clock error, epsilon.
    pub epsilon_ms: u64,
    /// Leases are revoked actively.
    pub revoke: bool,
    /// All leases are issued at once, with one deadline.
    pub batched: bool,
    /// After a revocation that failed the centre waits for the last deadline *minus* epsilon.
    pub minus_epsilon: bool,
    /// An agent that knows its clock to be unsynchronised for so long refuses service; 0: it does not care.
    pub fence_ms: u64,
    /// An agent serves at most so many requests in 100 ms; 0: any number.
    pub capacity: u32,
    /// Deletes in the new store leave tombstones.
    pub tombstones: bool,
    /// How keys are moved.
    pub copy: Copying,
    /// What goes wrong.
    pub faults: RoutedFaults,
}

/// How often what goes wrong. Times are milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoutedFaults {
    /// So many times what an agent sends to the old store is late.
    pub late_requests: u32,
    /// So many times what the old store answers an agent is late.
    pub late_answers: u32,
    /// By how much.
    pub late_ms: (u64, u64),
    /// So many agents crash, and come back.
    pub crashes: u32,
    /// So many agents hear nothing from the centre.
    pub cut_off: u32,
    /// So many agents hear late from the centre.
    pub late_news: u32,
    /// By how much.
    pub news_ms: (u64, u64),
    /// Error of clocks: one agent is slow by so much, or an agent is slow by half and the centre fast by the other half.
    pub clock_error_ms: u64,
    /// So much slower does the clock of one agent run, parts per million, and it knows that nothing keeps it right.
    pub drift_ppm: u64,
    /// What the copier sends to the new store is late by up to so much, once.
    pub late_copies_ms: u64,
}

impl Default for RoutedConfig {
    fn default() -> Self {
        RoutedConfig {
            agents: 4,
            clients: 3,
            keys: 3,
            operations: 90,
            span_ms: 3_000,
            change_ms: (1_000, 1_400),
            shared_keys: false,
            preloaded: false,
            delete_permille: 0,
            increments: false,
            pairs: false,
            pipelined: false,
            retry: true,
            timeout_ms: 250,
            give_up_ms: 3_000,
            discovery_ms: 300,
            switch: Switch::None,
            order: Order::Right,
            drain: false,
            update_ms: 200,
            wait_ms: 1_000,
            guard: Guard::None,
            fresh_cookies: false,
            tracker_forgets_ms: 0,
            lease_ms: 600,
            epsilon_ms: 50,
            revoke: false,
            batched: false,
            minus_epsilon: false,
            fence_ms: 0,
            capacity: 0,
            tombstones: true,
            copy: Copying::None,
            faults: RoutedFaults::default(),
        }
    }
}

impl RoutedConfig {
    /// True if agents serve under leases only.
    pub fn is_leased(&self) -> bool {
        matches!(self.switch, Switch::Leased | Switch::LeasedHalves)
    }

    /// True if clients have to ask which agents accept; under leases all are there, and refuse when they may not serve.
    pub fn has_discovery(&self) -> bool {
        self.switch == Switch::BlueGreen
    }

    /// Bounds that types cannot say; the sentence names the key.
    pub fn wrong(&self) -> Option<String> {
        let rules = [
            ((2..=64).contains(&self.agents), "agents: 2 to 64"),
            ((1..=64).contains(&self.clients), "clients: 1 to 64"),
            ((1..=1_000).contains(&self.keys), "keys: 1 to 1000"),
            (self.operations <= 100_000, "operations: at most 100000"),
            ((1..=600_000).contains(&self.span_ms), "span_ms: 1 to 600000"),
            (self.change_ms.0 <= self.change_ms.1 && self.change_ms.1 <= 600_000, "change_ms: [low, high]"),
            ((1..=60_000).contains(&self.timeout_ms), "timeout_ms: 1 to 60000"),
            ((1..=60_000).contains(&self.give_up_ms), "give_up_ms: 1 to 60000"),
            ((1..=60_000).contains(&self.discovery_ms), "discovery_ms: 1 to 60000"),
            (self.lease_ms > 2 * self.epsilon_ms && self.lease_ms <= 60_000, "lease_ms: more than twice epsilon_ms"),
            (!self.pairs || self.keys >= 2, "pairs: needs keys >= 2"),
        ];
        broken(&rules)
    }
}
