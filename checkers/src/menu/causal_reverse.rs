//! A write that is seen while one that had been completed before it began is not (Jepsen's `causal-reverse`): serializable
//! stores may do so, strictly serializable ones may not. Every value is written once; reads see all values.

use super::parts::{by_key, is_ok, is_read};
use super::tally::Tally;
use history::calls::{Call, Calls, Ended, OPEN, Value, render};
use rustc_hash::{FxHashMap, FxHashSet};

/// So many missing values of one read are named.
const NAMED_MAX: usize = 5;

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    for part in by_key(calls) {
        one(calls, &part, tally);
    }
    if tally.operations == 0 {
        tally.reason.get_or_insert_with(|| "there is no read to judge".to_owned());
    }
}

fn one(calls: &Calls, part: &[&Call], tally: &mut Tally) {
    let mut writes: FxHashMap<&Value, &Call> = FxHashMap::default();
    for write in part.iter().filter(|call| matches!(calls.f(call), "write" | "w" | "add") && call.ended != Ended::Fail)
    {
        if writes.insert(&write.input, write).is_some() {
            let value = render(&write.input, &calls.symbols);
            tally.reason = Some(format!("{value} was written twice; each value is to be written once"));
            return;
        }
    }
    let mut surely: Vec<&Call> = writes.values().copied().filter(|write| is_ok(write)).collect();
    surely.sort_unstable_by_key(|write| write.complete);
    for read in part.iter().filter(|call| is_ok(call) && is_read(calls.f(call))) {
        let Some(items) = read.output.items() else { continue };
        tally.operations += 1;
        let seen: FxHashSet<&Value> = items.iter().collect();
        let latest = seen.iter().filter_map(|value| writes.get(value)).max_by_key(|write| write.invoke);
        if let Some(value) = items.iter().find(|value| !writes.contains_key(value)) {
            let value = || render(value, &calls.symbols);
            tally.found("unexpected", || {
                format!("the read at place {} saw {}, which nobody wrote", read.complete, value())
            });
        }
        let Some(latest) = latest else { continue };
        let before = surely.partition_point(|write| write.complete < latest.invoke);
        // Count first: what is missing is looked for only where something is.
        let place = |value: &&&Value| {
            writes.get(**value).map_or(OPEN, |write| if is_ok(write) { write.complete } else { OPEN })
        };
        if seen.iter().filter(|value| place(value) < latest.invoke).count() < before {
            let missing: Vec<&Value> =
                surely[..before].iter().map(|write| &write.input).filter(|value| !seen.contains(value)).collect();
            tally.found("causal-reverse", || {
                let named: Vec<String> =
                    missing.iter().take(NAMED_MAX).map(|value| render(value, &calls.symbols)).collect();
                let (latest, more) = (render(&latest.input, &calls.symbols), missing.len() - named.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!(
                    "the read at place {} saw {latest}, but not {}{more}, completed before {latest} was invoked",
                    read.complete,
                    named.join(", ")
                )
            });
        }
    }
}
