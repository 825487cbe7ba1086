//! The registry as the master sees it: a [`World`] in virtual time.

use super::RegistryConfig;
use super::bugs::Bug;
use super::clients::Clients;
use super::contract::contract;
use super::faults::Active;
use super::layout::{NodeIds, slot_of};
use super::meta::Database;
use super::node::RegistryNode;
use crate::world::{Call, Happening, NodeState, Observation, SystemInfo, TracedMessage, World, WorldError};
use history::{MILLI, Nanos, SystemName};
use nemesis::PlannedFault;
use simulation::{Counters, Kernel, Latency, NodeId, Traced};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A simulated registry with all its clients.
pub struct RegistryWorld {
    pub(super) config: Arc<RegistryConfig>,
    pub(super) ids: NodeIds,
    pub(super) bug: Option<Bug>,
    pub(super) kernel: Kernel<RegistryNode>,
    pub(super) faults: BTreeMap<u32, Active>,
    info: SystemInfo,
    observed: Vec<Observation>,
    next_review: Nanos,
    /// States that no node sees alone, and how often each was reached.
    pub(super) noted: BTreeMap<&'static str, u64>,
    /// The kernel's time at which the run began.
    origin: Nanos,
    /// The version of the slot table that was made public last.
    public: u64,
}

/// How often it is looked whether a fault's target serves again.
const REVIEW: Nanos = 20 * MILLI;
/// So many pushes at most are handed over at once: the master wants to look up now and then.
const PUSHES_MAX: usize = 256;
/// How long the nodes may take to find each other.
const BOOT_MAX: Nanos = 60_000 * MILLI;

impl RegistryWorld {
    /// A registry of this shape with so many clients, none of them connected. Same arguments and same calls: the same
    /// observations. Of so many dataIds the public routing table tells the slot; they come into being when they are named.
    pub fn new(
        config: RegistryConfig,
        clients: u32,
        data_ids: u32,
        kernel_seed: u64,
        bug: Option<Bug>,
    ) -> RegistryWorld {
        let config = Arc::new(config);
        let ids = NodeIds::of(&config);
        let mut nodes: Vec<RegistryNode> =
            (0..ids.clients()).map(|id| RegistryNode::fresh(id, 1, &config, ids, bug)).collect();
        nodes.push(RegistryNode::Clients(Box::new(Clients::new(config.clone(), ids, clients))));
        let to_nodes = Latency { base: config.node_latency_us * 1_000, jitter: config.node_jitter_us * 1_000 };
        let to_clients = Latency { base: config.client_latency_us * 1_000, jitter: config.client_jitter_us * 1_000 };
        let kernel = Kernel::new(kernel_seed, nodes, |from, to| {
            if from == ids.clients() || to == ids.clients() { to_clients } else { to_nodes }
        });
        let info = SystemInfo {
            name: SystemName {
                name: "registry".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                client: format!("embedded {}", env!("CARGO_PKG_VERSION")),
            },
            nodes: ids.nodes(),
            contract: contract(&config),
            virtual_time: true,
        };
        let (faults, observed) = (BTreeMap::new(), Vec::new());
        let noted = BTreeMap::new();
        let mut world = RegistryWorld {
            config,
            ids,
            bug,
            kernel,
            faults,
            info,
            observed,
            next_review: 0,
            noted,
            origin: 0,
            public: 0,
        };
        world.boot();
        let slots = (0..data_ids).map(|data| slot_of(data, world.config.slots.max(1))).collect();
        world.publish_routes(slots);
        world
    }

    /// The run begins when the nodes have found each other, as with a real cluster. A configuration that never gets there
    /// is shown as it is.
    fn boot(&mut self) {
        while !self.is_settled() && self.kernel.now() < BOOT_MAX {
            let until = self.kernel.now() + REVIEW;
            while self.kernel.run_one(until) {}
        }
        self.origin = self.kernel.now();
        self.next_review = self.origin;
    }

    /// Time in the run.
    pub(super) fn time(&self) -> Nanos {
        self.kernel.now() - self.origin
    }

    /// What the kernel counted.
    pub fn counters(&self) -> Counters {
        self.kernel.counters()
    }

    pub(super) fn clients(&self) -> &Clients {
        self.kernel.machine(self.ids.clients()).clients().expect("the last node is the clients' end")
    }

    pub(super) fn database(&self) -> &Database {
        self.kernel.machine(self.ids.database()).database().expect("the node after the metas is the database")
    }

    /// The meta node that holds the lease.
    pub(super) fn meta_leader(&self) -> Option<NodeId> {
        let database = self.ids.database();
        self.database().leader(self.kernel.clock(database).read(self.kernel.now()).mono)
    }

    pub(super) fn observe(&mut self, what: Happening) {
        self.observed.push(Observation { time: self.time(), what });
    }

    /// A message in the run's time and names. Nobody can ask for messages before the run has begun.
    fn told(&self, message: &Traced) -> TracedMessage {
        let end = |node| match node == self.ids.clients() {
            true => format!("client-{}", message.channel),
            false => self.ids.name(node),
        };
        TracedMessage {
            sent: message.sent - self.origin,
            arrives: message.arrives.map(|at| at - self.origin),
            from: end(message.from),
            to: end(message.to),
            says: message.says.clone(),
        }
    }

    /// Everybody may ask for the slot table as meta has committed it.
    fn publish_routes(&mut self, slots: Vec<u32>) {
        let cluster = &self.database().cluster;
        let (version, leaders) = (cluster.version, cluster.slots.iter().map(|seat| seat.leader).collect());
        self.public = version;
        self.observe(Happening::Routes { slots, leaders });
    }

    /// One event; then what it made public.
    fn run_one(&mut self, limit: Nanos) -> bool {
        let ran = self.kernel.run_one(limit);
        if ran {
            self.review_routes();
        }
        ran
    }

    fn review_routes(&mut self) {
        if self.database().cluster.version != self.public {
            self.publish_routes(Vec::new());
        }
    }

    /// Takes over what the nodes have reported.
    pub(super) fn collect(&mut self) {
        let mut observed = std::mem::take(&mut self.observed);
        self.hand_over(&mut observed);
        self.observed = observed;
    }

    /// Runs what is due by `limit`, until something was seen that is no push, or `room` pushes were. False if there was
    /// nothing left to run.
    fn run_on(&mut self, limit: Nanos, room: usize) -> bool {
        // After the first event it is looked whether the table has changed, since faults may have ended before it, and the
        // database may have handled what had waited; then after each of the database.
        let (mut seen, database, mut look) = (0, self.ids.database(), true);
        loop {
            let mut stop = false;
            let ran = self.kernel.run_while(limit, |kernel, node| {
                let reports = kernel.reports();
                if reports.len() > seen {
                    stop = !reports[seen..].iter().all(|(_, what)| matches!(what, Happening::Push { .. }));
                    seen = reports.len();
                    stop |= seen >= room;
                }
                !(stop || look || node == database)
            });
            if ran {
                self.review_routes();
                look = false;
            }
            if !ran || stop || !self.observed.is_empty() {
                return ran;
            }
        }
    }

    /// Appends what the nodes have reported.
    fn hand_over(&mut self, out: &mut Vec<Observation>) {
        if !self.kernel.reports().is_empty() {
            let origin = self.origin;
            let shifted = |(time, what): (Nanos, Happening)| Observation { time: time - origin, what };
            out.extend(self.kernel.take_reports().map(shifted));
        }
    }
}

impl World for RegistryWorld {
    fn info(&self) -> &SystemInfo {
        &self.info
    }

    fn now(&self) -> Nanos {
        self.time()
    }

    fn submit(&mut self, call: Call) {
        self.kernel.act(self.ids.clients(), |node, now, out| {
            if let RegistryNode::Clients(clients) = node {
                clients.call(now, call, out);
            }
        });
        self.collect();
    }

    fn start_fault(&mut self, fault: &PlannedFault) {
        self.begin(fault);
    }

    fn end_fault(&mut self, id: u32) {
        self.lift(id);
        self.next_review = self.kernel.now() + REVIEW;
    }

    fn wait(&mut self, until: Nanos, out: &mut Vec<Observation>) -> Result<(), WorldError> {
        let until = until.saturating_add(self.origin);
        let before = out.len();
        out.append(&mut self.observed);
        let mut looked_at = before;
        // Faults begin and end between two waits; in here they are only found to be over.
        let mut healing = self.is_healing();
        // Nobody does anything because of a push, so time goes on.
        while out.len() - before < PUSHES_MAX && out[looked_at..].iter().all(Observation::is_push) {
            looked_at = out.len();
            let limit = if healing { until.min(self.next_review.max(self.kernel.now())) } else { until };
            // Between reviews of faults most events show nothing or pushes.
            let ran = match healing {
                true => self.run_one(limit),
                false => self.run_on(limit, PUSHES_MAX - (looked_at - before)),
            };
            // What is observed is observed after all that was reported: events that show a table report nothing.
            self.hand_over(out);
            out.append(&mut self.observed);
            if ran {
                continue;
            }
            if healing && self.kernel.now() >= self.next_review {
                self.next_review = self.kernel.now() + REVIEW;
                self.review_faults();
                healing = self.is_healing();
                out.append(&mut self.observed);
            }
            if self.kernel.now() >= until {
                break;
            }
        }
        // Everything else of the same instant belongs to the same answer.
        let now = self.kernel.now();
        while out.len() > before && self.kernel.next_time() == Some(now) {
            self.run_one(now);
            out.append(&mut self.observed);
            self.hand_over(out);
        }
        Ok(())
    }

    fn shutdown(&mut self) {
        let running: Vec<u32> = self.faults.keys().copied().collect();
        for id in running {
            self.lift(id);
        }
        self.faults.clear();
        self.observed.clear();
    }

    fn bytes_received(&self) -> u64 {
        self.clients().bytes
    }

    fn steps(&self) -> u64 {
        self.kernel.counters().steps
    }

    fn coverage(&self) -> Vec<(&'static str, u64)> {
        let mut all = self.noted.clone();
        all.extend(self.kernel.reached());
        all.into_iter().collect()
    }

    fn trace(&mut self) {
        self.kernel.trace();
    }

    fn messages(&self, from: usize) -> Vec<TracedMessage> {
        self.kernel.messages().get(from..).unwrap_or_default().iter().map(|message| self.told(message)).collect()
    }

    fn states(&self) -> Vec<NodeState> {
        self.show()
    }

    fn next_time(&mut self) -> Option<Nanos> {
        self.kernel.next_time().map(|time| time.saturating_sub(self.origin))
    }
}
