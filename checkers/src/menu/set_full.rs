//! Elements that were added stay (Jepsen's `set-full`). An element is known from the completion of its add, or of the first read
//! that has it. It is lost if the last read that says something about it, and that began after it was known, lacks it.

use super::tally::Tally;
use history::calls::{Call, Calls, Ended, Value, render};
use rustc_hash::{FxHashMap, FxHashSet};

/// What is known of an element; places are of reads' invocations.
#[derive(Clone, Copy, Debug, Default)]
struct Element {
    known: Option<u32>,
    last_present: Option<u32>,
    last_absent: Option<u32>,
}

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    let of = |f: &'static str| calls.calls.iter().filter(move |call| calls.f(call) == f);
    let mut elements: FxHashMap<(Option<&Value>, &Value), Element> = FxHashMap::default();
    let mut order = Vec::new();
    for add in of("add") {
        tally.operations += 1;
        let known = (add.ended == Ended::Ok).then_some(add.complete);
        let name = (add.key.as_ref(), &add.input);
        order.push(name);
        let element = elements.entry(name).or_default();
        element.known = [element.known, known].into_iter().flatten().min();
    }
    let reads: Vec<&Call> = of("read").filter(|call| call.ended == Ended::Ok).collect();
    for read in &reads {
        tally.operations += 1;
        let mut seen: FxHashSet<&Value> = FxHashSet::default();
        for item in read.output.items().unwrap_or_default() {
            if !seen.insert(item) {
                tally.found("duplicated", || format!("a read saw {} twice", render(item, &calls.symbols)));
            }
            let Some(element) = elements.get_mut(&(read.key.as_ref(), item)) else { continue };
            element.known = [element.known, Some(read.complete)].into_iter().flatten().min();
            element.last_present = element.last_present.max(Some(read.invoke));
        }
        for ((_, item), element) in elements.iter_mut().filter(|((key, _), _)| *key == read.key.as_ref()) {
            if !seen.contains(item) {
                element.last_absent = element.last_absent.max(Some(read.invoke));
            }
        }
    }
    let mut stable = 0;
    for name in order {
        let Some(element) = elements.remove(&name) else { continue };
        if element.last_present > element.last_absent {
            stable += 1;
        } else if let (Some(known), Some(absent)) = (element.known, element.last_absent)
            && known < absent
        {
            let item = || render(name.1, &calls.symbols);
            tally.found("lost", || {
                format!("{} was there at place {known}, and a read at place {absent} lacked it", item())
            });
        }
    }
    if stable == 0 && tally.anomalies.is_empty() {
        tally.reason = Some("no element was seen to stay".to_owned());
    }
}
