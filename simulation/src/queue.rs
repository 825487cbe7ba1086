//! The queue of what is to happen: in order of time, and at one instant in the order in which it was put in.
//!
//! A small type of its own, so that the heap can be replaced without anybody noticing.

use history::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events in order of (time, sequence).
#[derive(Debug)]
pub struct EventQueue<T> {
    /// Time, sequence, place in `items`: small keys move through the heap, the events stay where they are.
    heap: BinaryHeap<Reverse<(Nanos, u64, u32)>>,
    items: Vec<Option<T>>,
    free: Vec<u32>,
    sequence: u64,
}

impl<T> Default for EventQueue<T> {
    fn default() -> Self {
        EventQueue { heap: BinaryHeap::new(), items: Vec::new(), free: Vec::new(), sequence: 0 }
    }
}

impl<T> EventQueue<T> {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `item` in; it comes out at `time`, after all that were put in for that instant before.
    pub fn push(&mut self, time: Nanos, item: T) {
        let place = match self.free.pop() {
            Some(place) => {
                self.items[place as usize] = Some(item);
                place
            }
            None => {
                let place = u32::try_from(self.items.len()).expect("fewer than 2^32 events wait at once");
                self.items.push(Some(item));
                place
            }
        };
        self.heap.push(Reverse((time, self.sequence, place)));
        self.sequence += 1;
    }

    /// When the next one is due.
    pub fn next_time(&self) -> Option<Nanos> {
        self.heap.peek().map(|Reverse((time, _, _))| *time)
    }

    /// The next one, with its time.
    pub fn pop(&mut self) -> Option<(Nanos, T)> {
        let Reverse((time, _, place)) = self.heap.pop()?;
        let item = self.items[place as usize].take();
        self.free.push(place);
        item.map(|item| (time, item))
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// True if none waits.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Stream;

    #[test]
    fn one_instant_keeps_the_order_of_entry() {
        let mut queue = EventQueue::new();
        for (time, name) in [(5, "c"), (3, "a"), (5, "d"), (3, "b")] {
            queue.push(time, name);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [(3, "a"), (3, "b"), (5, "c"), (5, "d")]);
    }

    #[test]
    fn agrees_with_a_stable_sort() {
        let mut stream = Stream::new(3, "queue", 0);
        let mut queue = EventQueue::new();
        let mut sorted = Vec::new();
        for number in 0..5_000u32 {
            let time = stream.below(500);
            queue.push(time, number);
            sorted.push((time, number));
        }
        sorted.sort_by_key(|(time, _)| *time);
        assert_eq!(queue.len(), 5_000);
        for expected in sorted {
            assert_eq!(queue.next_time(), Some(expected.0));
            assert_eq!(queue.pop().unwrap(), expected);
        }
        assert!(queue.is_empty());
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
