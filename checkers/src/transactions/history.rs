//! The transactions of an operation history, their keys numbered, nothing copied: values stay where the history has them.

use crate::CheckersError;
use history::calls::{Call, Calls, Ended, NO_PROCESS, OPEN, Sym, Value};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// No transaction, no key, no version.
pub(super) const NONE: u32 = u32::MAX;

/// What a part of a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Appends or writes its value.
    Write,
    /// Reads its value; nil is nothing, or the empty list.
    Read,
    /// Reads, but nobody knows what.
    Unknown,
}

/// One part of a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mop<'a> {
    pub(super) does: Does,
    pub(super) key: u32,
    pub(super) value: &'a Value,
}

/// A transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Txn {
    pub(super) call: u32,
    pub(super) ended: Ended,
    pub(super) process: i64,
    pub(super) invoke: u32,
    /// [`OPEN`] where the outcome is unknown: it may take effect at any later time.
    pub(super) complete: u32,
    mops: (u32, u32),
}

impl Txn {
    /// True if it took effect for certain.
    pub(super) fn ok(&self) -> bool {
        self.ended == Ended::Ok
    }

    /// True if it may have taken effect.
    pub(super) fn possible(&self) -> bool {
        self.ended != Ended::Fail
    }
}

/// All transactions, by invocation, failed ones too.
#[derive(Debug)]
pub(super) struct History<'a> {
    pub(super) calls: &'a Calls,
    pub(super) txns: Vec<Txn>,
    mops: Vec<Mop<'a>>,
    pub(super) keys: Vec<&'a Value>,
    /// What a write is called.
    pub(super) verb: &'static str,
}

impl<'a> History<'a> {
    /// Reads the parts of some transactions, which are given by their numbers, ascending. `append`: they append to lists, else they
    /// write registers.
    pub(super) fn new(
        calls: &'a Calls,
        append: bool,
        members: impl ExactSizeIterator<Item = usize>,
    ) -> Result<History<'a>, CheckersError> {
        let mut reader = Reader::new(calls, append, members.len());
        let mut txns = Vec::with_capacity(members.len());
        for number in members {
            let call = &calls.calls[number];
            let begin = reader.mops.len() as u32;
            reader.call(call)?;
            txns.push(Txn {
                call: number as u32,
                ended: call.ended,
                process: call.process,
                invoke: call.invoke,
                complete: if call.ended == Ended::Ok { call.complete } else { OPEN },
                mops: (begin, reader.mops.len() as u32),
            });
        }
        let Reader { mops, keys, .. } = reader;
        let verb = if append { "append" } else { "write" };
        Ok(History { calls, txns, mops, keys, verb })
    }

    /// The parts of a transaction.
    pub(super) fn mops(&self, txn: u32) -> &[Mop<'a>] {
        &self.mops[self.range(txn)]
    }

    /// Where its parts stand among all.
    pub(super) fn range(&self, txn: u32) -> Range<usize> {
        let (begin, end) = self.txns[txn as usize].mops;
        begin as usize..end as usize
    }

    /// All parts, those of one transaction after those of the other.
    pub(super) fn all(&self) -> &[Mop<'a>] {
        &self.mops
    }

    /// Numbers of all transactions.
    pub(super) fn numbers(&self) -> Range<u32> {
        0..self.txns.len() as u32
    }

    /// For each part, the part before it in its transaction that has the same key; [`NONE`] if there is none.
    pub(super) fn before(&self, txn: u32, last: &mut FxHashMap<u32, u32>, before: &mut Vec<u32>) {
        const FEW: usize = 12;
        let mops = self.mops(txn);
        before.clear();
        if mops.len() <= FEW {
            let same = |at: usize| (0..at).rev().find(|i| mops[*i].key == mops[at].key);
            before.extend((0..mops.len()).map(|at| same(at).map_or(NONE, |i| i as u32)));
            return;
        }
        last.clear();
        before.extend(mops.iter().enumerate().map(|(at, mop)| last.insert(mop.key, at as u32).unwrap_or(NONE)));
    }

    /// For each transaction the first one that was invoked after it was completed; their number if there is none.
    pub(super) fn later(&self) -> Vec<u32> {
        let places: Vec<u32> = self.txns.iter().map(|txn| txn.invoke).collect();
        let after = |txn: &Txn| match txn.complete {
            OPEN => self.txns.len() as u32,
            complete => places.partition_point(|place| *place < complete) as u32,
        };
        self.txns.iter().map(after).collect()
    }

    /// Each certain transaction, and those that followed it in its process up to the next certain one.
    pub(super) fn in_processes(&self, mut follows: impl FnMut(u32, u32)) {
        let mut last: FxHashMap<i64, u32> = FxHashMap::default();
        for (number, txn) in self.numbers().zip(&self.txns) {
            if txn.process == NO_PROCESS || !txn.possible() {
                continue;
            }
            if let Some(before) = last.get(&txn.process) {
                follows(*before, number);
            }
            if txn.ok() {
                last.insert(txn.process, number);
            }
        }
    }
}

struct Reader<'a> {
    append: bool,
    /// What writes and what reads.
    writes: [Option<Sym>; 2],
    reads: [Option<Sym>; 2],
    mops: Vec<Mop<'a>>,
    keys: Vec<&'a Value>,
    /// Numbers of keys that are small numbers themselves; [`NONE`] for those that were not seen yet.
    small: Vec<u32>,
    // Looked up only.
    numbers: FxHashMap<&'a Value, u32>,
}

impl<'a> Reader<'a> {
    fn new(calls: &'a Calls, append: bool, txns: usize) -> Reader<'a> {
        let find = |name: &str| calls.symbols.find(name);
        Reader {
            append,
            writes: if append { [find("append"), None] } else { [find("w"), find("write")] },
            reads: [find("r"), find("read")],
            mops: Vec::with_capacity(txns * 2),
            keys: Vec::new(),
            small: Vec::new(),
            numbers: FxHashMap::default(),
        }
    }

    fn call(&mut self, call: &'a Call) -> Result<(), CheckersError> {
        // What was seen stands in the completion, and only where that is certain.
        let seen = call.ended == Ended::Ok && !call.output.is_nil();
        let value = if seen || call.input.is_nil() { &call.output } else { &call.input };
        let Some(parts) = value.list() else {
            return Err(misfit(call, "a transaction is a list such as [[:append x 1] [:r y nil]]"));
        };
        for part in parts {
            let mop = self.mop(call, part, seen)?;
            self.mops.push(mop);
        }
        if self.mops.len() >= NONE as usize / 2 {
            return Err(misfit(call, "more than 2^31 parts of transactions"));
        }
        Ok(())
    }

    fn mop(&mut self, call: &'a Call, part: &'a Value, seen: bool) -> Result<Mop<'a>, CheckersError> {
        const NIL: &Value = &Value::Nil;
        let (f, key, value) = match part.list() {
            Some([f, key]) => (f, key, NIL),
            Some([f, key, value]) => (f, key, value),
            _ => return Err(misfit(call, "a part of a transaction is [function key value]")),
        };
        let f = f.word();
        let does = if f.is_some() && self.writes.contains(&f) {
            Does::Write
        } else if f.is_some() && self.reads.contains(&f) {
            if seen { Does::Read } else { Does::Unknown }
        } else if self.append {
            return Err(misfit(call, "a part of a transaction of this model is :append or :r"));
        } else {
            return Err(misfit(call, "a part of a transaction of this model is :w or :r"));
        };
        if does == Does::Read && self.append && !value.is_nil() && value.list().is_none() {
            return Err(misfit(call, "what a read of this model sees is a list"));
        }
        if does == Does::Write && value.is_nil() {
            return Err(misfit(call, "nil cannot be written: it is what was there before all writes"));
        }
        Ok(Mop { does, key: self.key(key), value })
    }

    /// The number of a key. Small whole numbers, which most keys are, are looked up in a table, all others by their hash.
    fn key(&mut self, key: &'a Value) -> u32 {
        let small = key.int().and_then(|number| usize::try_from(number).ok());
        let small = small.filter(|number| *number < 2 * self.keys.len() + 4096);
        if let Some(number) = small.and_then(|number| self.small.get(number)).filter(|number| **number != NONE) {
            return *number;
        }
        let fresh = self.keys.len() as u32;
        let number = *self.numbers.entry(key).or_insert(fresh);
        if number == fresh {
            self.keys.push(key);
        }
        if let Some(small) = small {
            if self.small.len() <= small {
                self.small.resize(small + 1, NONE);
            }
            self.small[small] = number;
        }
        number
    }
}

fn misfit(call: &Call, what: &str) -> CheckersError {
    CheckersError::Misfit { what: what.to_owned(), entry: u64::from(call.invoke) + 1 }
}
