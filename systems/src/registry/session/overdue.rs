//! Pushes that are repeated if they are not acknowledged in time, by the batch in which they were sent: nearly always all
//! of a batch is acknowledged, and then it costs nothing when its time comes.

use super::book::Place;
use history::Nanos;
use std::collections::VecDeque;

/// Pushes that were sent together.
#[derive(Clone, Copy, Debug)]
struct Batch {
    /// They are repeated then.
    at: Nanos,
    count: u32,
    /// How many were not acknowledged.
    left: u32,
}

/// See the module. Batches are numbered one after the other, and wrap.
#[derive(Clone, Debug, Default)]
pub(super) struct Overdue {
    batches: VecDeque<Batch>,
    /// Where the subscriptions are, batch after batch.
    members: VecDeque<Place>,
    first: u32,
}

impl Overdue {
    /// The number of the next batch.
    pub fn next(&self) -> u32 {
        self.first.wrapping_add(self.batches.len() as u32)
    }

    /// The next batch was sent, to these; none if there are none. Batches come in order of `at`.
    pub fn add(&mut self, at: Nanos, members: impl Iterator<Item = Place>) {
        let before = self.members.len();
        self.members.extend(members);
        let count = (self.members.len() - before) as u32;
        if count > 0 {
            self.batches.push_back(Batch { at, count, left: count });
        }
    }

    /// One push of this batch was acknowledged.
    pub fn acknowledged(&mut self, batch: u32) {
        if let Some(batch) = self.batches.get_mut(batch.wrapping_sub(self.first) as usize) {
            batch.left = batch.left.saturating_sub(1);
        }
    }

    /// Takes the first batch out if its time has come: its number. `members` is told where its subscriptions are, unless all
    /// are acknowledged.
    pub fn pop(&mut self, now: Nanos, members: &mut Vec<Place>) -> Option<u32> {
        members.clear();
        let batch = *self.batches.front().filter(|batch| now >= batch.at)?;
        self.batches.pop_front();
        let number = self.first;
        self.first = self.first.wrapping_add(1);
        let places = self.members.drain(..batch.count as usize);
        if batch.left > 0 {
            members.extend(places);
        }
        Some(number)
    }

    /// Forgets everything but how far it has counted.
    pub fn clear(&mut self) {
        self.first = self.next();
        self.batches.clear();
        self.members.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_is_acknowledged_names_nobody() {
        let (mut overdue, mut members) = (Overdue { first: u32::MAX, ..Overdue::default() }, Vec::new());
        let numbers = [overdue.next(), overdue.next().wrapping_add(1)];
        overdue.add(10, [1, 2].into_iter());
        overdue.add(11, std::iter::empty());
        overdue.add(12, [3].into_iter());
        assert_eq!((numbers, overdue.next()), ([u32::MAX, 0], 1));
        overdue.acknowledged(numbers[1]);
        overdue.acknowledged(numbers[0]);
        assert_eq!((overdue.pop(9, &mut members), members.len()), (None, 0));
        assert_eq!(overdue.pop(10, &mut members), Some(numbers[0]));
        assert_eq!(members, [1, 2]);
        assert_eq!((overdue.pop(11, &mut members), overdue.pop(12, &mut members)), (None, Some(numbers[1])));
        assert!(members.is_empty(), "it was acknowledged");
    }

    #[test]
    fn numbers_go_on_after_everything_was_forgotten() {
        let (mut overdue, mut members) = (Overdue::default(), Vec::new());
        overdue.add(1, [1].into_iter());
        overdue.clear();
        assert_eq!((overdue.next(), overdue.pop(9, &mut members)), (1, None));
        overdue.acknowledged(0);
    }
}
