//! Dependencies between transactions on registers.

use super::super::graph::{Edge, RW, WR, WW, WW_PERHAPS};
use super::super::history::Does;
use super::Registers;

/// More anti-dependencies are not made.
const RW_MAX: usize = 40_000_000;

impl Registers<'_, '_> {
    /// All dependencies but those of processes and time, or why there are too many.
    pub(in super::super) fn edges(&self, edges: &mut Vec<Edge>) -> Result<(), String> {
        self.reads(edges);
        self.versions(&self.before, edges)
    }

    /// Who read what from whom.
    pub(super) fn reads(&self, edges: &mut Vec<Edge>) {
        for (number, txn) in self.history.numbers().zip(&self.history.txns).filter(|(_, txn)| txn.ok()) {
            debug_assert!(txn.ok());
            for at in self.history.range(number) {
                if self.history.all()[at].does == Does::Read {
                    let writer = self.writer[self.at[at] as usize];
                    if self.possible(writer) {
                        edges.push((writer, number, WR));
                    }
                }
            }
        }
    }

    /// What the order of some versions means for their writers and readers.
    pub(super) fn versions(&self, pairs: &[(u32, u32)], edges: &mut Vec<Edge>) -> Result<(), String> {
        let mut left = RW_MAX;
        for (from, to) in pairs {
            let writer = self.writer[*to as usize];
            if !self.possible(writer) {
                continue;
            }
            let before = self.writer[*from as usize];
            if self.possible(before) {
                let certain = self.history.txns[writer as usize].ok() || !self.readers_of(*to).is_empty();
                edges.push((before, writer, if certain { WW } else { WW_PERHAPS }));
            }
            let readers = self.readers_of(*from);
            left = left.checked_sub(readers.len()).ok_or("too many reads of the same values")?;
            edges.extend(readers.iter().map(|(_, reader)| (*reader, writer, RW)));
        }
        Ok(())
    }
}
