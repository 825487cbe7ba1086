//! Subscriptions, and the contents that they watch: fetched when data says that they changed, compared with the
//! leaders' versions again and again, and given up (with the connections of those who watch) when that is impossible.

use super::Session;
use super::book::{Place, Subscription};
use crate::registry::bugs::Bug;
use crate::registry::config::Generation;
use crate::registry::message::{Answer, ConnectionId, Content, Message, Out, Timer};
use history::{DataIx, MILLI, Nanos, OpId};
use simulation::{NodeId, Now};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who watches a dataId.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subscriber {
    pub connection: ConnectionId,
    pub number: u32,
    /// Where the book keeps the subscription.
    pub place: Place,
}

/// A question to a leader.
#[derive(Clone, Copy, Debug)]
struct Question {
    id: u64,
    sent: Nanos,
}

/// A dataId that somebody watches.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub content: Option<Arc<Content>>,
    /// By connection and number.
    pub subscribers: Vec<Subscriber>,
    /// Those of them that wait for a first content.
    waiting: BTreeSet<(ConnectionId, u32)>,
    /// Up to then the content was verified.
    fresh: Nanos,
    question: Option<Question>,
    /// Ask once more after the answer.
    again: bool,
    /// The newest version that data gave notice of.
    noticed: u64,
    change_armed: bool,
    pub push_armed: bool,
}

impl Watched {
    /// True if no question waits for a second attempt.
    pub fn is_calm(&self, mono: Nanos) -> bool {
        self.question.is_none_or(|question| mono < question.sent + 50 * MILLI)
    }

    fn find(&self, connection: ConnectionId, number: u32) -> Result<usize, usize> {
        self.subscribers.binary_search_by_key(&(connection, number), |s| (s.connection, s.number))
    }
}

/// A client's read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub connection: ConnectionId,
    pub op: OpId,
    pub data: DataIx,
    pub since: Nanos,
}

impl Session {
    pub(super) fn subscribe(
        &mut self,
        now: Now,
        connection: ConnectionId,
        op: OpId,
        data: DataIx,
        subscription: u32,
        out: &mut Out,
    ) {
        self.unsubscribe(connection, subscription);
        let fresh = Subscription::new(subscription, data, op, now.mono);
        let Some(place) = self.book.subscribe(connection, fresh) else { return };
        let watched = self.watched.entry(data).or_insert_with(|| Watched {
            content: None,
            subscribers: Vec::new(),
            waiting: BTreeSet::new(),
            fresh: now.mono,
            question: None,
            again: false,
            noticed: 0,
            change_armed: false,
            push_armed: false,
        });
        let subscriber = Subscriber { connection, number: subscription, place };
        match watched.find(connection, subscription) {
            Ok(at) => watched.subscribers[at] = subscriber,
            Err(at) => watched.subscribers.insert(at, subscriber),
        }
        watched.waiting.insert((connection, subscription));
        self.reply(connection, op, Answer::Ok(None), out);
        self.fetch(now, data, out);
    }

    pub(super) fn unsubscribe(&mut self, connection: ConnectionId, subscription: u32) {
        if let Some(data) = self.book.unsubscribe(connection, subscription) {
            self.unwatch(data, connection, subscription);
        }
    }

    pub(super) fn unwatch(&mut self, data: DataIx, connection: ConnectionId, subscription: u32) {
        if let Some(watched) = self.watched.get_mut(&data) {
            if let Ok(at) = watched.find(connection, subscription) {
                watched.subscribers.remove(at);
            }
            watched.waiting.remove(&(connection, subscription));
            if self.bug == Some(Bug::UnsubscribeTakesAll) {
                watched.subscribers.clear();
                watched.waiting.clear();
            }
            if watched.subscribers.is_empty() {
                self.watched.remove(&data);
            }
        }
    }

    /// Whom to ask for a content: the slot's leader.
    fn source_of(&self, data: DataIx, id: u64) -> Option<NodeId> {
        let seat = &self.member.cluster.slots[self.slot_of(data) as usize];
        if self.bug == Some(Bug::AnyReplica) && id.is_multiple_of(2) {
            return seat.followers.first().copied().or(seat.leader);
        }
        seat.leader
    }

    /// Asks for the content now, or as soon as the open question is answered.
    fn fetch(&mut self, now: Now, data: DataIx, out: &mut Out) {
        let id = self.next_number();
        let source = self.source_of(data, id);
        let Some(watched) = self.watched.get_mut(&data) else { return };
        if watched.question.is_some() {
            watched.again = self.bug != Some(Bug::LostWakeUp);
            return;
        }
        watched.again = false;
        watched.question = Some(Question { id, sent: now.mono });
        let wait = match source {
            Some(source) => {
                out.send(source, Message::Fetch(id, data));
                if self.bug == Some(Bug::AnswersInOrder) {
                    self.asked.push_back(data);
                }
                self.config.fetch_timeout_ms
            }
            None => self.config.fetch_retry_ms,
        };
        out.timer(wait * MILLI, Timer::Refetch(data, id));
    }

    pub(super) fn fetch_overdue(&mut self, now: Now, data: DataIx, id: u64, out: &mut Out) {
        let Some(watched) = self.watched.get_mut(&data) else { return };
        if watched.question.is_some_and(|question| question.id == id) {
            watched.question = None;
            if let (Some(Bug::RequestedVersionRecorded), Some(content)) = (self.bug, &mut watched.content) {
                let content = Arc::make_mut(content);
                content.version = content.version.max(watched.noticed);
                return;
            }
            if self.bug == Some(Bug::EmptyFirstFetch) {
                self.forget_first(data);
            }
            self.fetch(now, data, out);
        }
    }

    pub(super) fn on_fetched(&mut self, now: Now, id: u64, data: DataIx, content: Option<Arc<Content>>, out: &mut Out) {
        if let Some(reading) = self.reads.get(&id) {
            let (connection, op) = (reading.connection, reading.op);
            match content {
                Some(content) => {
                    self.reads.remove(&id);
                    self.reply(connection, op, Answer::Ok(Some(Arc::clone(&content.elements))), out);
                }
                None => out.timer(self.config.fetch_retry_ms * MILLI, Timer::Read(id)),
            }
            return;
        }
        let taken_for = match self.bug {
            Some(Bug::AnswersInOrder) => self.asked.pop_front().unwrap_or(data),
            _ => data,
        };
        let Some(watched) = self.watched.get_mut(&data) else { return };
        let Some(question) = watched.question.filter(|question| question.id == id) else { return };
        if content.is_none() && self.bug == Some(Bug::EmptyFirstFetch) {
            self.forget_first(data);
        }
        let Some(watched) = self.watched.get_mut(&data) else { return };
        match content {
            None => {
                out.reached("fetch-refused");
                out.timer(self.config.fetch_retry_ms * MILLI, Timer::Refetch(data, id));
            }
            Some(content) => {
                watched.question = None;
                let again = watched.again;
                self.take(now, taken_for, question.sent, content, out);
                if again {
                    self.fetch(now, data, out);
                }
            }
        }
    }

    /// With [`Bug::EmptyFirstFetch`]: nobody waits for a first content any more.
    fn forget_first(&mut self, data: DataIx) {
        let Some(watched) = self.watched.get(&data) else { return };
        for Subscriber { connection, number, place } in &watched.subscribers {
            let place = self.book.place(*connection, *number, *place);
            if let Some(first) = place.map(|place| self.book.at_mut(place)).filter(|first| !first.ready) {
                first.since = Nanos::MAX;
            }
        }
    }

    /// A content arrived that was asked for at `sent`.
    fn take(&mut self, now: Now, data: DataIx, sent: Nanos, content: Arc<Content>, out: &mut Out) {
        let Some(watched) = self.watched.get_mut(&data) else { return };
        watched.fresh = watched.fresh.max(sent);
        // Never back: an answer that was overtaken changes nothing.
        let newer = watched.content.as_ref().is_none_or(|held| content.version > held.version);
        if newer || self.bug == Some(Bug::AnyReplica) {
            let at = data as usize;
            if self.newest.len() <= at {
                self.newest.resize(at + 1, 0);
            }
            self.newest[at] = content.version;
            watched.content = Some(content);
            if !watched.push_armed {
                watched.push_armed = true;
                out.timer(self.config.push_debounce_ms * MILLI, Timer::Push(data));
            }
        }
        let waiting: Vec<_> = watched.waiting.iter().copied().collect();
        for (connection, number) in waiting {
            let Some(place) = self.book.place(connection, number, Place::MAX) else { continue };
            let subscription = self.book.at_mut(place);
            if subscription.since <= sent {
                subscription.ready = true;
                if let Some(watched) = self.watched.get_mut(&data) {
                    watched.waiting.remove(&(connection, number));
                }
                self.pump(now, place, out);
            }
        }
    }

    /// Data says what changed.
    pub(super) fn on_changed(&mut self, changes: Vec<(DataIx, u64)>, out: &mut Out) {
        for (data, version) in changes {
            if let Some(watched) = self.watched.get_mut(&data) {
                watched.noticed = watched.noticed.max(version);
            }
            let known = self.watched.get(&data).and_then(|watched| watched.content.as_ref());
            if known.is_none_or(|content| version > content.version) {
                self.changed(data, out);
            }
        }
    }

    fn changed(&mut self, data: DataIx, out: &mut Out) {
        let Some(watched) = self.watched.get_mut(&data) else { return };
        if !watched.change_armed {
            watched.change_armed = true;
            out.timer(self.config.change_debounce_ms * MILLI, Timer::Fetch(data));
        }
    }

    pub(super) fn change_due(&mut self, now: Now, data: DataIx, out: &mut Out) {
        if let Some(watched) = self.watched.get_mut(&data) {
            watched.change_armed = false;
            self.fetch(now, data, out);
        }
    }

    /// A slot is served by a new leader: its versions have risen.
    pub(super) fn on_serving(&mut self, slot: u32, out: &mut Out) {
        let mut moved: Vec<DataIx> = self.watched.keys().copied().filter(|data| self.slot_of(*data) == slot).collect();
        moved.sort_unstable();
        for data in moved {
            self.changed(data, out);
        }
    }

    /// Compares versions with the leaders.
    pub(super) fn scan(&mut self, now: Now, out: &mut Out) {
        let mut asks: BTreeMap<NodeId, Vec<DataIx>> = BTreeMap::new();
        let mut watched: Vec<DataIx> = self.watched.keys().copied().collect();
        watched.sort_unstable();
        for data in watched {
            if let Some(leader) = self.leader_of(self.slot_of(data)) {
                asks.entry(leader).or_default().push(data);
            }
        }
        for (leader, data_ids) in asks {
            out.send(leader, Message::Scan(now.mono, data_ids));
        }
    }

    pub(super) fn on_scanned(&mut self, now: Now, sent: Nanos, versions: Vec<(DataIx, u64)>, out: &mut Out) {
        for (data, version) in versions {
            let Some(watched) = self.watched.get_mut(&data) else { continue };
            let current = match &watched.content {
                Some(content) => content.version >= version || self.bug == Some(Bug::ScanIgnored),
                None => false,
            };
            if current {
                watched.fresh = watched.fresh.max(sent);
            } else {
                out.reached("scan-found-a-difference");
                self.fetch(now, data, out);
            }
        }
    }

    /// What could not be verified for too long must not be shown any longer: whoever watches it is disconnected.
    pub(super) fn close_unverified(&mut self, now: Now, out: &mut Out) {
        if self.config.generation == Generation::V5 {
            return;
        }
        let limit = self.config.stale_close_ms * MILLI;
        if now.mono < self.unverified_from {
            return;
        }
        let old = self.watched.values().filter(|watched| now.mono >= watched.fresh + limit);
        let connections: BTreeSet<ConnectionId> =
            old.flat_map(|watched| watched.subscribers.iter().map(|subscriber| subscriber.connection)).collect();
        // What is verified later is old later; what is old already stays watched only if nobody could be disconnected.
        let fresh = self.watched.values().map(|watched| watched.fresh).min();
        self.unverified_from = fresh.map_or(now.mono, |fresh| fresh.max(now.mono.saturating_sub(limit)) + limit);
        for connection in connections {
            out.reached("unverified-connection-closed");
            self.close(now, connection, None, Some("the session node cannot verify what it shows"), out);
        }
    }

    pub(super) fn send_read(&mut self, id: u64, out: &mut Out) {
        let Some(reading) = self.reads.get(&id) else { return };
        let data = reading.data;
        if let Some(leader) = self.leader_of(self.slot_of(data)) {
            out.send(leader, Message::Fetch(id, data));
        }
        out.timer(self.config.fetch_timeout_ms * MILLI, Timer::Read(id));
    }

    pub(super) fn read_overdue(&mut self, now: Now, id: u64, out: &mut Out) {
        let Some(reading) = self.reads.remove(&id) else { return };
        // The client has given up.
        if now.mono >= reading.since + self.config.request_timeout_ms * MILLI {
            return;
        }
        let id = self.next_number();
        self.reads.insert(id, reading);
        self.send_read(id, out);
    }
}
