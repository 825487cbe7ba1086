//! A session node: keeps its clients' connections, publications and subscriptions, writes publications to the leaders
//! of their slots, and pushes contents to subscribers.
//!
//! What clients hold here is the truth; data nodes have copies and compare them with the digest sync. A session node that
//! meta has not confirmed for `node_fence_ms` fences itself: it closes every connection and begins a new incarnation.

mod book;
mod connections;
mod overdue;
mod pushing;
mod showing;
mod store;
mod watching;
mod writing;

use super::RegistryConfig;
use super::bugs::Bug;
use super::cluster::Cluster;
use super::config::Generation;
use super::layout::{NodeIds, slot_of};
use super::membership::Membership;
use super::message::{Answer, ConnectionId, In, Message, Out, Timer};
use history::{ClientId, DataIx, MILLI, Nanos, OpId};
use rustc_hash::FxHashMap;
use simulation::{Input, NodeId, Now};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use book::{Book, Place};
use overdue::Overdue;
use store::Store;
use watching::{Reading, Watched};
use writing::Writer;

/// See the module.
#[derive(Clone, Debug)]
pub struct Session {
    id: NodeId,
    ids: NodeIds,
    config: Arc<RegistryConfig>,
    bug: Option<Bug>,
    /// Its place in the cluster.
    pub member: Membership,
    /// True while it is a member; false after a fence until it is one again.
    pub serving: bool,
    book: Book,
    /// No connection is idle before then.
    idle_from: Nanos,
    store: Store,
    writers: Vec<Writer>,
    /// Operations that wait for so many writes.
    waits: BTreeMap<(ConnectionId, OpId), u32>,
    /// Hashed: whoever goes through it in an order that shows sorts it.
    watched: FxHashMap<DataIx, Watched>,
    /// The version of each dataId that was taken last, 0 for none: asked with every acknowledgement, so close together.
    newest: Vec<u64>,
    /// No content is unverified for too long before then.
    unverified_from: Nanos,
    reads: BTreeMap<u64, Reading>,
    overdue: Overdue,
    /// Empty between calls; keeps its memory.
    due: Vec<Place>,
    /// Clients that acknowledged nothing for too long are not taken back before this instant.
    breakers: FxHashMap<ClientId, Nanos>,
    /// With [`Bug::AnswersInOrder`]: dataIds of open questions.
    asked: VecDeque<DataIx>,
    number: u64,
    ticks: u64,
}

const TICK: Nanos = 50 * MILLI;

impl Session {
    /// Fresh; incarnations rise from start to start.
    pub fn new(id: NodeId, incarnation: u64, config: Arc<RegistryConfig>, ids: NodeIds, bug: Option<Bug>) -> Session {
        let count = config.slots.max(1);
        Session {
            id,
            ids,
            member: Membership::new(id, incarnation, &config, bug),
            config,
            bug,
            serving: false,
            book: Book::default(),
            idle_from: 0,
            store: Store::new(count, bug),
            writers: (0..count).map(|_| Writer::default()).collect(),
            waits: BTreeMap::new(),
            watched: FxHashMap::default(),
            newest: Vec::new(),
            unverified_from: 0,
            reads: BTreeMap::new(),
            overdue: Overdue::default(),
            due: Vec::new(),
            breakers: FxHashMap::default(),
            asked: VecDeque::new(),
            number: 0,
            ticks: 0,
        }
    }

    /// True if it serves and nothing waits to be written or fetched again.
    pub fn is_calm(&self, mono: Nanos) -> bool {
        self.serving && self.writers.iter().all(Writer::is_calm) && self.watched.values().all(|w| w.is_calm(mono))
    }

    /// How many clients are connected.
    pub fn connected(&self) -> usize {
        self.book.len()
    }

    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn slot_of(&self, data: DataIx) -> u32 {
        slot_of(data, self.config.slots.max(1))
    }

    fn leader_of(&self, slot: u32) -> Option<NodeId> {
        self.member.cluster.slots[slot as usize].leader
    }

    /// This message comes soon.
    pub fn prepare(&self, message: &Message) {
        match message {
            Message::Pushed(watcher, _) => self.book.prepare(watcher.place),
            Message::ClientBeat(connection, _) => self.book.prepare_connection(*connection),
            _ => {}
        }
    }

    /// One step.
    pub fn step(&mut self, now: Now, input: In, out: &mut Out) {
        // Before anything else, also after a pause: a node that is no member any more must not act on what waited.
        self.review_membership(now, out);
        match input {
            Input::Start => {
                let stagger = u64::from(self.id + 1) * 11 * MILLI;
                out.timer(0, Timer::Beat);
                out.timer(stagger, Timer::Tick);
                out.timer(self.config.scan_ms * MILLI / 2 + stagger, Timer::Scan);
                out.timer(self.config.session_renew_ms * MILLI / 2 + stagger, Timer::Renew);
            }
            Input::Timer(timer) => self.on_timer(now, timer, out),
            // First of all messages, since every third one is such a one.
            Input::Message { message: Message::Pushed(watcher, version), .. } => {
                self.on_pushed(now, watcher, version, out);
            }
            Input::Message { from, channel, message } => self.on_message(now, from, channel, message, out),
            Input::Reset { .. } => {}
        }
    }

    #[inline]
    fn review_membership(&mut self, now: Now, out: &mut Out) {
        let valid = self.member.valid(now);
        if self.serving && !valid {
            self.fence(out);
        }
        self.serving = valid;
    }

    #[cold]
    fn fence(&mut self, out: &mut Out) {
        out.reached("session-fenced");
        self.breakers.clear();
        for connection in self.book.clear() {
            let message = Message::Closed(connection, "the session node has lost meta");
            out.send_on(self.ids.clients(), connection.client, message);
        }
        self.store.clear();
        self.writers.iter_mut().for_each(|writer| *writer = Writer::default());
        self.waits.clear();
        self.watched.clear();
        self.reads.clear();
        self.overdue.clear();
        self.asked.clear();
        self.member.renew();
    }

    fn on_timer(&mut self, now: Now, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Beat => {
                self.member.beat(now, &self.ids, out);
                out.timer(self.config.heartbeat_ms * MILLI, Timer::Beat);
            }
            Timer::Renew => {
                let number = self.next_number();
                for data in self.member.cluster.data.keys() {
                    out.send(*data, Message::Renew(self.member.incarnation, number));
                }
                out.timer(self.config.session_renew_ms * MILLI, Timer::Renew);
            }
            Timer::Tick => {
                self.tick(now, out);
                out.timer(TICK, Timer::Tick);
            }
            Timer::Scan => {
                self.scan(now, out);
                out.timer(self.config.scan_ms * MILLI, Timer::Scan);
            }
            Timer::Flush(slot) => self.flush_due(now, slot, out),
            Timer::Write(slot, id) => self.write_overdue(now, slot, id, out),
            Timer::Fetch(data) => self.change_due(now, data, out),
            Timer::Refetch(data, id) => self.fetch_overdue(now, data, id, out),
            Timer::Push(data) => self.push_due(now, data, out),
            Timer::Read(id) => self.read_overdue(now, id, out),
            _ => {}
        }
    }

    fn on_message(&mut self, now: Now, from: NodeId, client: ClientId, message: Message, out: &mut Out) {
        match message {
            Message::Request(connection, op, ask) => self.on_request(now, connection, op, *ask, out),
            Message::ClientBeat(connection, sent) => {
                let known = self.touch(now, connection, out);
                if known {
                    out.send_on(from, client, Message::ClientBeat(connection, sent));
                }
            }
            Message::Bye(connection) => {
                self.close(now, connection, None, None, out);
            }
            Message::BeatOk(incarnation, sent, cluster) => {
                let before = self.member.cluster.clone();
                if self.member.confirmed(incarnation, sent, cluster) {
                    out.reached("table-pulled-by-heartbeat");
                    self.on_table(&before, out);
                }
                self.review_membership(now, out);
            }
            Message::Table(cluster) => {
                let before = self.member.cluster.clone();
                if self.member.learn(cluster) {
                    self.on_table(&before, out);
                }
                self.review_membership(now, out);
            }
            Message::Written(id, slot, applied) => self.on_written(now, id, slot, applied, out),
            Message::Fetched(id, data, content) => self.on_fetched(now, id, data, content, out),
            Message::Scanned(sent, versions) => self.on_scanned(now, sent, versions, out),
            Message::Changed(changes, _) => self.on_changed(changes, out),
            Message::Serving(slot, _) => {
                self.resend(now, slot, out);
                self.on_serving(slot, out);
            }
            Message::SyncAsk(round, asks) => {
                let answers = asks.iter().map(|ask| self.store.answer(ask)).collect();
                out.send(from, Message::SyncAnswer(round, self.member.incarnation, answers));
            }
            _ => {}
        }
    }

    /// V5: nobody says that a slot is served elsewhere now, so what is watched there is asked for at once.
    fn on_table(&mut self, before: &Cluster, out: &mut Out) {
        if self.config.generation == Generation::V5 {
            for slot in 0..before.slots.len() as u32 {
                if before.slots[slot as usize].leader != self.leader_of(slot) {
                    self.on_serving(slot, out);
                }
            }
        }
    }

    fn reply(&self, connection: ConnectionId, op: OpId, answer: Answer, out: &mut Out) {
        out.send_on(self.ids.clients(), connection.client, Message::Response(connection, op, answer));
    }

    fn tick(&mut self, now: Now, out: &mut Out) {
        self.ticks += 1;
        self.repeat_pushes(now, out);
        if self.ticks.is_multiple_of(4) {
            self.close_idle(now, out);
            self.close_unverified(now, out);
        }
        if self.ticks.is_multiple_of(20) {
            self.store.compact(now.mono, self.config.tombstone_ms * MILLI);
        }
    }
}
