//! A hierarchical timing wheel of keys (Varghese and Lauck 1987), exact to the nanosecond and to the order of entry.
//!
//! Each level has 1,024 slots, each as wide as the whole level below it; the finest slot is 32.8 us wide. What is due
//! within the slot that time is in is sorted; everything later lies unsorted in the slot of the finest level whose wheel
//! it is on, and moves down when time gets there, at most once a level. So a key costs the same however many wait.

use history::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// When, and in which order among those of one instant.
pub(crate) type Key = (Nanos, u64);

/// The finest slot is 2^15 ns wide.
const FINE_BITS: u32 = 15;
const SLOT_BITS: u32 = 10;
const SLOTS: usize = 1 << SLOT_BITS;
const WORDS: usize = SLOTS / 64;
/// Enough for every u64.
const LEVELS: u32 = (64 - FINE_BITS).div_ceil(SLOT_BITS);

#[derive(Debug)]
struct Level {
    slots: Vec<Vec<Key>>,
    /// One bit a slot that holds something.
    occupied: [u64; WORDS],
    /// One bit a word of those that is not 0.
    words: u32,
}

impl Level {
    fn new() -> Level {
        Level { slots: vec![Vec::new(); SLOTS], occupied: [0; WORDS], words: 0 }
    }

    fn push(&mut self, slot: usize, key: Key) {
        self.slots[slot].push(key);
        self.occupied[slot / 64] |= 1 << (slot % 64);
        self.words |= 1 << (slot / 64);
    }

    /// The slot holds nothing any more.
    fn vacate(&mut self, slot: usize) {
        let word = &mut self.occupied[slot / 64];
        *word &= !(1 << (slot % 64));
        if *word == 0 {
            self.words &= !(1 << (slot / 64));
        }
    }

    fn first(&self) -> Option<usize> {
        if self.words == 0 {
            return None;
        }
        let word = self.words.trailing_zeros() as usize % WORDS;
        Some(word * 64 + self.occupied[word].trailing_zeros() as usize)
    }
}

/// Keys in order.
#[derive(Debug)]
pub(crate) struct Wheel {
    levels: Vec<Level>,
    /// Where the slot begins that is sorted. Every key on a level is due after it ends.
    cursor: Nanos,
    /// The keys of that slot, last first.
    sorted: Vec<Key>,
    /// What was put in for that slot or before it since it was sorted.
    late: BinaryHeap<Reverse<Key>>,
    len: usize,
}

impl Default for Wheel {
    fn default() -> Self {
        let levels = (0..LEVELS).map(|_| Level::new()).collect();
        Wheel { levels, cursor: 0, sorted: Vec::new(), late: BinaryHeap::new(), len: 0 }
    }
}

impl Wheel {
    /// Puts a key in.
    pub fn push(&mut self, key: Key) {
        self.len += 1;
        if key.0 >> FINE_BITS <= self.cursor >> FINE_BITS {
            self.late.push(Reverse(key));
        } else {
            self.place(key);
        }
    }

    /// Puts a key that is due after the sorted slot on the finest level that reaches it.
    fn place(&mut self, key: Key) {
        let highest = 63 - ((key.0 ^ self.cursor) >> FINE_BITS).leading_zeros();
        let level = highest / SLOT_BITS;
        let slot = (key.0 >> (FINE_BITS + level * SLOT_BITS)) as usize % SLOTS;
        self.levels[level as usize].push(slot, key);
    }

    /// The least key.
    pub fn first(&mut self) -> Option<Key> {
        self.settle();
        match (self.sorted.last(), self.late.peek()) {
            (Some(sorted), Some(Reverse(late))) => Some(*sorted.min(late)),
            (sorted, late) => sorted.or(late.map(|Reverse(late)| late)).copied(),
        }
    }

    /// Takes the least key out if it is due by `limit`. `soon` is shown keys that come next, a slot at a time.
    pub fn pop_until(&mut self, limit: Nanos, soon: impl FnOnce(&[Key])) -> Option<Key> {
        if self.settle() {
            soon(&self.sorted);
        }
        let (sorted, late) = (self.sorted.last(), self.late.peek().map(|Reverse(late)| late));
        let is_late = match (sorted, late) {
            (Some(sorted), Some(late)) => late < sorted,
            (sorted, _) => sorted.is_none(),
        };
        let first = *if is_late { late? } else { sorted? };
        if first.0 > limit {
            return None;
        }
        if is_late {
            self.late.pop();
        } else {
            self.sorted.pop();
        }
        self.len -= 1;
        Some(first)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Makes sure that the least key is among `sorted` and `late`. True if `sorted` was filled for that.
    fn settle(&mut self) -> bool {
        let empty = self.sorted.is_empty() && self.late.is_empty();
        while self.sorted.is_empty() && self.late.is_empty() && self.len > 0 {
            self.advance();
        }
        empty && self.len > 0
    }

    /// Moves on to the first slot that holds something: sorts it, or spreads it over the levels below.
    fn advance(&mut self) {
        let first = |(level, wheel): (usize, &Level)| wheel.first().map(|slot| (level, slot));
        let Some((level, slot)) = self.levels.iter().enumerate().find_map(first) else { return };
        let shift = FINE_BITS + level as u32 * SLOT_BITS;
        let above = (shift + SLOT_BITS).min(63);
        self.cursor = self.cursor >> above << above | (slot as u64) << shift;
        let wheel = &mut self.levels[level];
        wheel.vacate(slot);
        let mut keys = std::mem::take(&mut wheel.slots[slot]);
        if level == 0 {
            // The vectors change places, so that their memory is used again.
            std::mem::swap(&mut self.sorted, &mut keys);
        } else {
            for key in keys.drain(..) {
                match key.0 >> FINE_BITS == self.cursor >> FINE_BITS {
                    true => self.sorted.push(key),
                    false => self.place(key),
                }
            }
        }
        self.levels[level].slots[slot] = keys;
        if self.sorted.len() > 1 {
            self.sorted.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    /// Gives keys other times, in one go: each key is asked for once.
    pub fn retime(&mut self, mut time: impl FnMut(Key) -> Nanos) {
        let mut keys = std::mem::take(&mut self.sorted);
        keys.extend(self.late.drain().map(|Reverse(key)| key));
        for level in &mut self.levels {
            (level.occupied, level.words) = ([0; WORDS], 0);
            keys.extend(level.slots.iter_mut().flat_map(|slot| slot.drain(..)));
        }
        self.len = 0;
        for key in keys {
            self.push((time(key), key.1));
        }
    }
}
