//! Registers that transactions write and read, each value of a key once. A read names the write that it saw; in which order the
//! versions of a key were made is inferred as far as it can be (Kingsbury and Alvaro 2020).

mod anomalies;
mod edges;
mod order;
mod proof;
mod reasons;
mod serial;

pub(super) use proof::Proof;

use super::history::{Does, History, NONE};
use super::weak::Facts;
use super::words;
use history::calls::Value;
use rustc_hash::FxHashMap;

/// A key, the version that a transaction saw of it first, and the one that it wrote last.
type Touch = (u32, Option<u32>, Option<u32>);

/// Registers by key. Version `k` for a key `k` is nil, what is there at first; all others come behind them.
pub(super) struct Registers<'h, 'a> {
    pub(super) history: &'h History<'a>,
    /// Versions by key and value.
    version: FxHashMap<(u32, &'a Value), u32>,
    /// The key and the value of each version.
    name: Vec<(u32, &'a Value)>,
    /// The transaction that wrote each version; [`NONE`] for those that nobody wrote.
    writer: Vec<u32>,
    /// The writer wrote the same key once more.
    intermediate: Vec<bool>,
    /// For each part its version; [`NONE`] if it is not known.
    at: Vec<u32>,
    /// Versions that transactions saw from outside, and these, sorted: certain ones only.
    readers: Vec<(u32, u32)>,
    /// Which version is before which, sorted.
    before: Vec<(u32, u32)>,
    /// What each transaction touches, one after the other.
    touches: Vec<Touch>,
    touch_starts: Vec<u32>,
    /// A value that is written twice.
    twice: Option<String>,
}

impl<'h, 'a> Registers<'h, 'a> {
    pub(super) fn new(history: &'h History<'a>) -> Registers<'h, 'a> {
        const NIL: &Value = &Value::Nil;
        let keys = history.keys.len();
        let mut registers = Registers {
            history,
            version: FxHashMap::default(),
            name: (0..keys as u32).map(|key| (key, NIL)).collect(),
            writer: vec![NONE; keys],
            intermediate: vec![false; keys],
            at: vec![NONE; history.all().len()],
            readers: Vec::new(),
            before: Vec::new(),
            touches: Vec::new(),
            touch_starts: Vec::new(),
            twice: None,
        };
        for (at, mop) in history.all().iter().enumerate() {
            registers.at[at] = match mop.does {
                Does::Unknown => NONE,
                _ if mop.value.is_nil() => mop.key,
                _ => registers.number(mop.key, mop.value),
            };
        }
        registers.touch();
        registers.writes();
        registers.outside();
        registers
    }

    fn number(&mut self, key: u32, value: &'a Value) -> u32 {
        let (name, writer, intermediate) = (&mut self.name, &mut self.writer, &mut self.intermediate);
        *self.version.entry((key, value)).or_insert_with(|| {
            name.push((key, value));
            writer.push(NONE);
            intermediate.push(false);
            name.len() as u32 - 1
        })
    }

    fn writes(&mut self) {
        let (mut last, mut before) = (FxHashMap::default(), Vec::new());
        for txn in self.history.numbers() {
            self.history.before(txn, &mut last, &mut before);
            let range = self.history.range(txn);
            for (i, at) in range.clone().enumerate() {
                if self.history.all()[at].does != Does::Write {
                    continue;
                }
                let version = self.at[at];
                let writer = self.writer[version as usize];
                if writer == NONE || !self.possible(writer) {
                    self.writer[version as usize] = txn;
                } else if writer != txn && self.possible(txn) && self.twice.is_none() {
                    let (key, value) = self.named(version);
                    self.twice =
                        Some(format!("{value} is written to key {key} twice; each value is to be written once"));
                }
                let mut i = before[i];
                while i != NONE && self.history.all()[range.start + i as usize].does != Does::Write {
                    i = before[i as usize];
                }
                if i != NONE {
                    let earlier = self.at[range.start + i as usize];
                    self.intermediate[earlier as usize] = earlier != version;
                }
            }
        }
    }

    /// What certain transactions saw of others: the first read of a key that was not written before.
    fn outside(&mut self) {
        let (mut last, mut before) = (FxHashMap::default(), Vec::new());
        for (number, txn) in self.history.numbers().zip(&self.history.txns) {
            if !txn.ok() {
                continue;
            }
            self.history.before(number, &mut last, &mut before);
            for (i, at) in self.history.range(number).enumerate() {
                if self.history.all()[at].does == Does::Read && before[i] == NONE {
                    self.readers.push((self.at[at], number));
                }
            }
        }
        self.readers.sort_unstable();
    }

    fn possible(&self, txn: u32) -> bool {
        txn != NONE && self.history.txns[txn as usize].possible()
    }

    /// The transactions that read a version.
    fn readers_of(&self, version: u32) -> &[(u32, u32)] {
        let from = self.readers.partition_point(|(one, _)| *one < version);
        let to = self.readers.partition_point(|(one, _)| *one <= version);
        &self.readers[from..to]
    }

    fn named(&self, version: u32) -> (String, String) {
        let (key, value) = self.name[version as usize];
        (words::key(self.history, key), words::value(self.history, value))
    }

    /// The keys that a transaction touches, with the version that it saw first, if any, and the one it wrote last.
    fn touched(&self, txn: u32) -> &[Touch] {
        &self.touches[self.touch_starts[txn as usize] as usize..self.touch_starts[txn as usize + 1] as usize]
    }

    fn touch(&mut self) {
        for txn in self.history.numbers() {
            let begin = self.touches.len();
            self.touch_starts.push(begin as u32);
            for at in self.history.range(txn) {
                let mop = &self.history.all()[at];
                if self.at[at] == NONE {
                    continue;
                }
                let known = self.touches[begin..].iter().position(|(key, ..)| *key == mop.key);
                let index = begin + known.unwrap_or(self.touches.len() - begin);
                if known.is_none() {
                    self.touches.push((mop.key, None, None));
                }
                let entry = &mut self.touches[index];
                match mop.does {
                    Does::Write => entry.2 = Some(self.at[at]),
                    _ if known.is_none() => entry.1 = Some(self.at[at]),
                    _ => {}
                }
            }
        }
        self.touch_starts.push(self.touches.len() as u32);
    }

    /// Why the history says nothing, if it does not.
    pub(super) fn unusable(&self) -> Option<&str> {
        self.twice.as_deref()
    }

    /// What transactions read and wrote, for models that need no order of versions.
    pub(super) fn facts(&self) -> Facts {
        Facts::of(self.history, |at, key| {
            let writer = self.writer[self.at[at] as usize];
            (self.at[at] == key || self.possible(writer)).then_some(writer)
        })
    }
}
