//! What comes out of a queue went in before, and not less often (Jepsen's `checker/queue` with an unordered queue): every enqueue
//! counts from its invocation on, unless it failed; only dequeues that surely happened count, at their completion.

use super::parts::{Moment, by_key, is_ok, moments};
use super::tally::Tally;
use history::calls::{Call, Calls, Ended, Value, render};
use rustc_hash::FxHashMap;

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    for part in by_key(calls) {
        one(calls, &part, tally);
    }
    if tally.operations == 0 {
        tally.reason = Some("nothing came out of the queue".to_owned());
    }
}

fn one(calls: &Calls, part: &[&Call], tally: &mut Tally) {
    // How often each value is in the queue.
    let mut inside: FxHashMap<&Value, u64> = FxHashMap::default();
    let mut out = |call: &Call, value, inside: &mut FxHashMap<_, u64>| {
        tally.operations += 1;
        let shown = || format!("{} came out at place {}", render(value, &calls.symbols), call.complete);
        match inside.get_mut(value) {
            None => tally.found("unexpected", || format!("{} and had not been put in", shown())),
            Some(0) => tally.found("duplicate", || format!("{} once more than it had been put in", shown())),
            Some(count) => *count -= 1,
        }
    };
    for moment in moments(part) {
        match moment {
            Moment::Begins(call) if calls.f(call) == "enqueue" && call.ended != Ended::Fail => {
                *inside.entry(&call.input).or_default() += 1;
            }
            Moment::Ends(call) if is_ok(call) && calls.f(call) == "dequeue" && !call.output.is_nil() => {
                out(call, &call.output, &mut inside);
            }
            Moment::Ends(call) if is_ok(call) && calls.f(call) == "drain" => {
                call.output.items().unwrap_or_default().iter().for_each(|value| out(call, value, &mut inside));
            }
            _ => {}
        }
    }
}
