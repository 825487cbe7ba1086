//! Aborted, intermediate, internal and future reads of registers, values that nobody wrote, lost updates.

use super::super::finding::Findings;
use super::super::history::{Does, NONE};
use super::super::words;
use super::Registers;
use rustc_hash::FxHashMap;

impl Registers<'_, '_> {
    /// Everything that is wrong without a cycle.
    pub(in super::super) fn anomalies(&self, findings: &mut Findings) {
        let (mut last, mut before) = (FxHashMap::default(), Vec::new());
        let mut updates: Vec<(u32, u32)> = Vec::new();
        for number in self.history.numbers().filter(|txn| self.history.txns[*txn as usize].ok()) {
            self.history.before(number, &mut last, &mut before);
            let base = self.history.range(number).start;
            for (i, at) in self.history.range(number).enumerate() {
                if self.history.all()[at].does == Does::Read {
                    self.read(number, self.at[at], findings);
                    if before[i] != NONE && self.at[base + before[i] as usize] != self.at[at] {
                        self.internal(number, self.at[at], self.at[base + before[i] as usize], findings);
                    }
                }
            }
            for (key, saw, wrote) in self.touched(number).iter().copied() {
                // A value that nobody wrote may have come more than once.
                if let (Some(saw), Some(_)) = (saw, wrote)
                    && (saw == key || self.writer[saw as usize] != NONE)
                {
                    updates.push((saw, number));
                }
            }
        }
        updates.sort_unstable();
        for group in updates.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            findings.found("lost-update", || {
                let (key, value) = self.named(group[0].0);
                let names: Vec<String> = group.iter().map(|(_, txn)| words::txn(self.history, *txn)).collect();
                format!("{} all read key {key} as {value} and wrote it", names.join(" and "))
            });
        }
    }

    fn internal(&self, txn: u32, version: u32, expected: u32, findings: &mut Findings) {
        if expected == NONE {
            return;
        }
        findings.found("internal", || {
            let ((key, value), (_, known)) = (self.named(version), self.named(expected));
            let name = words::txn(self.history, txn);
            format!("{name} read key {key} as {value}, which it had just read or written as {known}")
        });
    }

    fn read(&self, txn: u32, version: u32, findings: &mut Findings) {
        let writer = self.writer[version as usize];
        let tell = |what: &dyn Fn(&str) -> String| {
            let (key, value) = self.named(version);
            let (name, writer) = (words::txn(self.history, txn), words::txn(self.history, writer));
            format!("{name} read key {key} as {value}, {}", what(&writer))
        };
        if writer == NONE {
            if version >= self.history.keys.len() as u32 {
                findings.found("unwritten-value", || tell(&|_| "which nobody wrote: it may be older".to_owned()));
            }
        } else if !self.possible(writer) {
            findings.found("G1a", || tell(&|writer| format!("which {writer} wrote, and that failed")));
        } else if self.intermediate[version as usize] && writer != txn {
            findings.found("G1b", || tell(&|writer| format!("which {writer} wrote and then replaced")));
        } else if writer == txn && self.readers_of(version).binary_search(&(version, txn)).is_ok() {
            findings.found("future-read", || tell(&|_| "before it wrote that itself".to_owned()));
        }
    }
}
