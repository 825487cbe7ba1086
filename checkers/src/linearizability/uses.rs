//! Which operations of unknown outcome were used to explain what was seen, as numbered multisets of actions.

use rustc_hash::FxHashMap;

/// Nothing was used.
pub(super) const NOTHING: u32 = 0;

type Multiset = Box<[(u32, u32)]>;

/// All multisets seen so far: (kind, how many), by kind.
pub(super) struct Uses {
    sets: Vec<Multiset>,
    // Looked up only.
    numbers: FxHashMap<Multiset, u32>,
    bytes: u64,
}

impl Uses {
    pub(super) fn new() -> Uses {
        let empty: Multiset = Box::default();
        Uses { sets: vec![empty.clone()], numbers: FxHashMap::from_iter([(empty, NOTHING)]), bytes: 64 }
    }

    fn number(&mut self, set: Vec<(u32, u32)>) -> u32 {
        let set = set.into_boxed_slice();
        if let Some(&number) = self.numbers.get(&set) {
            return number;
        }
        let number = self.sets.len() as u32;
        self.bytes += 64 + 16 * set.len() as u64;
        self.sets.push(set.clone());
        self.numbers.insert(set, number);
        number
    }

    /// How many of a kind were used.
    pub(super) fn count(&self, used: u32, kind: u32) -> u32 {
        let set = &self.sets[used as usize];
        set.binary_search_by_key(&kind, |entry| entry.0).map_or(0, |at| set[at].1)
    }

    /// How many were used in all.
    pub(super) fn total(&self, used: u32) -> u32 {
        self.sets[used as usize].iter().map(|entry| entry.1).sum()
    }

    /// One more of a kind.
    pub(super) fn add(&mut self, used: u32, kind: u32) -> u32 {
        let mut set = self.sets[used as usize].to_vec();
        match set.binary_search_by_key(&kind, |entry| entry.0) {
            Ok(at) => set[at].1 += 1,
            Err(at) => set.insert(at, (kind, 1)),
        }
        self.number(set)
    }

    /// Forgets a kind of which nothing is left that could matter.
    pub(super) fn forget(&mut self, used: u32, kind: u32) -> u32 {
        if self.count(used, kind) == 0 {
            return used;
        }
        let set = self.sets[used as usize].iter().copied().filter(|entry| entry.0 != kind).collect();
        self.number(set)
    }

    /// True if the first used nothing that the second did not.
    pub(super) fn within(&self, first: u32, second: u32) -> bool {
        if first == second || first == NOTHING {
            return true;
        }
        self.sets[first as usize].iter().all(|&(kind, count)| self.count(second, kind) >= count)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
