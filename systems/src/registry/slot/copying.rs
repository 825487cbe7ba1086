//! A slot as a whole: what a session or another data node says of it is taken over, and what is here is handed on.

use super::{Datum, Slot};
use crate::registry::bugs::Bug;
use crate::registry::entry::{Entry, Kept, Publisher, Rank};
use history::{DataIx, Nanos};
use simulation::NodeId;
use std::collections::BTreeMap;

impl Slot {
    /// Takes over all that a session says it holds, and drops what it holds no more, which is found by going through both
    /// in the order of dataIds and publishers.
    pub fn settle(&mut self, session: NodeId, entries: Vec<Entry>, now: Nanos) {
        let mut held: Vec<(DataIx, Publisher)> =
            entries.iter().filter(|e| e.is_live()).map(|e| (e.data, e.publisher)).collect();
        held.sort_unstable();
        let only_adds = self.bug == Some(Bug::SyncOnlyAdds);
        let news = if self.bug.is_none() { self.news(entries) } else { entries };
        for entry in news {
            if entry.is_live() || !only_adds {
                self.apply(entry, now);
            }
        }
        if !only_adds {
            let written_by = self.written_by.clone();
            let own = |e: &Entry| e.session == session || written_by.contains(&(session, e.publisher.client()));
            let mut held = held.into_iter().peekable();
            let mut is_held = |e: &Entry| {
                let key = (e.data, e.publisher);
                while held.next_if(|other| *other < key).is_some() {}
                held.peek() == Some(&key)
            };
            self.expire(now, |e| own(e) && !is_held(e));
        }
    }

    /// What is newer than what is here: all that taking one after the other would not leave as it is. A dataId is searched for
    /// once where all its entries come together.
    fn news(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let (mut kept_down, mut here) = (false, None);
        entries.retain(|entry| {
            let (_, datum) = here
                .filter(|(data, _)| *data == entry.data)
                .unwrap_or_else(|| (entry.data, self.datums.get(&entry.data)));
            here = Some((entry.data, datum));
            let old = datum.and_then(|datum| datum.entries.get(&(entry.publisher, 0)));
            let Some(old) = old.filter(|old| old.entry.order() >= entry.order()) else { return true };
            kept_down |= entry.is_live() && old.entry.rank == Rank::Removed;
            false
        });
        self.kept_down |= kept_down;
        entries
    }

    /// Everything, also what was removed lately.
    pub fn copy(&self) -> Vec<Entry> {
        self.entries().cloned().collect()
    }

    /// Everything, but only as a memory: what is live here is live with the next leader when its session says so, and
    /// until then it keeps older registrations of the same publishers down.
    pub fn memory(&self) -> Vec<Entry> {
        let faded = |entry: &Entry| match entry.rank {
            Rank::Live => Entry { rank: Rank::Expired, value: None, ..entry.clone() },
            _ => entry.clone(),
        };
        self.entries().map(faded).collect()
    }

    /// Becomes a copy of this: everything of another slot, as [`Slot::copy`] gives it.
    pub fn replace(&mut self, entries: Vec<Entry>, now: Nanos) {
        self.datums.clear();
        self.sums.clear();
        if self.bug.is_some() {
            for entry in entries {
                self.take(entry, now, false);
            }
        } else {
            self.rebuild(entries, now);
        }
        self.dirty.clear();
        self.unreplicated.clear();
    }

    /// What taking one entry after the other into an empty slot comes to, at once: they are in the order of dataIds and
    /// publishers.
    fn rebuild(&mut self, entries: Vec<Entry>, now: Nanos) {
        let floor = self.floor(now);
        let mut left = entries.into_iter().peekable();
        while let Some(first) = left.peek() {
            let (data, mut live) = (first.data, 0);
            let of_it = std::iter::from_fn(|| left.next_if(|entry| entry.data == data));
            let kept = of_it.map(|entry| {
                live += u64::from(entry.value.is_some());
                self.sums.add(&entry, self.bug);
                ((entry.publisher, 0), Kept { entry, since: now })
            });
            let entries: BTreeMap<_, _> = kept.collect();
            let version = if live > 0 { floor + live } else { 0 };
            self.datums.insert(data, Datum { version, entries, ..Datum::default() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::config::Generation;
    use simulation::hash_draw;
    use std::collections::BTreeSet;

    /// Random entries in any order; some name the same publisher twice.
    fn entries(round: u64, session: NodeId, version: u64) -> Vec<Entry> {
        let entry = |number| {
            let draw = |what, below| hash_draw(round, &[number, what]) % below;
            let rank = if draw(0, 3) == 0 { Rank::Removed } else { Rank::Live };
            Entry {
                data: draw(1, 3) as DataIx,
                publisher: Publisher::new(draw(2, 4) as u32, draw(3, 2) as u32),
                version: version + draw(4, 3),
                rank,
                stamp: draw(5, 2) as i64,
                value: (rank == Rank::Live).then(|| format!("{}", draw(6, 5)).into()),
                connection: 1,
                session,
                incarnation: 1,
                clean_up: false,
            }
        };
        (0..hash_draw(round, &[99]) % 20).map(entry).collect()
    }

    #[test]
    fn settling_is_taking_one_after_the_other() {
        for round in 0..2_000 {
            let mut slot = Slot::new(None, Generation::V6);
            for (session, version) in [(1, 1), (2, 2)] {
                for entry in entries(round, session, version) {
                    slot.apply(entry, 1);
                }
            }
            slot.dirty.clear();
            slot.kept_down = false;
            let mut oracle = slot.clone();
            let mut said = entries(round + 10_000, 1, 2);
            if round % 2 == 0 {
                said.sort_by_key(|entry| (!entry.is_live(), entry.data, entry.publisher));
            }
            let held: BTreeSet<(DataIx, Publisher)> =
                said.iter().filter(|e| e.is_live()).map(|e| (e.data, e.publisher)).collect();
            for entry in said.iter().cloned() {
                oracle.apply(entry, 2);
            }
            oracle.expire(2, |e| e.session == 1 && !held.contains(&(e.data, e.publisher)));
            slot.settle(1, said, 2);
            assert_eq!(slot.copy(), oracle.copy());
            for (session, incarnation) in slot.sessions() {
                assert_eq!(slot.digest_of(session, incarnation), slot.added_up(session, incarnation));
            }
            let mut copy = Slot::new(None, Generation::V6);
            copy.replace(slot.copy(), 3);
            assert_eq!((slot.digest(), copy.digest()), (oracle.digest(), slot.digest()));
            assert_eq!(slot.datums().collect::<Vec<_>>(), oracle.datums().collect::<Vec<_>>());
            assert_eq!((slot.dirty, slot.unreplicated), (oracle.dirty, oracle.unreplicated));
        }
    }
}
