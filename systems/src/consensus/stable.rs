//! What a server has on disk: its term, its vote and its log.

use simulation::{Disk, NodeId};

/// A place in the log, counted from 1; 0 is before the first.
pub type Index = u64;

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<C> {
    /// Of the leader that made it.
    pub term: u64,
    /// That leader's wall clock when it did, nanoseconds; never less than that of the entry before.
    pub stamp: i64,
    /// None: a new leader's first entry, which does nothing.
    pub command: Option<C>,
}

/// A write to the disk.
#[derive(Clone, Debug)]
enum Write<C> {
    Term(u64, Option<NodeId>),
    Append(Entry<C>),
    /// Only so many entries remain.
    Cut(Index),
}

/// Term, vote and log, and the disk that they are written to.
#[derive(Clone, Debug)]
pub(super) struct Stable<C> {
    term: u64,
    vote: Option<NodeId>,
    log: Vec<Entry<C>>,
    disk: Disk<Write<C>>,
}

impl<C: Clone> Stable<C> {
    pub fn new() -> Stable<C> {
        Stable { term: 0, vote: None, log: Vec::new(), disk: Disk::new() }
    }

    /// What a crash leaves: everything that was synced, and perhaps some of the rest, which is a draw for `what`.
    pub fn crashed(&self, seed: u64, what: &[u64]) -> Stable<C> {
        let mut disk = self.disk.clone();
        disk.crash(seed, what);
        let (mut term, mut vote, mut log) = (0, None, Vec::new());
        for write in disk.writes() {
            match write {
                Write::Term(next, voted) => (term, vote) = (*next, *voted),
                Write::Append(entry) => log.push(entry.clone()),
                Write::Cut(left) => log.truncate(*left as usize),
            }
        }
        Stable { term, vote, log, disk }
    }

    pub fn term(&self) -> u64 {
        self.term
    }

    pub fn vote(&self) -> Option<NodeId> {
        self.vote
    }

    pub fn set_term(&mut self, term: u64, vote: Option<NodeId>) {
        if (self.term, self.vote) != (term, vote) {
            (self.term, self.vote) = (term, vote);
            self.disk.write(Write::Term(term, vote));
        }
    }

    pub fn sync(&mut self) {
        self.disk.sync();
    }

    pub fn last(&self) -> Index {
        self.log.len() as Index
    }

    pub fn entry(&self, index: Index) -> Option<&Entry<C>> {
        self.log.get(usize::try_from(index.checked_sub(1)?).ok()?)
    }

    /// Term of an entry; 0 where there is none.
    pub fn term_at(&self, index: Index) -> u64 {
        self.entry(index).map_or(0, |entry| entry.term)
    }

    pub fn stamp(&self) -> i64 {
        self.log.last().map_or(0, |entry| entry.stamp)
    }

    pub fn append(&mut self, entry: Entry<C>) {
        self.disk.write(Write::Append(entry.clone()));
        self.log.push(entry);
    }

    /// Puts an entry where it belongs; whatever was there of another term goes, with all behind it.
    pub fn put(&mut self, index: Index, entry: &Entry<C>) {
        if index <= self.last() && self.term_at(index) == entry.term {
            return;
        }
        if index <= self.last() {
            self.log.truncate(index as usize - 1);
            self.disk.write(Write::Cut(index - 1));
        }
        self.append(entry.clone());
    }

    /// Entries after `index`, at most so many.
    pub fn after(&self, index: Index, count: usize) -> Vec<Entry<C>> {
        self.log.iter().skip(index as usize).take(count).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(term: u64) -> Entry<u32> {
        Entry { term, stamp: 0, command: Some(term as u32) }
    }

    #[test]
    fn what_is_synced_survives_and_a_conflict_cuts_the_log() {
        let mut stable = Stable::new();
        stable.set_term(1, Some(2));
        (1..=3).for_each(|index| stable.put(index, &entry(1)));
        stable.sync();
        stable.put(2, &entry(2));
        assert_eq!((stable.last(), stable.term_at(2)), (2, 2));
        stable.sync();
        stable.set_term(5, None);
        let lost = (0..50).map(|life| stable.crashed(9, &[life])).filter(|left| left.term() == 1).count();
        assert!((10..40).contains(&lost), "{lost}");
        let left = stable.crashed(9, &[0]);
        assert_eq!((left.last(), left.term_at(1), left.term_at(2)), (2, 1, 2));
    }
}
