//! Why one transaction precedes another, in words.

use super::super::graph::{RW, WR};
use super::super::history::{Does, NONE};
use super::super::words::{self, Pair};
use super::{Lists, MISFIT, items};

impl Lists<'_, '_> {
    /// The reason of an edge, in a sentence; `names` are those of the two transactions.
    pub(in super::super) fn reason(&self, pair: &Pair<'_>, kind: u8) -> Option<String> {
        match kind {
            WR => self.read_from(pair),
            RW => self.read_before(pair),
            _ => self.wrote_after(pair),
        }
    }

    fn element(&self, version: u32, key: u32) -> String {
        let at = version - self.start[key as usize];
        words::value(self.history, &self.longest[key as usize][at as usize])
    }

    fn read_from(&self, pair: &Pair<'_>) -> Option<String> {
        for at in self.history.range(pair.to) {
            let mop = &self.history.all()[at];
            if mop.does != Does::Read {
                continue;
            }
            let (key, name) = (words::key(self.history, mop.key), &pair.to_name);
            if self.at[at] == MISFIT {
                let element = items(mop.value).last()?;
                let version = self.version.get(mop.key, element);
                if version.is_some_and(|version| self.writer[version as usize] == pair.from) {
                    let element = words::value(self.history, element);
                    return Some(format!("{} appended {element} to key {key}, and {name} read it", pair.from_name));
                }
            } else if let Some((version, writer)) = self.last_seen(mop.key, self.at[at])
                && writer == pair.from
            {
                let element = self.element(version, mop.key);
                let list = words::list(self.history, items(mop.value));
                return Some(format!(
                    "{} appended {element} to key {key}, and {name} read it as {list}",
                    pair.from_name
                ));
            }
        }
        None
    }

    fn read_before(&self, pair: &Pair<'_>) -> Option<String> {
        for at in self.history.range(pair.from) {
            let mop = &self.history.all()[at];
            if mop.does != Does::Read || self.at[at] == MISFIT {
                continue;
            }
            let next = self.overwritten_by(mop.key, self.at[at]);
            let element = if next != NONE && self.writer[next as usize] == pair.to {
                Some(self.element(next, mop.key))
            } else if next == NONE {
                self.unread_by(mop.key, pair.to)
            } else {
                None
            };
            if let Some(element) = element {
                let (key, list) = (words::key(self.history, mop.key), words::list(self.history, items(mop.value)));
                return Some(format!(
                    "{} read key {key} as {list}, without {element}, which {} appended to it",
                    pair.from_name, pair.to_name
                ));
            }
        }
        None
    }

    /// What a transaction appended to a key that nobody read.
    fn unread_by(&self, key: u32, txn: u32) -> Option<String> {
        let unread = |at: &usize| {
            let mop = &self.history.all()[*at];
            mop.does == Does::Write && mop.key == key && self.at[*at] == NONE
        };
        let at = self.history.range(txn).find(unread)?;
        Some(words::value(self.history, self.history.all()[at].value))
    }

    fn wrote_after(&self, pair: &Pair<'_>) -> Option<String> {
        for at in self.history.range(pair.to) {
            let mop = &self.history.all()[at];
            if mop.does != Does::Write {
                continue;
            }
            let begin = self.start[mop.key as usize];
            let length = match self.at[at] {
                NONE => self.start[mop.key as usize + 1] - begin,
                version if version < self.start[mop.key as usize + 1] => version - begin,
                _ => continue,
            };
            if let Some((version, writer)) = self.last_seen(mop.key, length)
                && writer == pair.from
            {
                let (key, element) = (words::key(self.history, mop.key), words::value(self.history, mop.value));
                let before = self.element(version, mop.key);
                return Some(format!(
                    "{} appended {before} to key {key}, and {} appended {element} after it",
                    pair.from_name, pair.to_name
                ));
            }
        }
        None
    }
}
