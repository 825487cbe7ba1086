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
const LEVELS: u32 = (64 - FINE_BITS).div_ceil(SLOT_BITS);

#[derive(Debug)]
struct Level {
    slots: [Vec<Key>; SLOTS],
    /// One bit a slot that holds something.
    occupied: [u64; WORDS],
}

impl Level {
    fn new() -> Level {
        Level { slots: [const { Vec::new() }; SLOTS], occupied: [0; WORDS] }
    }

    fn push(&mut self, slot: usize, key: Key) {
        self.slots[slot].push(key);
        self.occupied[slot / 64] |= 1 << (slot % 64);
    }

    /// The slot holds nothing any more.
    fn vacate(&mut self, slot: usize) {
        self.occupied[slot / 64] &= !(1 << (slot % 64));
    }

    fn first(&self) -> Option<usize> {
        let word = self.occupied.iter().position(|word| *word != 0)?;
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
    /// How many of them have not been shown.
    hidden: usize,
    /// What was put in for that slot or before it since it was sorted.
    late: BinaryHeap<Reverse<Key>>,
    len: usize,
}

impl Default for Wheel {
    fn default() -> Self {
        let levels = (0..LEVELS).map(|_| Level::new()).collect();
        Wheel { levels, cursor: 0, sorted: Vec::new(), hidden: 0, late: BinaryHeap::new(), len: 0 }
    }
}

impl Wheel {
    /// Puts a key in.
    pub fn push(&mut self, key: Key) {
        self.len += 1;
        if key.time() >> FINE_BITS <= self.cursor >> FINE_BITS {
            self.late.push(Reverse(key));
        } else {
            self.place(key);
        }
    }

    /// Puts a key that is due after the sorted slot on the finest level that reaches it.
    fn place(&mut self, key: Key) {
        let highest = 63 - ((key.time() ^ self.cursor) >> FINE_BITS).leading_zeros();
        let level = highest / SLOT_BITS;
        let slot = (key.time() >> (FINE_BITS + level * SLOT_BITS)) as usize % SLOTS;
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

    /// Takes the least key out if it is due by `limit`. `soon` is shown keys that come next, a few at a time.
    #[inline]
    pub fn pop_until(&mut self, limit: Nanos, soon: impl FnOnce(&[Key])) -> Option<Key> {
        self.settle();
        if self.sorted.len() == self.hidden {
            self.hidden = self.hidden.saturating_sub(SHOWN);
            soon(&self.sorted[self.hidden..]);
        }
        let sorted = self.sorted.last().copied();
        let late =
            self.late.peek().map(|Reverse(late)| *late).filter(|late| sorted.is_none_or(|sorted| *late < sorted));
        let first = late.or(sorted).filter(|first| first.time() <= limit)?;
        if late.is_some() {
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

    /// Makes sure that the least key is among `sorted` and `late`.
    #[inline]
    fn settle(&mut self) {
        if self.sorted.is_empty() && self.late.is_empty() && self.len > 0 {
            self.fill();
        }
    }

    /// Moves on to the first fine slot that holds something, and sorts it.
    #[inline(never)]
    fn fill(&mut self) {
        while self.sorted.is_empty() {
            let first = |(level, wheel): (usize, &Level)| wheel.first().map(|slot| (level, slot));
            let Some((level, slot)) = self.levels.iter().enumerate().find_map(first) else { return };
            self.advance(level, slot);
        }
        if self.sorted.len() > 1 {
            self.sorted.sort_unstable_by(|a, b| b.cmp(a));
        }
        self.hidden = self.sorted.len();
    }

    /// Moves on to this slot: takes it over, or spreads it over the levels below.
    fn advance(&mut self, level: usize, slot: usize) {
        let shift = FINE_BITS + level as u32 * SLOT_BITS;
        let above = (shift + SLOT_BITS).min(63);
        self.cursor = self.cursor >> above << above | (slot as u64) << shift;
        let wheel = &mut self.levels[level];
        wheel.vacate(slot);
        if level == 0 {
            // The vectors change places, so that their memory is used again.
            return std::mem::swap(&mut self.sorted, &mut wheel.slots[slot]);
        }
        let mut keys = std::mem::take(&mut wheel.slots[slot]);
        for key in keys.drain(..) {
            match key.time() >> FINE_BITS == self.cursor >> FINE_BITS {
                true => self.sorted.push(key),
                false => self.place(key),
            }
        }
        self.levels[level].slots[slot] = keys;
    }

    /// Gives keys other times, in one go: each key is asked for once.
    pub fn retime(&mut self, mut time: impl FnMut(Key) -> Nanos) {
        let mut keys = std::mem::take(&mut self.sorted);
        self.hidden = 0;
        keys.extend(self.late.drain().map(|Reverse(key)| key));
        for level in &mut self.levels {
            level.occupied = [0; WORDS];
            keys.extend(level.slots.iter_mut().flat_map(|slot| slot.drain(..)));
        }
        self.len = 0;
        for key in keys {
            self.push(Key::new(time(key), key.rest()));
        }
    }
}
