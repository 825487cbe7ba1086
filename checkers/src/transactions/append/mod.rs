//! Lists that transactions append to and read: each read shows the order of all appends before it, so the longest read of a key
//! is the order of its versions (Kingsbury and Alvaro, "Elle: inferring isolation anomalies from experimental observations", 2020).

mod anomalies;
mod edges;
mod elements;
mod reasons;
pub(super) mod unread;
mod update;

use super::finding::Findings;
use super::history::{Does, History, NONE};
use super::weak::Facts;
use super::words;
use elements::Elements;
use history::calls::Value;
use rustc_hash::FxHashMap;

/// A read that does not fit the longest one of its key.
const MISFIT: u32 = NONE - 1;

/// Lists by key. Version `v` of the history is the state that its element, the last one, made.
pub(super) struct Lists<'h, 'a> {
    pub(super) history: &'h History<'a>,
    /// The longest read of each key.
    longest: Vec<&'a [Value]>,
    /// The first version of each key; versions of a key follow each other. The last entry is the end of the last key.
    start: Vec<u32>,
    /// The transaction that appended the element of each version; [`NONE`] if nobody did, or if it is a duplicate. Behind the
    /// versions of all keys come elements that only reads have which do not fit.
    writer: Vec<u32>,
    /// The writer appended to the same key once more.
    intermediate: Vec<bool>,
    /// The first version at or after each that a transaction which did not fail wrote, within the key; [`NONE`] without one.
    next: Vec<u32>,
    /// For each part: a write's version, [`NONE`] if it was never read; the length of a read, or [`MISFIT`].
    at: Vec<u32>,
    /// Versions by element.
    version: Elements<'a>,
    /// Appends that nobody read: key and transaction, sorted.
    unread: Vec<(u32, u32)>,
    /// Transactions two of whose appends to one key were read in the other order, or the first not at all: their parts.
    torn: Vec<(u32, u32, u32)>,
    /// An element that is appended twice.
    twice: Option<String>,
}

impl<'h, 'a> Lists<'h, 'a> {
    pub(super) fn new(history: &'h History<'a>) -> Lists<'h, 'a> {
        let mut lists = Lists {
            history,
            longest: vec![&[]; history.keys.len()],
            start: Vec::with_capacity(history.keys.len() + 1),
            writer: Vec::new(),
            intermediate: Vec::new(),
            next: Vec::new(),
            at: vec![NONE; history.all().len()],
            version: Elements::default(),
            unread: Vec::new(),
            torn: Vec::new(),
            twice: None,
        };
        // Values are all over the memory, so each list is looked up once.
        let mut reads = Vec::with_capacity(history.all().len() / 2);
        for mop in history.all().iter().filter(|mop| mop.does == Does::Read) {
            let list = items(mop.value);
            let longest = &mut lists.longest[mop.key as usize];
            if list.len() > longest.len() {
                *longest = list;
            }
            reads.push(list);
        }
        lists.number();
        lists.fit(&reads);
        lists.writes();
        lists.find_next();
        lists
    }

    /// Gives each element of the longest reads a number.
    fn number(&mut self) {
        self.version = Elements::of(&self.longest);
        let mut number = 0;
        for (key, list) in self.longest.iter().enumerate() {
            self.start.push(number);
            for element in *list {
                self.version.insert_new(key as u32, element, number);
                number += 1;
            }
        }
        self.start.push(number);
    }

    /// Which reads are beginnings of the longest one; all reads, in their order.
    fn fit(&mut self, reads: &[&'a [Value]]) {
        let parts = self.history.all().iter().enumerate().filter(|(_, mop)| mop.does == Does::Read);
        for ((at, mop), list) in parts.zip(reads) {
            let longest = self.longest[mop.key as usize];
            if begins(longest, list) {
                self.at[at] = list.len() as u32;
                continue;
            }
            self.at[at] = MISFIT;
            for element in *list {
                let number = (self.writer.len() + self.start[self.longest.len()] as usize) as u32;
                if self.version.insert_new(mop.key, element, number) {
                    self.writer.push(NONE);
                }
            }
        }
        let total = self.start[self.longest.len()] as usize + self.writer.len();
        self.writer = vec![NONE; total];
        self.intermediate = vec![false; total];
    }

    /// Who wrote what.
    fn writes(&mut self) {
        let (mut last, mut before) = (FxHashMap::default(), Vec::new());
        for txn in self.history.numbers() {
            self.history.before(txn, &mut last, &mut before);
            for (i, at) in self.history.range(txn).enumerate() {
                let mop = &self.history.all()[at];
                if mop.does != Does::Write {
                    continue;
                }
                let known = self.version.get(mop.key, mop.value);
                if let Some(version) = known {
                    self.at[at] = version;
                    let writer = &mut self.writer[version as usize];
                    if *writer != NONE && self.twice.is_none() {
                        self.twice = Some(self.name_twice(mop.key, mop.value));
                    } else {
                        *writer = txn;
                    }
                } else {
                    if self.history.txns[txn as usize].possible() {
                        self.unread.push((mop.key, txn));
                    }
                    if !self.version.insert_never(mop.key, mop.value) && self.twice.is_none() {
                        self.twice = Some(self.name_twice(mop.key, mop.value));
                    }
                }
                self.pass(txn, i, &before);
            }
        }
        self.unread.sort_unstable();
        self.unread.dedup();
    }

    fn name_twice(&self, key: u32, value: &Value) -> String {
        let (key, value) = (words::key(self.history, key), words::value(self.history, value));
        format!("{value} is appended to key {key} twice; each value is to be appended to a key once")
    }

    /// What the same transaction appended to the same key before its part `i` is intermediate.
    fn pass(&mut self, txn: u32, i: usize, before: &[u32]) {
        let range = self.history.range(txn);
        let next = range.start + i;
        let mut i = before[i];
        while i != NONE {
            let at = range.start + i as usize;
            if self.history.all()[at].does == Does::Write {
                if let Some(one) = self.intermediate.get_mut(self.at[at] as usize) {
                    *one = true;
                }
                let (first, second) = (self.at[at], self.at[next]);
                if second < self.start[self.longest.len()] && first > second {
                    self.torn.push((txn, at as u32, next as u32));
                }
                return;
            }
            i = before[i as usize];
        }
    }

    fn find_next(&mut self) {
        let total = self.start[self.longest.len()] as usize;
        self.next = vec![NONE; total];
        for key in 0..self.longest.len() {
            let mut next = NONE;
            for version in (self.start[key]..self.start[key + 1]).rev() {
                if self.possible(self.writer[version as usize]) {
                    next = version;
                }
                self.next[version as usize] = next;
            }
        }
    }

    fn possible(&self, txn: u32) -> bool {
        txn != NONE && self.history.txns[txn as usize].possible()
    }

    /// Why the history says nothing, if it does not.
    pub(super) fn unusable(&self) -> Option<&str> {
        self.twice.as_deref()
    }

    /// The last version of a read that a transaction which did not fail wrote, and who did.
    fn last_seen(&self, key: u32, length: u32) -> Option<(u32, u32)> {
        let begin = self.start[key as usize];
        (begin..begin + length).rev().map(|v| (v, self.writer[v as usize])).find(|(_, writer)| self.possible(*writer))
    }

    /// The version that overwrote the one that a read of this length saw; [`NONE`] if only unread appends did.
    fn overwritten_by(&self, key: u32, length: u32) -> u32 {
        let (version, end) = (self.start[key as usize] + length, self.start[key as usize + 1]);
        if version < end { self.next[version as usize] } else { NONE }
    }

    /// Transactions that appended to a key what nobody read.
    fn unread_of(&self, key: u32) -> &[(u32, u32)] {
        let from = self.unread.partition_point(|(one, _)| *one < key);
        let to = self.unread.partition_point(|(one, _)| *one <= key);
        &self.unread[from..to]
    }

    /// What transactions read and appended, for models that need no order of versions.
    pub(super) fn facts(&self) -> Facts {
        Facts::of(self.history, |at, key| match self.at[at] {
            MISFIT => None,
            0 => Some(NONE),
            length => self.last_seen(key, length).map(|(_, writer)| writer),
        })
    }

    /// Everything that is wrong without a cycle.
    pub(super) fn anomalies(&self, findings: &mut Findings) {
        anomalies::find(self, findings);
        update::find(self, findings);
    }
}

/// The elements that a read saw; nil is the empty list.
pub(super) fn items(value: &Value) -> &[Value] {
    value.list().unwrap_or(&[])
}

/// True if a list begins with another one; mostly both are whole numbers.
fn begins(longest: &[Value], list: &[Value]) -> bool {
    let same = |(one, other): (&Value, &Value)| match (one, other) {
        (Value::Int(one), Value::Int(other)) => one == other,
        (one, other) => one == other,
    };
    list.len() <= longest.len() && longest.iter().zip(list).all(same)
}
