//! How a data node comes to lead a slot: Migrating, then Accept; and how it stops: Moved.
//!
//! A new leader serves only after (1) every listed data node has said that it does not serve the slot in an earlier
//! epoch (one that is not listed any more has fenced itself by time), and then, after `migrate_ms`, (2) every listed
//! session has said what it holds. The order matters: what the old leader acknowledged before it stopped is held by the
//! session by then. The old leader also hands over what it remembers (not as live), so that an old registration that a
//! session still holds for a lost connection does not come up again when the session of the newer one is gone.

use super::bugs::Bug;
use super::data::Data;
use super::entry::Entry;
use super::message::{Message, Out, SlotAsk, Timer};
use super::slot::Phase;
use history::{MILLI, Nanos};
use simulation::{NodeId, Now};
use std::collections::BTreeSet;

/// How often an unanswered question is asked again.
const RETRY: Nanos = 100 * MILLI;
/// A question that was not answered for so long did not get through.
const LONG: Nanos = 250 * MILLI;

impl Data {
    /// A newer cluster is known: roles may have changed.
    pub(super) fn on_table(&mut self, now: Now, out: &mut Out) {
        let cluster = self.member.cluster.clone();
        let listed = self.member.listed();
        for (at, seat) in cluster.slots.iter().enumerate() {
            let number = at as u32;
            if self.slots[at].leads() && !(listed && seat.leader == Some(self.id)) {
                let migrating = self.slots[at].phase != Phase::Accept;
                out.reached(if migrating { "leader-replaced-while-migrating" } else { "slot-moved-away" });
            }
            if listed && seat.leader == Some(self.id) {
                if !self.slots[at].leads() || self.slots[at].epoch < seat.epoch {
                    self.lead(now, number, seat.epoch, out);
                } else {
                    self.listed_changed(now, number, out);
                }
            } else if listed && seat.followers.contains(&self.id) {
                let slot = &mut self.slots[at];
                if slot.phase != Phase::Follower {
                    (slot.phase, slot.since) = (Phase::Follower, now.mono);
                    slot.dirty.clear();
                    slot.unreplicated.clear();
                }
                slot.epoch = seat.epoch;
            } else if self.slots[at].phase != Phase::Away {
                self.slots[at].clear(now.mono);
            }
        }
        self.review_sessions(now);
        self.ask_leaders(out);
    }

    fn lead(&mut self, now: Now, number: u32, epoch: u64, out: &mut Out) {
        let others: BTreeSet<NodeId> = self.member.cluster.data.keys().copied().filter(|n| *n != self.id).collect();
        let keeps = self.is_v5() && self.slots[number as usize].phase == Phase::Accept;
        let slot = &mut self.slots[number as usize];
        slot.warm = slot.phase == Phase::Follower;
        out.reached(match (slot.warm, slot.leads()) {
            (true, _) => "follower-promoted",
            (false, true) => "leader-in-a-new-epoch",
            (false, false) => "cold-leader",
        });
        slot.epoch = epoch;
        slot.since = now.mono;
        slot.synced.clear();
        if !keeps {
            let waits = self.bug != Some(Bug::NoRelease);
            slot.phase = Phase::Releasing(if waits { others } else { BTreeSet::new() });
        }
        if self.bug == Some(Bug::ServeMigrating) {
            for session in self.member.cluster.sessions.keys() {
                out.send(*session, Message::Serving(number, epoch));
            }
        }
        self.migrate(now, number, true, out);
    }

    /// Nodes came or went while this node leads: whoever is gone is not waited for.
    fn listed_changed(&mut self, now: Now, number: u32, out: &mut Out) {
        let cluster = self.member.cluster.clone();
        if let Phase::Releasing(waiting) = &mut self.slots[number as usize].phase {
            waiting.retain(|node| cluster.data.contains_key(node));
        }
        self.migrate(now, number, false, out);
    }

    /// One step nearer to Accept if nothing is missing; with `ask` the missing ones are asked (again).
    pub(super) fn migrate(&mut self, now: Now, number: u32, ask: bool, out: &mut Out) {
        let at = number as usize;
        let mut ask = ask;
        if let Phase::Releasing(waiting) = &self.slots[at].phase {
            if !waiting.is_empty() {
                if ask {
                    self.ask_release(now, number, out);
                }
                return;
            }
            if self.is_v5() {
                return self.serve_what_came(now, number);
            }
            let ready = self.slots[at].since + self.config.migrate_ms * MILLI;
            if now.mono < ready && self.bug != Some(Bug::NoRelease) {
                out.timer(ready - now.mono, Timer::Migrate(number));
                return;
            }
            self.slots[at].phase = Phase::Syncing;
            ask = true;
            if self.bug == Some(Bug::PromotedWithoutSync) && self.slots[at].warm {
                return self.finish(now, number, out);
            }
        }
        if self.slots[at].phase != Phase::Syncing {
            return;
        }
        let cluster = self.member.cluster.clone();
        let slot = &self.slots[at];
        // A newer incarnation has answered for an older one: that one is gone.
        let missing = |(node, incarnation): &(&NodeId, &u64)| slot.synced.get(*node).is_none_or(|i| i < *incarnation);
        let missing: Vec<NodeId> = cluster.sessions.iter().filter(missing).map(|(node, _)| *node).collect();
        if missing.is_empty() {
            self.finish(now, number, out);
        } else if ask {
            if now.mono >= self.slots[at].since + self.config.migrate_ms * MILLI + LONG {
                out.reached("migration-waits-for-a-session");
            }
            for session in missing {
                let round = self.next_number();
                let digest = self.slots[at].digest_of(session, cluster.sessions[&session]);
                let ask = SlotAsk { slot: number, epoch: self.slots[at].epoch, digest, first: true };
                out.send(session, Message::SyncAsk(round, vec![ask]));
            }
            out.timer(RETRY, Timer::Migrate(number));
        }
    }

    fn ask_release(&mut self, now: Now, number: u32, out: &mut Out) {
        if now.mono >= self.slots[number as usize].since + LONG {
            out.reached("migration-during-partition");
        }
        let round = self.next_number();
        let slot = &self.slots[number as usize];
        if let Phase::Releasing(waiting) = &slot.phase {
            for node in waiting {
                out.send(*node, Message::Release(number, slot.epoch, round));
            }
        }
        out.timer(RETRY, Timer::Migrate(number));
    }

    /// V5: every data node in the list has said what it has of the slot. If none of them had a copy, nothing is there.
    fn serve_what_came(&mut self, now: Now, number: u32) {
        let slot = &mut self.slots[number as usize];
        slot.begin(now.mono);
        slot.accept(now.mono);
        self.lease_holders(now);
    }

    fn finish(&mut self, now: Now, number: u32, out: &mut Out) {
        let cluster = self.member.cluster.clone();
        let slot = &mut self.slots[number as usize];
        slot.expire(now.mono, |entry| cluster.sessions.get(&entry.session) != Some(&entry.incarnation));
        slot.accept(now.mono);
        for session in cluster.sessions.keys() {
            out.send(*session, Message::Serving(number, slot.epoch));
        }
    }

    /// A follower compares its copies with the leaders.
    pub(super) fn ask_leaders(&mut self, out: &mut Out) {
        for number in 0..self.slots.len() as u32 {
            let slot = &self.slots[number as usize];
            let leader = self.member.cluster.slots[number as usize].leader;
            if let (Phase::Follower, Some(leader)) = (&slot.phase, leader) {
                let (epoch, digest) = (slot.epoch, slot.digest());
                let round = self.next_number();
                out.send(leader, Message::CopyAsk(number, epoch, digest, round));
            }
        }
    }

    /// Another node wants to lead. Whoever leads in the same or a later epoch does not give way.
    pub(super) fn on_release(&mut self, from: NodeId, number: u32, epoch: u64, out: &mut Out) {
        let copies = self.is_v5();
        let slot = &mut self.slots[number as usize];
        if copies {
            out.send(from, Message::Released(number, epoch, slot.copy()));
            return;
        }
        if slot.leads() && slot.epoch >= epoch {
            out.reached("release-refused-to-an-earlier-epoch");
            return;
        }
        if slot.leads() {
            out.reached("released-before-the-table-was-known");
        }
        slot.released = slot.released.max(epoch);
        out.send(from, Message::Released(number, epoch, slot.memory()));
    }

    pub(super) fn on_released(
        &mut self,
        now: Now,
        from: NodeId,
        number: u32,
        epoch: u64,
        entries: Vec<Entry>,
        out: &mut Out,
    ) {
        let slot = &mut self.slots[number as usize];
        if slot.epoch != epoch {
            return;
        }
        let Phase::Releasing(waiting) = &mut slot.phase else { return };
        if waiting.remove(&from) {
            for entry in entries {
                slot.apply(entry, now.mono);
            }
            self.migrate(now, number, false, out);
        }
    }
}
