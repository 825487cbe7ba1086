//! Meta nodes and their database. The node that holds the lease on the database's row leads: it hears heartbeats,
//! decides who is alive and who leads which slot, and commits each decision to the database before it tells anyone.
//! A commit carries the leader's term; the database refuses those of an earlier one, so two leaders cannot disagree.

use super::RegistryConfig;
use super::bugs::Bug;
use super::cluster::Cluster;
use super::layout::NodeIds;
use super::message::{In, Message, Out, Timer};
use super::showing::Shown;
use history::{MILLI, Nanos};
use simulation::{Input, NodeId, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The database. It never forgets; its process cannot be killed without its disk staying.
#[derive(Clone, Debug)]
pub struct Database {
    lease: Nanos,
    /// Who holds the row, until when by the database's own clock.
    holder: Option<(NodeId, Nanos)>,
    term: u64,
    /// The cluster as committed.
    pub cluster: Arc<Cluster>,
}

impl Database {
    /// Empty tables.
    pub fn new(config: &RegistryConfig) -> Database {
        let cluster = Arc::new(Cluster::of(config));
        Database { lease: config.meta_lease_ms * MILLI, holder: None, term: 0, cluster }
    }

    /// The meta node whose lease runs now.
    pub fn leader(&self, mono: Nanos) -> Option<NodeId> {
        self.holder.filter(|(_, until)| mono < *until).map(|(node, _)| node)
    }

    /// The lease and the tables, for people who look into a run.
    pub(super) fn show(&self, now: Now, name: &dyn Fn(NodeId) -> String) -> Shown {
        let lease = match self.leader(now.mono) {
            Some(holder) => format!("{} holds the lease, term {}", name(holder), self.term),
            None => format!("nobody holds the lease; the last term was {}", self.term),
        };
        let nodes = self.cluster.nodes().map(|(node, life)| format!("{} in life {life}", name(node)));
        let slots = self.cluster.slots.iter().enumerate().map(|(slot, seat)| {
            let leader = seat.leader.map_or("nobody".to_owned(), name);
            let followers: Vec<String> = seat.followers.iter().map(|node| name(*node)).collect();
            let copies = if followers.is_empty() { "nobody".to_owned() } else { followers.join(", ") };
            format!("slot {slot}: {leader}, epoch {}, copied by {copies}", seat.epoch)
        });
        vec![
            ("lease", vec![lease]),
            ("table", vec![format!("v{}", self.cluster.version)]),
            ("live nodes", nodes.collect()),
            ("leaders", slots.collect()),
        ]
    }

    /// One step.
    pub fn step(&mut self, now: Now, input: In, out: &mut Out) {
        let Input::Message { from, message, .. } = input else { return };
        match message {
            Message::LeaseAsk(asked) => {
                let leader = self.leader(now.mono);
                let granted = leader.is_none_or(|holder| holder == from);
                if granted {
                    // A holder whose lease ran out begins a new term, also if nobody held it in between.
                    self.term += u64::from(leader.is_none());
                    self.holder = Some((from, now.mono + self.lease));
                }
                let term = granted.then_some(self.term);
                out.send(from, Message::LeaseAnswer(asked, term, self.cluster.clone()));
            }
            Message::Commit(term, cluster) => {
                let holds = self.leader(now.mono) == Some(from) && term == self.term;
                let done = holds && cluster.version == self.cluster.version + 1;
                if done {
                    self.cluster = cluster;
                } else if term != self.term {
                    out.reached("commit-refused-by-term");
                }
                out.send(from, Message::Committed(self.cluster.clone(), done));
            }
            _ => {}
        }
    }
}

/// When a node was heard, and in which incarnation.
#[derive(Clone, Copy, Debug)]
struct Heard {
    incarnation: u64,
    at: Nanos,
}

/// A meta node.
#[derive(Debug)]
pub struct Meta {
    config: Arc<RegistryConfig>,
    ids: NodeIds,
    bug: Option<Bug>,
    /// While this node leads: its term, and until when it may believe so.
    office: Option<(u64, Nanos)>,
    cluster: Arc<Cluster>,
    /// A commit that was not answered yet, and when it was sent.
    pending: Option<(u64, Nanos)>,
    heard: BTreeMap<NodeId, Heard>,
    changed_at: Nanos,
    /// True once the database has answered.
    pub answered: bool,
    /// So many leaders are to be handed on when the cluster is calm next.
    pub rotate: u32,
}

/// How often a leader looks for nodes that were not heard.
const TICK: Nanos = 100 * MILLI;

impl Meta {
    /// Fresh.
    pub fn new(config: Arc<RegistryConfig>, ids: NodeIds, bug: Option<Bug>) -> Meta {
        let cluster = Arc::new(Cluster::of(&config));
        Meta {
            config,
            ids,
            bug,
            office: None,
            cluster,
            pending: None,
            heard: BTreeMap::new(),
            changed_at: 0,
            answered: false,
            rotate: 0,
        }
    }

    /// True if this node may believe that it leads.
    pub fn leads(&self, now: Now) -> bool {
        self.office.is_some_and(|(_, until)| now.mono < until || self.bug == Some(Bug::TwoMetaLeaders))
    }

    /// What it believes, for people who look into a run.
    pub(super) fn show(&self, now: Now) -> Shown {
        let office = match self.office {
            Some((term, _)) if self.leads(now) => format!("leads in term {term}"),
            Some((term, _)) => format!("does not lead; its term {term} is over"),
            None => "does not lead".to_owned(),
        };
        let pending = self.pending.map_or(String::new(), |(version, _)| format!(", commits v{version}"));
        vec![("knows", vec![format!("{office}, table v{}{pending}", self.cluster.version)])]
    }

    /// One step.
    pub fn step(&mut self, now: Now, input: In, out: &mut Out) {
        match input {
            Input::Start => {
                out.timer(0, Timer::Lease);
                out.timer(TICK, Timer::Tick);
            }
            Input::Timer(Timer::Lease) => {
                out.send(self.ids.database(), Message::LeaseAsk(now.mono));
                out.timer(self.config.meta_renew_ms * MILLI, Timer::Lease);
            }
            Input::Timer(Timer::Tick) => {
                self.review(now, out);
                out.timer(TICK, Timer::Tick);
            }
            Input::Message { message: Message::LeaseAnswer(asked, term, cluster), .. } => {
                self.on_lease(now, asked, term, cluster, out);
            }
            Input::Message { message: Message::Committed(cluster, _), .. } => self.on_committed(now, cluster, out),
            Input::Message { from, message: Message::Beat(incarnation, sent, version), .. } => {
                self.on_beat(now, from, incarnation, (sent, version), out);
            }
            _ => {}
        }
    }

    fn on_lease(&mut self, now: Now, asked: Nanos, term: Option<u64>, cluster: Arc<Cluster>, out: &mut Out) {
        self.answered = true;
        let Some(term) = term else {
            if self.office.take().is_some() {
                out.reached("meta-leader-learnt-that-another-leads");
            }
            return;
        };
        // Counted from the question, and a fifth shorter than the database counts: clocks may drift apart.
        let until = asked + self.config.meta_lease_ms * MILLI * 4 / 5;
        let new = self.office.is_none_or(|(old, _)| old != term);
        self.office = Some((term, self.office.map_or(until, |(_, before)| before.max(until))));
        if new {
            out.reached("meta-leader-elected");
            // Whoever is listed gets a full lease: its heartbeats went to the leader before.
            self.heard.clear();
            for (node, incarnation) in cluster.nodes() {
                self.heard.insert(node, Heard { incarnation, at: now.mono });
            }
            self.pending = None;
            self.changed_at = now.mono;
            self.cluster = cluster;
            self.tell_all(out);
        }
    }

    fn on_beat(&mut self, now: Now, from: NodeId, incarnation: u64, (sent, version): (Nanos, u64), out: &mut Out) {
        if !self.leads(now) {
            return;
        }
        self.heard.insert(from, Heard { incarnation, at: now.mono });
        if self.cluster.lists(from, incarnation) {
            let news = (self.cluster.version > version).then(|| self.cluster.clone());
            out.send(from, Message::BeatOk(incarnation, sent, news));
        } else {
            self.review(now, out);
        }
    }

    /// Compares who is heard with who is listed, and commits the difference.
    fn review(&mut self, now: Now, out: &mut Out) {
        let overdue = self.pending.is_none_or(|(_, sent)| now.mono >= sent + 300 * MILLI);
        if !self.leads(now) || !overdue {
            return;
        }
        let lease = self.config.node_lease_ms * MILLI;
        let silent = |heard: &Heard| now.mono >= heard.at + lease;
        let gone: Vec<NodeId> = self
            .cluster
            .nodes()
            .filter(|(node, _)| self.heard.get(node).is_none_or(silent))
            .map(|(node, _)| node)
            .collect();
        let mut come = Vec::new();
        for (node, heard) in &self.heard {
            if !silent(heard) && !self.cluster.lists(*node, heard.incarnation) {
                come.push((*node, heard.incarnation));
            }
        }
        let next = if gone.is_empty() && come.is_empty() {
            let rested = now.mono >= self.changed_at + self.config.rebalance_ms * MILLI;
            let replicas = self.config.replicas;
            let balance = || self.cluster.rebalanced(replicas).or_else(|| self.cluster.rotated(self.rotate, replicas));
            let next = rested.then(balance).flatten();
            if next.is_some() {
                out.reached("slots-rebalanced");
            }
            next
        } else {
            if !gone.is_empty() {
                out.reached(if gone.len() > 1 { "several-nodes-given-up-at-once" } else { "node-given-up" });
            }
            Some(self.cluster.changed(&self.ids, &gone, &come, self.config.replicas))
        };
        if let (Some(next), Some((term, _))) = (next, self.office) {
            self.pending = Some((next.version, now.mono));
            out.send(self.ids.database(), Message::Commit(term, Arc::new(next)));
        }
    }

    /// Also a commit of our own whose answer was lost is found here: the database tells what it has.
    fn on_committed(&mut self, now: Now, cluster: Arc<Cluster>, out: &mut Out) {
        self.pending = None;
        if self.leads(now) && cluster.version > self.cluster.version {
            self.cluster = cluster;
            self.changed_at = now.mono;
            self.rotate = 0;
            self.tell_all(out);
            self.review(now, out);
        }
    }

    fn tell_all(&self, out: &mut Out) {
        for (node, _) in self.cluster.nodes() {
            out.send(node, Message::Table(self.cluster.clone()));
        }
    }
}
