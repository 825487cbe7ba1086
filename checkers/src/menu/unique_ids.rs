//! Ids that are given out once (Jepsen's `unique-ids`).

use super::tally::Tally;
use history::calls::{Calls, Ended, Value, render};
use rustc_hash::FxHashMap;

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    let mut given: FxHashMap<&Value, u32> = FxHashMap::default();
    for call in calls.calls.iter().filter(|call| call.ended == Ended::Ok && calls.f(call) == "generate") {
        tally.operations += 1;
        if let Some(first) = given.insert(&call.output, call.complete) {
            let id = || render(&call.output, &calls.symbols);
            tally.found("duplicate", || format!("{} was given out at places {first} and {}", id(), call.complete));
        }
    }
    if tally.operations == 0 {
        tally.reason = Some("no id was given out".to_owned());
    }
}
