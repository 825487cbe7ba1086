//! A node's disk: a log of writes, of which only the synced ones are sure to survive a crash.
//!
//! A process sees all of its own writes. A crash keeps what was synced and, of the rest, a prefix: the writes were handed
//! to the disk in order and it had got so far. How far is a draw for what the caller names, so that it does not hang on
//! anything else. Compaction and truncation are left to the machine: they are writes that say so.

use crate::hash_draw;

/// A log of writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk<W> {
    writes: Vec<W>,
    synced: usize,
}

impl<W> Default for Disk<W> {
    fn default() -> Self {
        Disk { writes: Vec::new(), synced: 0 }
    }
}

impl<W> Disk<W> {
    /// An empty one.
    pub fn new() -> Disk<W> {
        Disk::default()
    }

    /// Appends; not yet sure to survive a crash.
    pub fn write(&mut self, write: W) {
        self.writes.push(write);
    }

    /// From now on everything written so far survives a crash (fsync).
    pub fn sync(&mut self) {
        self.synced = self.writes.len();
    }

    /// Everything written, in order; after a crash what is left of it.
    pub fn writes(&self) -> &[W] {
        &self.writes
    }

    /// How many writes a crash may lose.
    pub fn unsynced(&self) -> usize {
        self.writes.len() - self.synced
    }

    /// The host crashes: of the unsynced writes a prefix is kept, from none to all, each length equally likely, drawn for
    /// `what` (the node and its life, say). Returns how many writes are lost; what is left is on the disk for good.
    pub fn crash(&mut self, seed: u64, what: &[u64]) -> usize {
        let unsynced = self.unsynced();
        let kept = (hash_draw(seed, what) % (unsynced as u64 + 1)) as usize;
        self.writes.truncate(self.synced + kept);
        self.synced = self.writes.len();
        unsynced - kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(synced: u32, unsynced: u32) -> Disk<u32> {
        let mut disk = Disk::new();
        for write in 0..synced + unsynced {
            disk.write(write);
            if write + 1 == synced {
                disk.sync();
            }
        }
        disk
    }

    #[test]
    fn what_is_synced_survives_and_of_the_rest_a_prefix() {
        let mut lengths = [0; 5];
        for life in 0..1_000 {
            let mut disk = disk(3, 4);
            assert_eq!((disk.writes().len(), disk.unsynced()), (7, 4));
            let lost = disk.crash(9, &[2, life]);
            let left: Vec<u32> = (0..7 - lost as u32).collect();
            assert_eq!((disk.writes(), disk.unsynced()), (left.as_slice(), 0));
            lengths[lost] += 1;
        }
        assert!(lengths.iter().all(|count| (150..250).contains(count)), "{lengths:?}");
    }

    #[test]
    fn the_same_crash_loses_the_same() {
        let crash = |life| {
            let mut disk = disk(1, 1_000);
            disk.crash(9, &[2, life])
        };
        assert_eq!(crash(1), crash(1));
        assert_ne!(crash(1), crash(2));
    }

    #[test]
    fn a_second_crash_loses_nothing_more() {
        let mut disk = disk(0, 10);
        disk.crash(1, &[1]);
        let left = disk.writes().len();
        assert_eq!(disk.crash(1, &[2]), 0);
        assert_eq!(disk.writes().len(), left);
        disk.sync();
        assert_eq!(disk.unsynced(), 0);
    }
}
