//! A data node: slots, and the conversations about them with sessions, other data nodes and meta.

use super::RegistryConfig;
use super::bugs::Bug;
use super::config::Generation;
use super::entry::Entry;
use super::layout::{NodeIds, slot_of};
use super::membership::Membership;
use super::message::{In, Message, Out, SlotAnswer, SlotAsk, Timer};
use super::slot::{Phase, Slot};
use history::{DataIx, MILLI, Nanos};
use simulation::{Input, NodeId, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

/// When a session node was heard here.
#[derive(Clone, Copy, Debug)]
struct Lease {
    incarnation: u64,
    at: Nanos,
    lapsed: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Data {
    pub(super) id: NodeId,
    pub(super) ids: NodeIds,
    pub(super) config: Arc<RegistryConfig>,
    pub(super) bug: Option<Bug>,
    /// Its place in the cluster.
    pub member: Membership,
    /// All slots, also those that it has nothing to do with.
    pub slots: Vec<Slot>,
    sessions: BTreeMap<NodeId, Lease>,
    notify_armed: bool,
    replicate_armed: bool,
    pub(super) number: u64,
    ticks: u64,
}

const TICK: Nanos = 100 * MILLI;

impl Data {
    /// Fresh; incarnations rise from start to start.
    pub fn new(id: NodeId, incarnation: u64, config: Arc<RegistryConfig>, ids: NodeIds, bug: Option<Bug>) -> Data {
        let count = config.slots.max(1);
        Data {
            id,
            ids,
            member: Membership::new(id, incarnation, &config, bug),
            slots: (0..count).map(|_| Slot::new(bug, config.generation)).collect(),
            config,
            bug,
            sessions: BTreeMap::new(),
            notify_armed: false,
            replicate_armed: false,
            number: 0,
            ticks: 0,
        }
    }

    /// True if this node may serve this slot now.
    pub fn serves(&self, slot: u32, now: Now) -> bool {
        self.member.valid(now) && self.slots[slot as usize].accepts()
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// One step.
    pub fn step(&mut self, now: Now, input: In, out: &mut Out) {
        let changes = self.may_change(now, &input);
        match input {
            Input::Start => {
                let stagger = u64::from(self.id - self.ids.sessions + 1) * 7 * MILLI;
                out.timer(0, Timer::Beat);
                out.timer(stagger, Timer::Tick);
                out.timer(self.config.digest_ms * MILLI / 2 + stagger, Timer::Digest);
            }
            Input::Timer(timer) => self.on_timer(now, timer, out),
            Input::Message { from, message, .. } => self.on_message(now, from, message, out),
            Input::Reset { .. } => {}
        }
        if changes {
            self.arm(out);
        }
    }

    /// False for what certainly leaves all slots as they are: most of what happens, and there are hundreds of slots to look at.
    fn may_change(&self, now: Now, input: &In) -> bool {
        let torn = self.bug == Some(Bug::TornContent);
        match input {
            Input::Message { message: Message::Fetch(..) | Message::Scan(..), .. } => torn,
            Input::Message { message: Message::Renew(..), .. } => self.is_v5(),
            Input::Message { message: Message::BeatOk(.., None), .. } => false,
            Input::Timer(Timer::Beat | Timer::Digest) => false,
            Input::Timer(Timer::Tick) => torn || self.sessions.values().any(|lease| self.is_over(now, lease)),
            _ => true,
        }
    }

    /// True if this session was not heard for too long, and that is not known yet.
    fn is_over(&self, now: Now, lease: &Lease) -> bool {
        !lease.lapsed && now.mono >= lease.at + self.config.session_lease_ms * MILLI
    }

    fn on_timer(&mut self, now: Now, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Beat => {
                self.member.beat(now, &self.ids, out);
                out.timer(self.config.heartbeat_ms * MILLI, Timer::Beat);
            }
            Timer::Tick => {
                self.tick(now, out);
                out.timer(TICK, Timer::Tick);
            }
            Timer::Notify => self.notify(out),
            Timer::Replicate => self.replicate(out),
            Timer::Digest => {
                self.ask_sessions(out);
                self.ask_leaders(out);
                out.timer(self.config.digest_ms * MILLI, Timer::Digest);
            }
            Timer::Migrate(slot) => self.migrate(now, slot, true, out),
            _ => {}
        }
    }

    fn on_message(&mut self, now: Now, from: NodeId, message: Message, out: &mut Out) {
        match message {
            Message::BeatOk(incarnation, sent, cluster) => {
                let news = self.member.confirmed(incarnation, sent, cluster);
                if news {
                    out.reached("table-pulled-by-heartbeat");
                    self.on_table(now, out);
                }
            }
            Message::Table(cluster) => {
                let news = self.member.learn(cluster);
                if news {
                    self.on_table(now, out);
                }
            }
            Message::Write(id, slot, version, incarnation, entries) => {
                self.hear(now, from, incarnation, true, out);
                let applied = self.write(now, (from, incarnation), slot, version, &entries);
                if std::mem::take(&mut self.slots[slot as usize].kept_down) {
                    out.reached("tombstone-kept-an-old-write-down");
                }
                if !applied && self.member.cluster.version < version {
                    out.reached("write-refused-by-an-old-table");
                }
                out.send(from, Message::Written(id, slot, applied));
            }
            Message::Fetch(id, data) => self.on_fetch(now, from, id, data, out),
            Message::Scan(sent, data_ids) => {
                let served = data_ids.into_iter().filter(|data| self.serves(self.slot_of(*data), now));
                let versions = served.map(|data| (data, self.slots[self.slot_of(data) as usize].version(data)));
                out.send(from, Message::Scanned(sent, versions.collect()));
            }
            Message::Renew(incarnation, _) => self.hear(now, from, incarnation, false, out),
            Message::SyncAnswer(_, incarnation, _) if self.is_outlived(from, incarnation) => {
                out.reached("sync-answer-of-an-earlier-life-ignored");
            }
            Message::SyncAnswer(_, incarnation, answers) => {
                self.hear(now, from, incarnation, false, out);
                for answer in answers {
                    self.on_sync(now, from, incarnation, answer, out);
                }
            }
            Message::Release(slot, epoch, _) => self.on_release(from, slot, epoch, out),
            Message::Released(slot, epoch, entries) => self.on_released(now, from, slot, epoch, entries, out),
            Message::Replicate(slot, epoch, _, entries) => {
                let same = self.is_v5() || self.slots[slot as usize].epoch == epoch;
                let kept = &mut self.slots[slot as usize];
                if kept.phase == Phase::Follower && same {
                    for entry in entries.iter() {
                        kept.apply(entry.clone(), now.mono);
                    }
                    kept.dirty.clear();
                    kept.unreplicated.clear();
                }
            }
            Message::CopyAsk(slot, epoch, digest, _) => {
                let kept = &self.slots[slot as usize];
                let same = self.is_v5() || kept.epoch == epoch;
                if kept.phase == Phase::Accept && same && kept.digest() != digest {
                    out.reached("follower-repaired-by-digest");
                    out.send(from, Message::Copy(slot, epoch, kept.copy()));
                }
            }
            Message::Copy(slot, epoch, entries) => {
                let same = self.is_v5() || self.slots[slot as usize].epoch == epoch;
                let kept = &mut self.slots[slot as usize];
                if kept.phase == Phase::Follower && same {
                    kept.replace(entries, now.mono);
                }
            }
            _ => {}
        }
    }

    pub(super) fn is_v5(&self) -> bool {
        self.config.generation == Generation::V5
    }

    pub(super) fn slot_of(&self, data: DataIx) -> u32 {
        slot_of(data, self.slots.len() as u32)
    }

    fn on_fetch(&mut self, now: Now, from: NodeId, id: u64, data: DataIx, out: &mut Out) {
        let slot = self.slot_of(data);
        let copies = self.bug == Some(Bug::AnyReplica) && self.slots[slot as usize].phase == Phase::Follower;
        let serves = self.serves(slot, now) || copies;
        let content = serves.then(|| self.slots[slot as usize].content(data, now.mono));
        out.send(from, Message::Fetched(id, data, content));
    }

    /// A write is taken only from a session that this node knows to be listed, and only if this node knows the cluster
    /// at least as well as the session does.
    fn write(&mut self, now: Now, session: (NodeId, u64), slot: u32, version: u64, entries: &[Entry]) -> bool {
        let cluster = &self.member.cluster;
        let known = self.is_v5() || cluster.version >= version && cluster.sessions.get(&session.0) == Some(&session.1);
        if !known || !self.serves(slot, now) {
            return self.bug == Some(Bug::ClientOffNotReady) && entries.iter().all(|entry| entry.clean_up);
        }
        let room = if self.bug == Some(Bug::BatchCutShort) { 2 } else { usize::MAX };
        for entry in entries.iter().take(room) {
            if self.bug == Some(Bug::UnpublishAbsentRaises) {
                self.slots[slot as usize].raise_absent(entry, now.mono);
            }
            self.slots[slot as usize].apply(entry.clone(), now.mono);
        }
        true
    }

    /// A session was heard: its lease here is renewed. One that had lapsed is asked at once what it holds.
    fn hear(&mut self, now: Now, session: NodeId, incarnation: u64, wrote: bool, out: &mut Out) {
        if self.bug == Some(Bug::LeaseNotRenewed) && !wrote {
            return;
        }
        if self.is_v5() {
            self.outlive(now, session, incarnation);
        } else if self.member.cluster.sessions.get(&session) != Some(&incarnation) {
            return;
        }
        let lease = Lease { incarnation, at: now.mono, lapsed: false };
        if self.sessions.insert(session, lease).is_some_and(|before| before.lapsed) {
            out.reached("session-heard-again-after-its-lease");
            self.ask_session(session, out);
        }
    }

    fn tick(&mut self, now: Now, out: &mut Out) {
        self.ticks += 1;
        let over = self.sessions.iter().filter(|(_, lease)| self.is_over(now, lease));
        let lapsed: Vec<NodeId> = over.map(|(session, _)| *session).collect();
        for session in &lapsed {
            if let Some(lease) = self.sessions.get_mut(session) {
                lease.lapsed = true;
            }
        }
        if !lapsed.is_empty() {
            out.reached("session-lease-lapsed");
        }
        let compacts = self.ticks.is_multiple_of(10);
        if lapsed.is_empty() && !compacts && self.bug != Some(Bug::TornContent) {
            return;
        }
        // A node that may not serve has probably lost everyone itself; whoever leads next decides.
        let valid = self.member.valid(now);
        for slot in &mut self.slots {
            if slot.phase == Phase::Accept && valid && !lapsed.is_empty() {
                slot.expire(now.mono, |entry| lapsed.contains(&entry.session));
            }
            if self.bug == Some(Bug::TornContent) {
                slot.refresh_halves(now.mono);
            }
            if compacts {
                slot.compact(now.mono, self.config.tombstone_ms * MILLI);
            }
        }
    }

    /// The leases of sessions follow the list: new ones begin with a full lease, and what others held is dropped.
    pub(super) fn review_sessions(&mut self, now: Now) {
        if self.is_v5() {
            return self.lease_holders(now);
        }
        if self.bug == Some(Bug::TableComparedWithItself) {
            return;
        }
        let cluster = self.member.cluster.clone();
        self.sessions.retain(|session, lease| cluster.sessions.get(session) == Some(&lease.incarnation));
        for (session, incarnation) in &cluster.sessions {
            let fresh = Lease { incarnation: *incarnation, at: now.mono, lapsed: false };
            self.sessions.entry(*session).or_insert(fresh);
        }
        for slot in self.slots.iter_mut().filter(|slot| slot.phase == Phase::Accept) {
            slot.expire(now.mono, |entry| cluster.sessions.get(&entry.session) != Some(&entry.incarnation));
        }
    }

    /// V5 counts a session as long as it is heard, whatever the list says: whoever has something here holds a lease.
    pub(super) fn lease_holders(&mut self, now: Now) {
        let listed = self.member.cluster.sessions.clone();
        let holders = self.slots.iter().flat_map(|slot| slot.sessions());
        for (session, incarnation) in holders.chain(listed) {
            let fresh = Lease { incarnation, at: now.mono, lapsed: false };
            self.sessions.entry(session).or_insert(fresh);
        }
    }

    /// V5: a session that was started again has lost what it held before.
    fn outlive(&mut self, now: Now, session: NodeId, incarnation: u64) {
        if self.sessions.get(&session).is_some_and(|lease| lease.incarnation < incarnation) {
            for slot in &mut self.slots {
                slot.expire(now.mono, |entry| entry.session == session && entry.incarnation < incarnation);
            }
        }
    }

    /// True if this life of a session node is known to be over: what it said is on its way still, and is true no more.
    fn is_outlived(&self, session: NodeId, incarnation: u64) -> bool {
        match self.is_v5() {
            true => self.sessions.get(&session).is_some_and(|lease| incarnation < lease.incarnation),
            false => self.member.cluster.sessions.get(&session).is_none_or(|listed| incarnation < *listed),
        }
    }

    /// The incarnation of a session that this node deals with.
    fn incarnation_of(&self, session: NodeId) -> Option<u64> {
        let listed = self.member.cluster.sessions.get(&session).copied();
        match self.is_v5() {
            true => self.sessions.get(&session).map(|lease| lease.incarnation).or(listed),
            false => listed,
        }
    }

    /// Sets the timers that gather changes.
    fn arm(&mut self, out: &mut Out) {
        if !self.notify_armed && self.slots.iter().any(|slot| !slot.dirty.is_empty() && slot.accepts()) {
            self.notify_armed = true;
            out.timer(self.config.notify_ms * MILLI, Timer::Notify);
        }
        if !self.replicate_armed && self.slots.iter().any(|slot| !slot.unreplicated.is_empty() && slot.accepts()) {
            self.replicate_armed = true;
            out.timer(self.config.replicate_ms * MILLI, Timer::Replicate);
        }
    }

    fn notify(&mut self, out: &mut Out) {
        self.notify_armed = false;
        let mut changed = Vec::new();
        for slot in self.slots.iter_mut().filter(|slot| !slot.dirty.is_empty() && slot.accepts()) {
            let dirty = std::mem::take(&mut slot.dirty);
            changed.extend(dirty.into_iter().map(|data| (data, slot.version(data))));
        }
        if changed.is_empty() {
            return;
        }
        let number = self.next_number();
        for session in self.member.cluster.sessions.keys() {
            out.send(*session, Message::Changed(changed.clone(), number));
        }
    }

    fn replicate(&mut self, out: &mut Out) {
        self.replicate_armed = false;
        for at in 0..self.slots.len() {
            if self.slots[at].unreplicated.is_empty() || !self.slots[at].accepts() {
                continue;
            }
            let number = self.next_number();
            let slot = &mut self.slots[at];
            let entries: Arc<[Entry]> = std::mem::take(&mut slot.unreplicated).into();
            for follower in &self.member.cluster.slots[at].followers {
                out.send(*follower, Message::Replicate(at as u32, slot.epoch, number, entries.clone()));
            }
        }
    }

    /// Asks every listed session about all slots that are served here.
    fn ask_sessions(&mut self, out: &mut Out) {
        let sessions: Vec<NodeId> = self.member.cluster.sessions.keys().copied().collect();
        for session in sessions {
            self.ask_session(session, out);
        }
    }

    fn ask_session(&mut self, session: NodeId, out: &mut Out) {
        let Some(incarnation) = self.incarnation_of(session) else { return };
        let accepting = self.slots.iter().enumerate().filter(|(_, slot)| slot.phase == Phase::Accept);
        let ask = |(at, slot): (usize, &Slot)| {
            let digest = slot.digest_of(session, incarnation);
            SlotAsk { slot: at as u32, epoch: slot.epoch, digest, first: false }
        };
        let asks: Vec<SlotAsk> = accepting.map(ask).collect();
        if !asks.is_empty() {
            let round = self.next_number();
            out.send(session, Message::SyncAsk(round, asks));
        }
    }

    fn on_sync(&mut self, now: Now, session: NodeId, incarnation: u64, answer: SlotAnswer, out: &mut Out) {
        let slot = &mut self.slots[answer.slot as usize];
        let same = slot.epoch == answer.epoch;
        if !same || !matches!(slot.phase, Phase::Syncing | Phase::Accept) {
            return;
        }
        if answer.whole {
            if slot.phase == Phase::Accept {
                out.reached("digest-found-a-difference");
            }
            slot.settle(session, answer.entries, now.mono);
        } else {
            for entry in answer.entries {
                slot.apply(entry, now.mono);
            }
        }
        if slot.phase == Phase::Syncing {
            slot.synced.insert(session, incarnation);
            self.migrate(now, answer.slot, false, out);
        }
    }
}
