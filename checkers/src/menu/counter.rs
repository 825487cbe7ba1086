//! A counter between bounds (Jepsen's `checker/counter`): each read lies between what was surely added, and what can have been
//! added at most, at some instant of its time. Numbers may also be taken away.

use super::parts::{Moment, by_key, is_ok, is_read, moments};
use super::tally::Tally;
use history::calls::{Call, Calls, Ended, render};
use rustc_hash::FxHashMap;

/// The least and the most that the counter can show.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    least: i128,
    most: i128,
}

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    for part in by_key(calls) {
        one(calls, &part, tally);
    }
    if tally.operations == 0 {
        tally.reason = Some("there is no read to judge".to_owned());
    }
}

fn one(calls: &Calls, part: &[&Call], tally: &mut Tally) {
    let mut now = Bounds::default();
    // The bounds of reads in flight, over all instants since their invocation; by invocation.
    let mut reads: FxHashMap<u32, Bounds> = FxHashMap::default();
    for moment in moments(part) {
        match moment {
            Moment::Begins(call) if is_read(calls.f(call)) => {
                if is_ok(call) {
                    reads.insert(call.invoke, now);
                }
            }
            Moment::Ends(call) if is_read(calls.f(call)) => {
                if let (Some(bounds), Some(seen)) = (reads.remove(&call.invoke), call.output.int()) {
                    tally.operations += 1;
                    judge(calls, call, bounds, i128::from(seen), tally);
                }
            }
            Moment::Begins(call) | Moment::Ends(call) if call.ended == Ended::Fail => {}
            Moment::Begins(call) => {
                let Some(n) = amount(calls, call) else { continue };
                if n > 0 { now.most += n } else { now.least += n }
            }
            Moment::Ends(call) if is_ok(call) => {
                let Some(n) = amount(calls, call) else { continue };
                if n > 0 { now.least += n } else { now.most += n }
            }
            Moment::Ends(_) => {}
        }
        for bounds in reads.values_mut() {
            *bounds = Bounds { least: bounds.least.min(now.least), most: bounds.most.max(now.most) };
        }
    }
}

/// What a call adds.
fn amount(calls: &Calls, call: &Call) -> Option<i128> {
    let n = if call.input.is_nil() { 1 } else { i128::from(call.input.int()?) };
    match calls.f(call) {
        "add" | "increment" | "inc" => Some(n),
        "decrement" | "dec" | "subtract" => Some(-n),
        _ => None,
    }
}

fn judge(calls: &Calls, call: &Call, bounds: Bounds, seen: i128, tally: &mut Tally) {
    if seen < bounds.least || seen > bounds.most {
        tally.found("out-of-bounds", || {
            let key = call.key.as_ref().map_or(String::new(), |key| format!(" of {}", render(key, &calls.symbols)));
            let Bounds { least, most } = bounds;
            format!("the read{key} at place {} saw {seen}; it can only be {least} to {most}", call.complete)
        });
    }
}
