//! The queue of what is to happen: in order of time, and at one instant in the order in which it was put in.
//!
//! Small keys move through a `Wheel`, the events stay where they are.

use crate::machine::fetch;
use crate::wheel::{Key, Wheel};
use history::Nanos;
use std::mem::ManuallyDrop;

/// So many bits of a key say where the event is; the others are its number.
const PLACE_BITS: u32 = 26;
const PLACES_MAX: usize = 1 << PLACE_BITS;
/// Where no more than this ever waited at once, everything is near, and nothing is worth to be looked at before its time.
const NEAR: usize = 1 << 12;

/// Room for an event; events of up to 64 bytes take one line of the processor's cache each. A free one holds the default,
/// and is filled without a look at it, since that would mean to wait for the memory.
#[derive(Debug)]
#[repr(align(64))]
struct Item<T>(ManuallyDrop<T>);

impl<T> Item<T> {
    fn of(item: T) -> Item<T> {
        Item(ManuallyDrop::new(item))
    }
}

/// Where an event is that is due.
#[derive(Debug)]
pub(crate) struct Place(usize);

/// Events in order of (time, sequence). At most 2^26 wait at once, and at most 2^38 pass through. The default of an event
/// stands for none, and must not own memory: it is never dropped.
#[derive(Debug)]
pub struct EventQueue<T: Default> {
    wheel: Wheel,
    items: Vec<Item<T>>,
    free: Vec<u32>,
    sequence: u64,
}

impl<T: Default> Default for EventQueue<T> {
    fn default() -> Self {
        EventQueue { wheel: Wheel::default(), items: Vec::new(), free: Vec::new(), sequence: 0 }
    }
}

impl<T: Default> EventQueue<T> {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `item` in; it comes out at `time`, after all that were put in for that instant before.
    #[inline(always)]
    pub fn push(&mut self, time: Nanos, item: T) {
        let place = match self.free.pop() {
            Some(place) => {
                self.items[place as usize] = Item::of(item);
                u64::from(place)
            }
            None => {
                assert!(self.items.len() < PLACES_MAX, "fewer than 2^26 events wait at once");
                self.items.push(Item::of(item));
                self.items.len() as u64 - 1
            }
        };
        assert!(self.sequence < 1 << (64 - PLACE_BITS), "fewer than 2^38 events in one run");
        self.wheel.push(Key::new(time, self.sequence << PLACE_BITS | place));
        self.sequence += 1;
    }

    /// When the next one is due.
    pub fn next_time(&mut self) -> Option<Nanos> {
        self.wheel.first().map(Key::time)
    }

    /// The next one, with its time.
    pub fn pop(&mut self) -> Option<(Nanos, T)> {
        let (time, place) = self.due(Nanos::MAX, |_| ())?;
        Some((time, self.take(place)))
    }

    /// When the next one is due, and where it is, if it is due by `limit`: it must be taken from there. `soon` is shown what
    /// comes next, a few at a time, in no order: what it needs can be fetched from memory side by side, which later would
    /// happen one by one.
    #[inline(always)]
    pub(crate) fn due(&mut self, limit: Nanos, soon: impl Fn(&T)) -> Option<(Nanos, Place)> {
        let items = &self.items;
        let soon = |later: &[Key], keys: &[Key]| {
            if items.len() > NEAR {
                later.iter().for_each(|key| fetch(&items[place(*key)]));
                keys.iter().for_each(|key| soon(&items[place(*key)].0));
            }
        };
        let key = self.wheel.pop_until(limit, soon)?;
        Some((key.time(), Place(place(key))))
    }

    /// What is due.
    #[inline(always)]
    pub(crate) fn at(&self, place: &Place) -> &T {
        &self.items[place.0].0
    }

    /// Takes out what is due.
    #[inline(always)]
    pub(crate) fn take(&mut self, place: Place) -> T {
        self.free.push(place.0 as u32);
        std::mem::take(&mut *self.items[place.0].0)
    }

    /// Gives events other times: `time` is asked for each with its present time. Costs as much as putting all in again.
    pub fn retime(&mut self, mut time: impl FnMut(Nanos, &T) -> Nanos) {
        let items = &self.items;
        self.wheel.retime(|key| time(key.time(), &items[place(key)].0));
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// True if none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Default> Drop for EventQueue<T> {
    fn drop(&mut self) {
        self.items.iter_mut().for_each(|item| drop(std::mem::take(&mut *item.0)));
    }
}

fn place(key: Key) -> usize {
    key.rest() as usize % PLACES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_dropped_with_the_queue() {
        let item = std::rc::Rc::new(());
        let mut queue = EventQueue::new();
        (0..3).for_each(|time| queue.push(time, item.clone()));
        queue.pop();
        assert_eq!(std::rc::Rc::strong_count(&item), 3);
        drop(queue);
        assert_eq!(std::rc::Rc::strong_count(&item), 1);
    }

    #[test]
    fn places_are_used_again() {
        let mut queue = EventQueue::new();
        for round in 0..1_000u64 {
            queue.push(round, round);
            queue.push(round, round);
            queue.pop();
            queue.pop();
        }
        assert!(queue.items.len() <= 2);
    }
}
