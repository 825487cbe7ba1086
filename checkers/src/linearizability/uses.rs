//! Which operations of unknown outcome were used to explain what was seen, as numbered multisets of actions.

use rustc_hash::FxHashMap;

/// Nothing was used.
pub(super) const NOTHING: u32 = 0;

type Multiset = Box<[(u32, u32)]>;

/// All multisets seen so far: (kind, how many), by kind.
pub(super) struct Uses {
    sets: Vec<Multiset>,
    /// How many in all, by set.
    totals: Vec<u32>,
    // Looked up only.
    numbers: FxHashMap<Multiset, u32>,
    bytes: u64,
}

impl Uses {
    pub(super) fn new() -> Uses {
        let empty: Multiset = Box::default();
        let numbers = FxHashMap::from_iter([(empty.clone(), NOTHING)]);
        Uses { sets: vec![empty], totals: vec![0], numbers, bytes: 64 }
    }

    fn number(&mut self, set: Vec<(u32, u32)>) -> u32 {
        let set = set.into_boxed_slice();
        if let Some(&number) = self.numbers.get(&set) {
            return number;
        }
        let number = self.sets.len() as u32;
        self.bytes += 72 + 16 * set.len() as u64;
        self.totals.push(set.iter().map(|entry| entry.1).sum());
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
        self.totals[used as usize]
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
        // Of two different sets of one size neither is within the other.
        if self.total(first) >= self.total(second) {
            return false;
        }
        let mut larger = self.sets[second as usize].iter();
        self.sets[first as usize].iter().all(|&(kind, count)| {
            larger
                .by_ref()
                .find(|(other, _)| *other >= kind)
                .is_some_and(|&(other, most)| other == kind && count <= most)
        })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
