//! A hierarchical timing wheel of keys (Varghese and Lauck 1987), exact to the nanosecond and to the order of entry.
//!
//! Each level has 256 slots, each as wide as the whole level below it; the finest slot is 131 us wide, a little less than
//! messages take. What is due within the slot that time is in is sorted; everything later lies unsorted in the slot of the
//! finest level whose wheel it is on, and moves down when time gets there, at most once a level. So a key costs the same
//! however many wait, and the finest level, which nearly all keys are on at last, fits the processor's nearest cache.

use history::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// When, and in which order among those of one instant: one number, which is compared in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u128);

impl Key {
    /// Due at `time`, in the order of `rest`.
    pub fn new(time: Nanos, rest: u64) -> Key {
        Key(u128::from(time) << 64 | u128::from(rest))
    }

    /// When it is due.
    pub fn time(self) -> Nanos {
        (self.0 >> 64) as Nanos
    }

    /// The rest of it.
    pub fn rest(self) -> u64 {
        self.0 as u64
    }
}

/// The finest slot is 2^17 ns wide.
const FINE_BITS: u32 = 17;
const SLOT_BITS: u32 = 8;
const SLOTS: usize = 1 << SLOT_BITS;
const WORDS: usize = SLOTS / 64;
/// So many keys are shown at once: what they stand for fits the processor's nearest cache.
const SHOWN: usize = 32;
/// Enough for every u64.
const LEVELS: usize = (64 - FINE_BITS).div_ceil(SLOT_BITS) as usize;

#[derive(Debug)]
struct Level {
    slots: [Vec<Key>; SLOTS],
    /// One bit a slot that holds something.
    occupied: [u64; WORDS],
}

impl Level {
    const EMPTY: Level = Level { slots: [const { Vec::new() }; SLOTS], occupied: [0; WORDS] };

    #[inline]
    fn push(&mut self, slot: usize, key: Key) {
        self.slots[slot % SLOTS].push(key);
        self.occupied[slot / 64 % WORDS] |= 1 << (slot % 64);
    }

    /// The first slot that holds something, which is not occupied any more: somebody takes over what it holds.
    #[inline]
    fn vacate_first(&mut self) -> Option<usize> {
        let at = self.occupied.iter().position(|word| *word != 0)?;
        let word = &mut self.occupied[at];
        let bit = word.trailing_zeros() as usize;
        *word &= *word - 1;
        Some((at * 64 + bit) % SLOTS)
    }
}

/// Keys in order.
#[derive(Debug)]
pub(crate) struct Wheel {
    levels: Box<[Level; LEVELS]>,
    /// Number of the fine slot that is sorted. Every key on a level is due after it ends.
    cursor: u64,
    /// The keys of that slot, those that were taken out included.
    sorted: Vec<Key>,
    /// How many of them were taken out.
    taken: usize,
    /// How many of them were shown.
    shown: usize,
    /// What was put in for that slot or before it since it was sorted.
    late: BinaryHeap<Reverse<Key>>,
}

impl Default for Wheel {
    fn default() -> Self {
        let levels = Box::new([Level::EMPTY; LEVELS]);
        Wheel { levels, cursor: 0, sorted: Vec::new(), taken: 0, shown: 0, late: BinaryHeap::new() }
    }
}

impl Wheel {
    /// Puts a key in.
    #[inline]
    pub fn push(&mut self, key: Key) {
        let slot = key.time() >> FINE_BITS;
        // The slots after the sorted one, as far as the finest wheel goes.
        if slot.wrapping_sub(self.cursor + 1) < !self.cursor % SLOTS as u64 {
            self.levels[0].push(slot as usize % SLOTS, key);
        } else {
            self.push_elsewhere(key);
        }
    }

    /// Puts a key in that is not on the finest level yet.
    #[inline(never)]
    fn push_elsewhere(&mut self, key: Key) {
        if key.time() >> FINE_BITS <= self.cursor {
            self.late.push(Reverse(key));
        } else {
            self.place(key);
        }
    }

    /// Puts a key that is due after the sorted slot on the finest level that reaches it.
    fn place(&mut self, key: Key) {
        let slot = key.time() >> FINE_BITS;
        let highest = 63 - (slot ^ self.cursor).leading_zeros();
        let level = highest / SLOT_BITS;
        self.levels[level as usize].push((slot >> (level * SLOT_BITS)) as usize % SLOTS, key);
    }

    /// The least key.
    pub fn first(&mut self) -> Option<Key> {
        self.settle();
        match (self.sorted.get(self.taken), self.late.peek()) {
            (Some(sorted), Some(Reverse(late))) => Some(*sorted.min(late)),
            (sorted, late) => sorted.or(late.map(|Reverse(late)| late)).copied(),
        }
    }

    /// Takes the least key out if it is due by `limit`. `soon` is shown keys that come next, a few at a time.
    #[inline(always)]
    pub fn pop_until(&mut self, limit: Nanos, soon: impl FnOnce(&[Key], &[Key])) -> Option<Key> {
        if self.taken == self.shown {
            self.settle();
            self.shown = self.sorted.len().min(self.taken + SHOWN);
            let later = self.sorted.len().min(self.shown + SHOWN);
            // What comes first had nobody before it.
            let near = if self.taken == 0 { 0 } else { self.shown };
            soon(&self.sorted[near..later], &self.sorted[self.taken..self.shown]);
        }
        let sorted = self.sorted.get(self.taken).copied();
        if !self.late.is_empty() {
            return self.pop_either(sorted, limit);
        }
        let first = sorted.filter(|first| first.time() <= limit)?;
        self.taken += 1;
        Some(first)
    }

    /// Takes the least key out, of those that came late or this one, if it is due by `limit`.
    #[cold]
    fn pop_either(&mut self, sorted: Option<Key>, limit: Nanos) -> Option<Key> {
        let late =
            self.late.peek().map(|Reverse(late)| *late).filter(|late| sorted.is_none_or(|sorted| *late < sorted));
        let first = late.or(sorted).filter(|first| first.time() <= limit)?;
        if late.is_some() {
            self.late.pop();
        } else {
            self.taken += 1;
        }
        Some(first)
    }

    /// Makes sure that the least key is among `sorted` and `late`.
    #[inline]
    fn settle(&mut self) {
        if self.taken == self.sorted.len() && self.late.is_empty() {
            self.fill();
        }
    }

    /// Moves on to the first fine slot that holds something, and sorts it.
    #[inline(never)]
    fn fill(&mut self) {
        self.sorted.clear();
        (self.taken, self.shown) = (0, 0);
        while self.sorted.is_empty() {
            if let Some(slot) = self.levels[0].vacate_first() {
                self.cursor = self.cursor / SLOTS as u64 * SLOTS as u64 + slot as u64;
                // The vectors change places, so that their memory is used again.
                std::mem::swap(&mut self.sorted, &mut self.levels[0].slots[slot]);
            } else if !self.descend() {
                return;
            }
        }
        // Nearly always there are one, two or three.
        if self.sorted.len() > 1 {
            self.sorted.sort_unstable();
        }
    }

    /// Moves on to the first slot of the finest level that holds something, which is not the finest of all: spreads it over
    /// the levels below. False if there is none.
    #[cold]
    fn descend(&mut self) -> bool {
        let first = |level: usize| Some((level, self.levels[level].vacate_first()?));
        let Some((level, slot)) = (1..LEVELS).find_map(first) else { return false };
        let (shift, above) = (level as u32 * SLOT_BITS, (level as u32 + 1) * SLOT_BITS);
        self.cursor = self.cursor >> above << above | (slot as u64) << shift;
        let mut keys = std::mem::take(&mut self.levels[level].slots[slot]);
        for key in keys.drain(..) {
            match key.time() >> FINE_BITS == self.cursor {
                true => self.sorted.push(key),
                false => self.place(key),
            }
        }
        self.levels[level].slots[slot] = keys;
        true
    }

    /// Gives keys other times, in one go: each key is asked for once.
    pub fn retime(&mut self, mut time: impl FnMut(Key) -> Nanos) {
        let mut keys = std::mem::take(&mut self.sorted).split_off(self.taken);
        (self.taken, self.shown) = (0, 0);
        keys.extend(self.late.drain().map(|Reverse(key)| key));
        for level in self.levels.iter_mut() {
            level.occupied = [0; WORDS];
            keys.extend(level.slots.iter_mut().flat_map(|slot| slot.drain(..)));
        }
        for key in keys {
            self.push(Key::new(time(key), key.rest()));
        }
    }
}
