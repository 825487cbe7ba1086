//! When the last message on each channel of a link arrives, as far as that lies ahead.
//!
//! A link may have a hundred thousand channels, but messages are under way on a few hundred of them: what is past holds
//! nobody up and is forgotten, so that the table stays in the processor's cache.

use crate::machine::{Channel, NO_CHANNEL, fetch};
use history::Nanos;

/// A table with open addressing: channel and arrival, free where the channel is [`NO_CHANNEL`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals {
    slots: Vec<(Channel, Nanos)>,
    used: usize,
}

/// The least size of a table.
const SLOTS_MIN: usize = 256;

impl Arrivals {
    /// The arrival of the last message on this channel, to be read and changed; something past if none is under way.
    #[inline]
    pub fn last(&mut self, channel: Channel, now: Nanos) -> &mut Nanos {
        if 2 * (self.used + 1) > self.slots.len() {
            self.sweep(now);
        }
        let at = self.find(channel);
        let slot = &mut self.slots[at];
        if slot.0 != channel {
            *slot = (channel, 0);
            self.used += 1;
        }
        &mut slot.1
    }

    /// This channel is asked for soon.
    pub fn prepare(&self, channel: Channel) {
        if let Some(slot) = self.slots.get(self.hash(channel)) {
            fetch(slot);
        }
    }

    /// Where the search for a channel begins.
    fn hash(&self, channel: Channel) -> usize {
        // Fibonacci hashing; neighbours are often busy at the same time.
        let mixed = u64::from(channel).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        mixed as usize & self.slots.len().wrapping_sub(1)
    }

    /// Where this channel is, or else the free slot that it would get.
    fn find(&self, channel: Channel) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = self.hash(channel);
        while self.slots[at].0 != channel && self.slots[at].0 != NO_CHANNEL {
            at = (at + 1) & mask;
        }
        at
    }

    /// Forgets what is past. The table is a quarter full afterwards, or less.
    #[cold]
    fn sweep(&mut self, now: Nanos) {
        let old = std::mem::take(&mut self.slots);
        let ahead = |slot: &&(Channel, Nanos)| slot.0 != NO_CHANNEL && slot.1 > now;
        self.used = old.iter().filter(ahead).count();
        let size = (4 * (self.used + 1)).next_power_of_two().max(SLOTS_MIN);
        self.slots = vec![(NO_CHANNEL, 0); size];
        for slot in old.iter().filter(ahead) {
            let at = self.find(slot.0);
            self.slots[at] = *slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_is_kept_and_the_table_stays_small() {
        let mut arrivals = Arrivals::default();
        let mut oracle = vec![0; 1_000];
        for now in 0..200_000u64 {
            let channel = (now * 7_919 % 1_000) as Channel;
            let last = arrivals.last(channel, now);
            let expected = &mut oracle[channel as usize];
            assert_eq!((*last).max(now), (*expected).max(now));
            *last = (*last).max(now + now * 31 % 97);
            *expected = *last;
        }
        assert!(arrivals.slots.len() <= 1_024, "{}", arrivals.slots.len());
    }

    #[test]
    fn many_may_be_busy() {
        let mut arrivals = Arrivals::default();
        (0..5_000).for_each(|channel| *arrivals.last(channel, 1) = 10 + Nanos::from(channel));
        assert!((0..5_000).all(|channel| *arrivals.last(channel, 2) == 10 + Nanos::from(channel)));
    }
}
