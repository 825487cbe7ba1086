//! Transactions, keys and values as people read them.

use super::finding::Shown;
use super::history::{Does, History, NONE};
use history::calls::{NO_PROCESS, OPEN, Value, render};

/// Longer lists are cut in the middle of sentences.
const LIST_MAX: usize = 12;

/// Two transactions of which one precedes the other.
pub(super) struct Pair<'n> {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) from_name: &'n str,
    pub(super) to_name: &'n str,
}

pub(super) fn value(history: &History<'_>, value: &Value) -> String {
    match value {
        Value::List(items) => list(history, items),
        value => render(value, &history.calls.symbols),
    }
}

pub(super) fn key(history: &History<'_>, key: u32) -> String {
    value(history, history.keys[key as usize])
}

/// A list, its middle left out if it is long.
pub(super) fn list(history: &History<'_>, items: &[Value]) -> String {
    let one = |value: &Value| render(value, &history.calls.symbols);
    let texts: Vec<String> = if items.len() <= LIST_MAX {
        items.iter().map(one).collect()
    } else {
        let (head, tail) = (&items[..3], &items[items.len() - 6..]);
        head.iter().map(one).chain(["...".to_owned()]).chain(tail.iter().map(one)).collect()
    };
    format!("[{}]", texts.join(" "))
}

/// A transaction by its place in the history.
pub(super) fn txn(history: &History<'_>, txn: u32) -> String {
    if txn == NONE {
        return "nobody".to_owned();
    }
    format!("the transaction at place {}", history.txns[txn as usize].invoke)
}

/// A transaction whole.
pub(super) fn shown(history: &History<'_>, number: u32, name: String) -> Shown {
    let txn = &history.txns[number as usize];
    let part = |mop: &super::history::Mop<'_>| {
        let key = key(history, mop.key);
        match mop.does {
            Does::Write => format!("{} {key} {}", history.verb, value(history, mop.value)),
            Does::Read => format!("read {key} {}", value(history, mop.value)),
            Does::Unknown => format!("read {key} ?"),
        }
    };
    let text: Vec<String> = history.mops(number).iter().map(part).collect();
    Shown {
        name,
        call: txn.call as usize,
        process: (txn.process != NO_PROCESS).then_some(txn.process),
        text: text.join(", "),
        invoke: txn.invoke,
        complete: (txn.complete != OPEN).then_some(txn.complete),
    }
}
