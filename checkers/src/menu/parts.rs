//! What checkers of the menu share: calls by key, invocations and completions in their order.

use history::calls::{Call, Calls, Ended, OPEN, Value};
use rustc_hash::FxHashMap;

/// Calls by independent key, in the order in which the keys occur; one part where the history has no keys.
pub(super) fn by_key(calls: &Calls) -> Vec<Vec<&Call>> {
    let mut at: FxHashMap<Option<&Value>, usize> = FxHashMap::default();
    let mut parts: Vec<Vec<&Call>> = Vec::new();
    for call in &calls.calls {
        let part = *at.entry(call.key.as_ref()).or_insert_with(|| {
            parts.push(Vec::new());
            parts.len() - 1
        });
        parts[part].push(call);
    }
    parts
}

/// One end of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment<'a> {
    /// It is invoked.
    Begins(&'a Call),
    /// It is completed.
    Ends(&'a Call),
}

/// Both ends of all calls in their order.
pub(super) fn moments<'a>(calls: &[&'a Call]) -> Vec<Moment<'a>> {
    let begins = calls.iter().map(|call| (call.invoke, Moment::Begins(call)));
    let ends = calls.iter().filter(|call| call.complete != OPEN).map(|call| (call.complete, Moment::Ends(call)));
    let mut all: Vec<(u32, Moment<'a>)> = begins.chain(ends).collect();
    all.sort_unstable_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, moment)| moment).collect()
}

/// True for a call that happened for sure.
pub(super) fn is_ok(call: &Call) -> bool {
    call.ended == Ended::Ok
}

/// True for the names of reads.
pub(super) fn is_read(f: &str) -> bool {
    matches!(f, "read" | "r" | "get")
}
