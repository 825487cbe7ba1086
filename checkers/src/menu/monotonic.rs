//! Numbers that only grow (Jepsen's `monotonic`, in both of its forms).
//!
//! Rows: each `add` puts in a row with a value above all others and the time that the database gave it; the last read has all
//! rows, by time. Maps: `inc` and `read` see {key number}; whoever saw less of any key came earlier, so that a cycle says that there
//! was no order at all (`cycle`), none with the order of each process (`-process`), none in real time (`-realtime`).

use super::cycles::Graph;
use super::parts::{is_ok, is_read};
use super::tally::Tally;
use history::calls::{Call, Calls, Ended, Value, render};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// So many calls of a cycle are named.
const NAMED_MAX: usize = 6;

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    let seen: Vec<&Call> = calls.calls.iter().filter(|call| is_ok(call)).collect();
    let maps: Vec<&Call> = seen.iter().copied().filter(|call| is_map_of_numbers(&call.output)).collect();
    let reads = seen.iter().filter(|call| is_read(calls.f(call)) && call.output.items().is_some());
    let last = reads.max_by_key(|call| call.complete);
    match (last, maps.is_empty()) {
        (Some(last), _) => rows(calls, last, tally),
        (None, false) => cycles(calls, &maps, tally),
        (None, true) => tally.reason = Some("there is no read to judge".to_owned()),
    }
}

fn is_map_of_numbers(value: &Value) -> bool {
    value.map().is_some_and(|entries| entries.iter().all(|(_, n)| n.int().is_some() || n.is_nil()))
}

/// A field of a row; a row that is a number is its value.
fn field<'a>(row: &'a Value, name: &str, calls: &Calls) -> Option<&'a Value> {
    match row.map() {
        Some(entries) => {
            let is = |key: &Value| key.word().is_some_and(|symbol| calls.symbols.name(symbol) == name);
            entries.iter().find(|(key, _)| is(key)).map(|(_, value)| value)
        }
        None => (name == "val" && !row.is_nil()).then_some(row),
    }
}

fn rows(calls: &Calls, last: &Call, tally: &mut Tally) {
    let rows = last.output.items().unwrap_or_default();
    let shown = |value: &Value| render(value, &calls.symbols);
    let mut seen: FxHashSet<&Value> = FxHashSet::default();
    let mut before: BTreeMap<&str, &Value> = BTreeMap::new();
    for row in rows {
        if let Some(value) = field(row, "val", calls)
            && !seen.insert(value)
        {
            tally.found("duplicate", || format!("the last read has {} twice", shown(value)));
        }
        for (name, anomaly) in [("sts", "off-order-sts"), ("val", "off-order-val")] {
            let Some(value) = field(row, name, calls) else { continue };
            // Times may be equal, values may not; a value that comes twice is told above.
            if let Some(earlier) = before.insert(name, value)
                && let (Some(now), Some(then)) = (number(value, calls), number(earlier, calls))
                && now < then
            {
                tally.found(anomaly, || format!("the last read has {} behind {}", shown(row), shown(earlier)));
            }
        }
    }
    for add in calls.calls.iter().filter(|call| calls.f(call) == "add") {
        tally.operations += 1;
        let Some(value) = field(&add.output, "val", calls) else { continue };
        match add.ended {
            Ended::Ok if add.complete < last.invoke && !seen.contains(value) => {
                tally.found("lost", || format!("{} was added and is not in the last read", shown(value)));
            }
            Ended::Fail if seen.contains(value) => {
                tally.found("revived", || format!("{} is in the last read although its add failed", shown(value)));
            }
            _ => {}
        }
    }
}

/// Numbers in their order: times of databases are often decimal, with more digits than floating point has.
fn number<'a>(value: &Value, calls: &'a Calls) -> Option<(i128, &'a str)> {
    let text = match value {
        Value::Int(n) => return Some((i128::from(*n), "")),
        Value::Number(symbol) | Value::Text(symbol) => calls.symbols.name(*symbol),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.bytes().all(|c| c.is_ascii_digit());
    whole.parse().ok().filter(|whole| *whole >= 0 && digits).map(|whole| (whole, fraction.trim_end_matches('0')))
}

/// Adds the edges of one more order.
type MoreEdges = fn(&[&Call], &mut Graph);

fn cycles(calls: &Calls, maps: &[&Call], tally: &mut Tally) {
    tally.operations = maps.len() as u64;
    let mut by_key: FxHashMap<&Value, BTreeMap<i64, Vec<u32>>> = FxHashMap::default();
    for (number, call) in maps.iter().enumerate() {
        for (key, seen) in call.output.map().unwrap_or_default() {
            let seen = seen.int().unwrap_or(i64::MIN);
            by_key.entry(key).or_default().entry(seen).or_default().push(number as u32);
        }
    }
    let mut graph = Graph::new(maps.len() as u32);
    for groups in by_key.values() {
        let mut below: Option<u32> = None;
        for group in groups.values() {
            let mine = graph.node();
            if let Some(below) = below {
                graph.edge(below, mine);
                group.iter().for_each(|call| graph.edge(below, *call));
            }
            group.iter().for_each(|call| graph.edge(*call, mine));
            below = Some(mine);
        }
    }
    let with = |more: MoreEdges| {
        let mut graph = graph.clone();
        more(maps, &mut graph);
        graph.knots()
    };
    let tries: [(&'static str, MoreEdges); 3] =
        [("cycle", |_, _| {}), ("cycle-process", processes), ("cycle-realtime", real_time)];
    for (anomaly, more) in tries {
        let mut any = false;
        for knot in with(more) {
            let calls_in = knot.iter().filter_map(|node| maps.get(*node as usize));
            let told: Vec<String> = calls_in
                .take(NAMED_MAX)
                .map(|call| format!("{} at place {}", render(&call.output, &calls.symbols), call.complete))
                .collect();
            any = true;
            tally.found(anomaly, || {
                format!("no order has all of these, with numbers that only grow: {}", told.join("; "))
            });
        }
        if any {
            // The others contain this one.
            return;
        }
    }
}

/// Each process's calls in their order.
fn processes(maps: &[&Call], graph: &mut Graph) {
    let mut last: FxHashMap<i64, u32> = FxHashMap::default();
    for (number, call) in maps.iter().enumerate() {
        if let Some(before) = last.insert(call.process, number as u32) {
            graph.edge(before, number as u32);
        }
    }
}

/// What was completed before another was invoked.
fn real_time(maps: &[&Call], graph: &mut Graph) {
    let mut ends: Vec<(u32, u32)> = maps.iter().enumerate().map(|(n, call)| (call.complete, n as u32)).collect();
    ends.sort_unstable();
    let nodes: Vec<u32> = ends.iter().map(|_| graph.node()).collect();
    for (at, (_, call)) in ends.iter().enumerate() {
        graph.edge(*call, nodes[at]);
        if at > 0 {
            graph.edge(nodes[at - 1], nodes[at]);
        }
    }
    for (number, call) in maps.iter().enumerate() {
        let before = ends.partition_point(|(place, _)| *place < call.invoke);
        if before > 0 {
            graph.edge(nodes[before - 1], number as u32);
        }
    }
}
