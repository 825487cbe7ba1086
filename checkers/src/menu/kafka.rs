//! Logs like Kafka's (Jepsen's `kafka`): clients send values to keys and poll them with their offsets. Everything that was polled
//! was sent, offsets and values belong together, nothing acknowledged is skipped, and nobody's offsets go back.
//!
//! Offsets may have gaps; what follows what is told by the offsets that are known. Cycles between transactions are not
//! looked for: Kafka's transactions do not isolate writes.

use super::parts::is_ok;
use super::tally::Tally;
use history::calls::{Call, Calls, Ended, Value, render};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// A micro-operation of a call.
enum Micro<'a> {
    /// A value went to a key, at an offset if it is known.
    Send(&'a Value, Option<i64>, &'a Value),
    /// Values came from keys: (key, offset, value), in their order.
    Poll(Vec<(&'a Value, i64, &'a Value)>),
}

/// What is known of one key.
#[derive(Default)]
struct Log<'a> {
    /// Values by offset, each distinct one once.
    at: BTreeMap<i64, Vec<&'a Value>>,
    /// How the send of each value ended, and its offset.
    sent: FxHashMap<&'a Value, (Ended, Option<i64>)>,
    polled: FxHashSet<&'a Value>,
    polled_max: Option<i64>,
}

impl Log<'_> {
    /// How many known values lie between two offsets.
    fn between(&self, first: i64, last: i64) -> usize {
        if first >= last { 0 } else { self.at.range(first + 1..last).count() }
    }
}

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    let all: Vec<(&Call, Vec<Micro<'_>>)> = calls.calls.iter().map(|call| (call, micros(call, calls))).collect();
    let mut logs: BTreeMap<&Value, Log<'_>> = BTreeMap::new();
    for (call, micros) in &all {
        tally.operations += u64::from(!micros.is_empty());
        for micro in micros {
            note(call, micro, &mut logs);
        }
    }
    let mut unseen = 0;
    for (key, log) in &logs {
        unseen += of_log(&render(key, &calls.symbols), log, calls, tally);
    }
    let mut clients: FxHashMap<i64, Client<'_>> = FxHashMap::default();
    for (call, micros) in &all {
        let client = clients.entry(call.process).or_default();
        client.take(&mut Step { call, calls, logs: &logs, tally }, micros);
    }
    if tally.operations == 0 {
        tally.reason = Some("nothing was sent or polled".to_owned());
    } else if unseen > 0 {
        tally.reason = Some(format!(
            "{unseen} acknowledged values lie behind all that was polled: nobody knows if they are there"
        ));
    }
}

/// What a call sent and polled.
fn micros<'a>(call: &'a Call, calls: &Calls) -> Vec<Micro<'a>> {
    if !matches!(calls.f(call), "send" | "poll" | "txn") {
        return Vec::new();
    }
    let list = call.output.list().filter(|_| call.ended != Ended::Fail).or(call.input.list());
    let micro = |micro: &'a Value| {
        let parts = micro.list()?;
        match (calls.symbols.name(parts.first()?.word()?), &parts[1..]) {
            ("send", [key, value]) => Some(match value.list() {
                Some([offset, value]) => Micro::Send(key, offset.int(), value),
                _ => Micro::Send(key, None, value),
            }),
            ("poll", [seen]) => {
                let one = |key: &'a Value, pair: &'a Value| match pair.list() {
                    Some([offset, value]) => Some((key, offset.int()?, value)),
                    _ => None,
                };
                let keys = seen.map().unwrap_or_default().iter();
                Some(Micro::Poll(
                    keys.flat_map(|(key, list)| {
                        list.list().unwrap_or_default().iter().filter_map(move |p| one(key, p))
                    })
                    .collect(),
                ))
            }
            _ => None,
        }
    };
    list.unwrap_or_default().iter().filter_map(micro).collect()
}

fn note<'a>(call: &Call, micro: &Micro<'a>, logs: &mut BTreeMap<&'a Value, Log<'a>>) {
    let put = |log: &mut Log<'a>, offset: i64, value: &'a Value| {
        let values = log.at.entry(offset).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    };
    match micro {
        Micro::Send(key, offset, value) => {
            let log = logs.entry(key).or_default();
            log.sent.insert(value, (call.ended, *offset));
            if let Some(offset) = offset.filter(|_| call.ended != Ended::Fail) {
                put(log, offset, value);
            }
        }
        Micro::Poll(_) if call.ended == Ended::Fail => {}
        Micro::Poll(seen) => {
            for (key, offset, value) in seen {
                let log = logs.entry(key).or_default();
                put(log, *offset, value);
                log.polled.insert(value);
                log.polled_max = log.polled_max.max(Some(*offset));
            }
        }
    }
}

/// Judges one key by itself; how many acknowledged values nobody can have seen yet.
fn of_log(key: &str, log: &Log<'_>, calls: &Calls, tally: &mut Tally) -> u64 {
    let shown = |value: &Value| render(value, &calls.symbols);
    let mut offsets: BTreeMap<&Value, Vec<i64>> = BTreeMap::new();
    for (offset, values) in &log.at {
        if values.len() > 1 {
            let values: Vec<String> = values.iter().map(|value| shown(value)).collect();
            tally
                .found("inconsistent-offsets", || format!("key {key}: offset {offset} holds {}", values.join(" and ")));
        }
        values.iter().for_each(|value| offsets.entry(value).or_default().push(*offset));
    }
    let mut unseen = 0;
    for (value, at) in &offsets {
        if at.len() > 1 {
            tally.found("duplicate", || format!("key {key}: {} stands at offsets {at:?}", shown(value)));
        }
        let polled = log.polled.contains(value);
        match log.sent.get(value) {
            None => tally.found("unexpected", || format!("key {key}: {} was polled and nobody sent it", shown(value))),
            Some((Ended::Fail, _)) if polled => {
                tally.found("G1a", || format!("key {key}: {} was polled although its send failed", shown(value)));
            }
            Some((Ended::Ok, Some(offset))) if !polled => match log.polled_max {
                Some(most) if *offset <= most => tally.found("lost-write", || {
                    let shown = shown(value);
                    format!("key {key}: {shown} was acknowledged at offset {offset}, and only others up to {most} were polled")
                }),
                _ => unseen += 1,
            },
            Some(_) => {}
        }
    }
    unseen
}

/// One call, and what it is judged by.
struct Step<'s, 'a> {
    call: &'a Call,
    calls: &'a Calls,
    logs: &'s BTreeMap<&'a Value, Log<'a>>,
    tally: &'s mut Tally,
}

impl Step<'_, '_> {
    fn found(&mut self, anomaly: &'static str, what: impl FnOnce() -> String) {
        let call = self.call;
        self.tally.found(anomaly, || format!("process {} at place {} {}", call.process, call.complete, what()));
    }

    fn show(&self, value: &Value) -> String {
        render(value, &self.calls.symbols)
    }

    /// A value was sent to an offset, the one before to another.
    fn sent(&mut self, value: &Value, before: i64, offset: i64, inside: bool) {
        if offset <= before {
            let (name, value) = (of_one_call(inside, "int-nonmonotonic-send", "nonmonotonic-send"), self.show(value));
            self.found(name, || format!("sent {value} to offset {offset}, behind {before}"));
        }
    }

    /// From one offset of a key to the next.
    fn polled(&mut self, key: &Value, before: i64, offset: i64, inside: bool) {
        let skipped = self.logs.get(key).map_or(0, |log| log.between(before, offset));
        let shown = self.show(key);
        if offset <= before {
            let name = of_one_call(inside, "int-nonmonotonic-poll", "nonmonotonic-poll");
            self.found(name, || format!("polled offset {offset} of key {shown} after {before}"));
        } else if skipped > 0 {
            let name = of_one_call(inside, "int-poll-skip", "poll-skip");
            self.found(name, || format!("polled offset {offset} of key {shown} after {before}, past {skipped} others"));
        }
    }
}

fn of_one_call(inside: bool, yes: &'static str, no: &'static str) -> &'static str {
    if inside { yes } else { no }
}

/// One process: where it stands in each key.
#[derive(Default)]
struct Client<'a> {
    sent: FxHashMap<&'a Value, i64>,
    polled: FxHashMap<&'a Value, i64>,
    /// Partitions may be taken from it at any time, so that only single polls can be judged.
    subscribed: bool,
}

impl<'a> Client<'a> {
    fn take(&mut self, step: &mut Step<'_, 'a>, micros: &[Micro<'a>]) {
        let f = step.calls.f(step.call);
        if matches!(f, "assign" | "subscribe") || !is_ok(step.call) {
            // Where it stands afterwards nobody knows: it may also have gone back to the beginning.
            self.polled.clear();
            self.subscribed = f == "subscribe" || self.subscribed && f != "assign";
            return;
        }
        // Keys of which this call itself sent or polled something before, and what it sent.
        let (mut sent, mut polled, mut mine) = (FxHashSet::default(), FxHashSet::default(), FxHashSet::default());
        for micro in micros {
            match micro {
                Micro::Send(key, offset, value) => {
                    mine.insert((*key, *value));
                    let Some(offset) = *offset else { continue };
                    let inside = !sent.insert(*key);
                    if let Some(before) = self.sent.insert(key, offset) {
                        step.sent(value, before, offset, inside);
                    }
                }
                Micro::Poll(seen) => {
                    if self.subscribed {
                        self.polled.clear();
                        polled.clear();
                    }
                    for (key, offset, value) in seen {
                        if mine.contains(&(*key, *value)) {
                            let value = step.show(value);
                            step.found("precommitted-read", || format!("polled {value}, which it sent itself"));
                        }
                        let inside = !polled.insert(*key);
                        if let Some(before) = self.polled.insert(key, *offset) {
                            step.polled(key, before, *offset, inside);
                        }
                    }
                }
            }
        }
    }
}
