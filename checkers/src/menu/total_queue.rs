//! What went into a queue comes out (Jepsen's `total-queue`): for histories that drain the queue at their end. Coming out twice is
//! not counted as wrong, as in Jepsen: queues promise at least once.

use super::tally::Tally;
use history::calls::{Call, Calls, Ended, Value, render};
use rustc_hash::FxHashMap;

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    // How often each value was tried to be put in, was surely put in, came out.
    let mut counts: FxHashMap<&Value, [u64; 3]> = FxHashMap::default();
    let (mut order, mut unknown_takes) = (Vec::new(), 0u64);
    let mut count = |value, which: usize| {
        counts.entry(value).or_insert_with(|| {
            order.push(value);
            [0; 3]
        })[which] += 1;
    };
    for call in &calls.calls {
        tally.operations += 1;
        match (calls.f(call), call.ended) {
            ("enqueue", ended) => {
                count(&call.input, 0);
                if ended == Ended::Ok {
                    count(&call.input, 1);
                }
            }
            ("dequeue" | "drain", Ended::Info) => unknown_takes += 1,
            ("dequeue", Ended::Ok) if !call.output.is_nil() => count(&call.output, 2),
            ("drain", Ended::Ok) => drained(call).iter().for_each(|value| count(value, 2)),
            _ => {}
        }
    }
    let mut lost = Vec::new();
    for value in order {
        let [tried, put, taken] = counts.get(value).copied().unwrap_or_default();
        let shown = || render(value, &calls.symbols);
        if tried == 0 {
            tally.found("unexpected", || format!("{} came out and was never put in", shown()));
        }
        if put > taken {
            lost.push(value);
        }
    }
    // Whoever took nobody knows what may have taken what is missing.
    for value in lost.into_iter().skip(usize::try_from(unknown_takes).unwrap_or(usize::MAX)) {
        tally.found("lost", || format!("{} was put in and never came out", render(value, &calls.symbols)));
    }
    if tally.operations == 0 || unknown_takes > 0 && tally.anomalies.is_empty() {
        tally.reason = Some(match unknown_takes {
            0 => "there is no operation to judge".to_owned(),
            n => format!("of {n} takes nobody knows what they took"),
        });
    }
}

fn drained(call: &Call) -> &[Value] {
    call.output.items().unwrap_or_default()
}
