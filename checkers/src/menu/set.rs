//! Elements that were added are in the last read, and nothing else is (Jepsen's `checker/set`).

use super::parts::{by_key, is_ok, is_read};
use super::tally::Tally;
use history::calls::{Call, Calls, Ended, Value, render};
use rustc_hash::FxHashSet;

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    let mut unread = false;
    for part in by_key(calls) {
        unread |= !one(calls, &part, tally);
    }
    if unread || tally.operations == 0 {
        tally.reason = Some("the set was never read".to_owned());
    }
}

/// Judges one set; false if nobody read it.
fn one(calls: &Calls, part: &[&Call], tally: &mut Tally) -> bool {
    let reads = part.iter().filter(|call| is_ok(call) && is_read(calls.f(call)));
    let Some(last) = reads.max_by_key(|call| call.complete) else { return false };
    let seen: FxHashSet<&Value> = last.output.items().unwrap_or_default().iter().collect();
    let mut tried: FxHashSet<&Value> = FxHashSet::default();
    let shown = |value: &Value| render(value, &calls.symbols);
    for add in part.iter().filter(|call| calls.f(call) == "add") {
        tally.operations += 1;
        tried.insert(&add.input);
        // What was added after the last read had begun need not be in it.
        if is_ok(add) && add.complete < last.invoke && !seen.contains(&add.input) {
            tally.found("lost", || format!("{} was added and is not in the last read", shown(&add.input)));
        }
    }
    let failed: FxHashSet<&Value> =
        part.iter().filter(|call| call.ended == Ended::Fail).map(|call| &call.input).collect();
    for value in last.output.items().unwrap_or_default() {
        if !tried.contains(value) {
            tally.found("unexpected", || format!("{} is in the last read and nobody added it", shown(value)));
        } else if failed.contains(value) && !part.iter().any(|add| add.input == *value && add.ended != Ended::Fail) {
            tally.found("revived", || format!("{} is in the last read although its add failed", shown(value)));
        }
    }
    true
}
