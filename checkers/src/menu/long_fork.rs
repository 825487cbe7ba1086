//! Two reads that see two writes in opposite orders (Jepsen's `long-fork`), which parallel snapshot isolation allows and snapshot
//! isolation does not. Every key is written once; reads see all keys of their group.

use super::tally::Tally;
use history::calls::{Call, Calls, Ended, Value, render};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// So many pairs of reads of a group are compared.
const PAIRS_MAX: usize = 4_000_000;

/// What a read saw: the value of each key, in the order of the keys.
type Seen<'a> = Vec<Option<&'a Value>>;

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    let mut groups: BTreeMap<Vec<&Value>, Vec<(u32, Seen<'_>)>> = BTreeMap::new();
    let mut written: FxHashMap<&Value, &Value> = FxHashMap::default();
    for call in &calls.calls {
        if call.ended == Ended::Ok
            && let Some(read) = read(call, calls)
        {
            tally.operations += 1;
            for (key, value) in read.iter().filter(|(_, value)| !value.is_nil()) {
                if written.insert(key, value).is_some_and(|other| other != *value) {
                    let key = render(key, &calls.symbols);
                    tally.reason = Some(format!("key {key} was seen with two values; each key is to be written once"));
                }
            }
            let keys = read.iter().map(|(key, _)| *key).collect();
            let seen = read.into_iter().map(|(_, value)| Some(value).filter(|value| !value.is_nil())).collect();
            groups.entry(keys).or_default().push((call.complete, seen));
        }
    }
    if tally.reason.is_some() {
        return;
    }
    for (keys, mut reads) in groups {
        // Equal reads say the same.
        reads.sort_by(|a, b| (&a.1, a.0).cmp(&(&b.1, b.0)));
        reads.dedup_by(|a, b| a.1 == b.1);
        if reads.len() * reads.len() / 2 > PAIRS_MAX {
            tally.reason = Some("too many different reads of one group".to_owned());
            continue;
        }
        for (number, (place, first)) in reads.iter().enumerate() {
            for (other, second) in &reads[number + 1..] {
                if let Some((a, b)) = forked(first, second) {
                    let (a, b) = (render(keys[a], &calls.symbols), render(keys[b], &calls.symbols));
                    tally.found("long-fork", || {
                        format!(
                            "the reads at places {place} and {other} saw the writes of {a} and {b} in opposite orders"
                        )
                    });
                }
            }
        }
    }
    if tally.operations == 0 {
        tally.reason = Some("there is no read to judge".to_owned());
    }
}

/// The keys and values of a read, by key; none if the call is no read of a group.
fn read<'a>(call: &'a Call, calls: &Calls) -> Option<Vec<(&'a Value, &'a Value)>> {
    let mut read = Vec::new();
    for micro in call.output.list()? {
        let [f, key, value] = micro.list()? else { return None };
        if !matches!(f.word().map(|symbol| calls.symbols.name(symbol)), Some("r" | "read")) {
            return None;
        }
        read.push((key, value));
    }
    read.sort();
    Some(read).filter(|read| read.len() > 1)
}

/// A key that only the first saw, and one that only the second saw.
fn forked(first: &Seen<'_>, second: &Seen<'_>) -> Option<(usize, usize)> {
    let only = |a: &Seen<'_>, b: &Seen<'_>| (0..a.len()).find(|key| a[*key].is_some() && b[*key].is_none());
    Some((only(first, second)?, only(second, first)?))
}
