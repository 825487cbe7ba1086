//! Dependencies that reads of lists prove.

use super::super::graph::{Edge, RW, WR, WW, WW_PERHAPS};
use super::super::history::{Does, NONE};
use super::{Lists, MISFIT};

/// More edges of one key from reads to appends that nobody read are not made.
const UNREAD_MAX: usize = 20_000_000;

impl Lists<'_, '_> {
    /// All dependencies but those of processes and time, or why there are too many.
    pub(in super::super) fn edges(&self, edges: &mut Vec<Edge>) -> Result<(), String> {
        self.writes_after_writes(edges);
        let mut left = UNREAD_MAX;
        for (number, txn) in self.history.numbers().zip(&self.history.txns) {
            if !txn.ok() {
                continue;
            }
            for at in self.history.range(number) {
                let mop = &self.history.all()[at];
                if mop.does != Does::Read {
                    continue;
                }
                if self.at[at] == MISFIT {
                    self.read_that_does_not_fit(number, at, edges);
                    continue;
                }
                if let Some((_, writer)) = self.last_seen(mop.key, self.at[at]) {
                    edges.push((writer, number, WR));
                }
                let next = self.overwritten_by(mop.key, self.at[at]);
                if next != NONE {
                    edges.push((number, self.writer[next as usize], RW));
                    continue;
                }
                let unread = self.unread_of(mop.key);
                left = left.checked_sub(unread.len()).ok_or("too many appends that nobody read")?;
                edges.extend(unread.iter().map(|(_, writer)| (number, *writer, RW)));
            }
        }
        Ok(())
    }

    fn writes_after_writes(&self, edges: &mut Vec<Edge>) {
        for key in 0..self.longest.len() {
            let mut before = NONE;
            for version in self.start[key]..self.start[key + 1] {
                let writer = self.writer[version as usize];
                if self.possible(writer) {
                    if before != NONE {
                        edges.push((before, writer, WW));
                    }
                    before = writer;
                }
            }
            if before == NONE {
                continue;
            }
            for (_, writer) in self.unread_of(key as u32) {
                let certain = self.history.txns[*writer as usize].ok();
                edges.push((before, *writer, if certain { WW } else { WW_PERHAPS }));
            }
        }
    }

    /// Its last element was written before it was read; what overwrote it is not known.
    fn read_that_does_not_fit(&self, reader: u32, at: usize, edges: &mut Vec<Edge>) {
        let mop = &self.history.all()[at];
        let last = super::items(mop.value).last();
        let version = last.and_then(|element| self.version.get(mop.key, element));
        if let Some(writer) = version.map(|version| self.writer[version as usize])
            && self.possible(writer)
        {
            edges.push((writer, reader, WR));
        }
    }
}
