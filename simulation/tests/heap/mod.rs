//! The queue as a binary heap: slower, and plainly right. What the wheel is compared with.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events in order of (time, sequence).
pub struct Heap<T> {
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    items: Vec<Option<T>>,
    free: Vec<u32>,
    sequence: u64,
}

impl<T> Heap<T> {
    pub fn new() -> Heap<T> {
        Heap { heap: BinaryHeap::new(), items: Vec::new(), free: Vec::new(), sequence: 0 }
    }

    pub fn push(&mut self, time: u64, item: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.items.push(None);
            self.items.len() as u32 - 1
        });
        self.items[place as usize] = Some(item);
        self.heap.push(Reverse((time, self.sequence, place)));
        self.sequence += 1;
    }

    pub fn pop(&mut self) -> Option<(u64, T)> {
        let Reverse((time, _, place)) = self.heap.pop()?;
        self.free.push(place);
        self.items[place as usize].take().map(|item| (time, item))
    }
}
