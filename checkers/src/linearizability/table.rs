//! A set of configurations that is emptied at once, however large it grew.

use super::mask::Mask;
use super::uses::Uses;

/// Where the search can be: which of the operations in flight have taken effect, the state, and which operations of unknown
/// outcome were used for it (a number of [`Uses`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Config<B> {
    pub(super) mask: B,
    pub(super) state: u32,
    pub(super) used: u32,
}

impl<B: Mask> Config<B> {
    fn hash(&self) -> u64 {
        let mut h = self.mask.fold().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h = (h ^ u64::from(self.state) ^ (h >> 32)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        h ^ (h >> 29)
    }

    fn same_place(&self, other: &Config<B>) -> bool {
        self.mask == other.mask && self.state == other.state
    }
}

/// The set. Of two that differ only in what they used, the one that used more is left out: whatever it can do, the other can.
pub(super) struct Table<B> {
    slots: Vec<(u32, Config<B>)>,
    round: u32,
    len: usize,
}

impl<B: Mask> Table<B> {
    pub(super) fn new() -> Table<B> {
        let empty = Config { mask: B::NONE, state: 0, used: 0 };
        Table { slots: vec![(0, empty); 512], round: 1, len: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        match self.round.checked_add(1) {
            Some(round) => self.round = round,
            None => {
                self.slots.iter_mut().for_each(|slot| slot.0 = 0);
                self.round = 1;
            }
        }
    }

    /// Adds a configuration; false if it, or one that used less, is there; if `coarse`, or one that used anything else.
    pub(super) fn insert(&mut self, config: Config<B>, uses: &Uses, coarse: bool) -> bool {
        if self.is_tight(0) {
            self.grow();
        }
        let wrap = self.slots.len() - 1;
        let mut at = config.hash() as usize & wrap;
        while let (round, known) = &self.slots[at]
            && *round == self.round
        {
            if known.same_place(&config) && (coarse || uses.within(known.used, config.used)) {
                return false;
            }
            at = (at + 1) & wrap;
        }
        self.slots[at] = (self.round, config);
        self.len += 1;
        true
    }

    /// True if nothing that was added used strictly less than this one.
    pub(super) fn is_least(&self, config: &Config<B>, uses: &Uses) -> bool {
        let wrap = self.slots.len() - 1;
        let mut at = config.hash() as usize & wrap;
        while let (round, known) = &self.slots[at]
            && *round == self.round
        {
            if known.same_place(config) && known.used != config.used && uses.within(known.used, config.used) {
                return false;
            }
            at = (at + 1) & wrap;
        }
        true
    }

    /// True if it has to grow before it takes so many more.
    pub(super) fn is_tight(&self, more: usize) -> bool {
        (self.len + more) * 2 >= self.slots.len()
    }

    /// Doubles the room.
    pub(super) fn grow(&mut self) {
        let empty = Config { mask: B::NONE, state: 0, used: 0 };
        let larger = vec![(0, empty); self.slots.len() * 2];
        let old = std::mem::replace(&mut self.slots, larger);
        let wrap = self.slots.len() - 1;
        for (round, config) in old {
            if round == self.round {
                let mut at = config.hash() as usize & wrap;
                while self.slots[at].0 == self.round {
                    at = (at + 1) & wrap;
                }
                self.slots[at] = (round, config);
            }
        }
    }

    /// Its memory once it has room for so many more.
    pub(super) fn bytes_with(&self, more: usize) -> u64 {
        let slots = ((self.len + more) * 2 + 1).next_power_of_two().max(self.slots.len());
        (slots * std::mem::size_of::<(u32, Config<B>)>()) as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.slots.len() * std::mem::size_of::<(u32, Config<B>)>()) as u64
    }
}
