//! What the clients of one session node hold, and what they took back lately, by slot.

use crate::registry::bugs::Bug;
use crate::registry::entry::{Entry, Publisher, Rank};
use crate::registry::layout::slot_of;
use crate::registry::message::{SlotAnswer, SlotAsk};
use history::{DataIx, Nanos};
use std::collections::BTreeMap;

/// One registration held.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub entry: Entry,
    pub since: Nanos,
    /// True once data has acknowledged it.
    pub acked: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Store {
    bug: Option<Bug>,
    slots: Vec<BTreeMap<(DataIx, Publisher), Held>>,
}

impl Store {
    pub fn new(slots: u32, bug: Option<Bug>) -> Store {
        Store { bug, slots: (0..slots).map(|_| BTreeMap::new()).collect() }
    }

    pub fn clear(&mut self) {
        self.slots.iter_mut().for_each(BTreeMap::clear);
    }

    /// Everything, by slot.
    pub fn iter(&self) -> impl Iterator<Item = &Held> {
        self.slots.iter().flat_map(BTreeMap::values)
    }

    fn slot(&mut self, data: DataIx) -> &mut BTreeMap<(DataIx, Publisher), Held> {
        let at = slot_of(data, self.slots.len() as u32) as usize;
        &mut self.slots[at]
    }

    pub fn get(&mut self, data: DataIx, publisher: Publisher) -> Option<&mut Held> {
        self.slot(data).get_mut(&(data, publisher))
    }

    /// Keeps it unless something newer is kept. True if it was taken.
    pub fn put(&mut self, entry: Entry, now: Nanos) -> bool {
        let key = (entry.data, entry.publisher);
        let slot = self.slot(entry.data);
        if slot.get(&key).is_some_and(|held| held.entry.order() >= entry.order()) {
            return false;
        }
        slot.insert(key, Held { entry, since: now, acked: false });
        true
    }

    /// What a slot's leader wants to know.
    pub fn answer(&self, ask: &SlotAsk) -> SlotAnswer {
        let slot = &self.slots[ask.slot as usize];
        let live = || slot.values().map(|held| &held.entry).filter(|entry| entry.is_live());
        let whole = live().map(|entry| entry.digest(self.bug)).fold(0, u64::wrapping_add) != ask.digest;
        let mut entries = Vec::new();
        if whole {
            entries.extend(live().cloned());
        }
        if whole || ask.first {
            entries.extend(slot.values().map(|held| &held.entry).filter(|e| e.rank == Rank::Removed).cloned());
        }
        SlotAnswer { slot: ask.slot, epoch: ask.epoch, whole, entries }
    }

    /// Forgets what was taken back long ago.
    pub fn compact(&mut self, now: Nanos, tombstone: Nanos) {
        for slot in &mut self.slots {
            slot.retain(|_, held| held.entry.is_live() || now < held.since + tombstone);
        }
    }
}
