//! Histories that say what cannot be: times that go back, events out of order, sessions that never were. Judged somehow, but never by
//! breaking down.
#![allow(clippy::unwrap_used)]

mod support;

use checkers::check;
use history::Event;
use serde_json::Value;
use support::{contract, events, header, options};

const TEXT: &str = "0 c0 connected n0 s0 \n 0 c1 connected n1 s1 \n 1 c1 subscribe d0 ok 2 \n 2 c0 publish d0 a ok 4 \n 5 c1 push d0 a v1
    8 c1 lost \n 9 c1 resumed n1 s1 \n 10 fault kill n0 20 \n 11 c0 expired \n 12 c0 connected n1 s2 \n 13 c0 publish d0 b ok 15
    16 c1 push d0 a b v2 \n 18 c0 unpublish d0 ok 19 \n 20 c1 push d0 v3 \n 21 c1 read d0 b ok 22 \n 23 c0 vanish \n 30 phase final
    31 c1 read d0 ok 32 \n 33 c1 closed";

/// The numbers of an event that say when.
fn times<'a>(value: &'a mut Value, found: &mut Vec<&'a mut Value>) {
    if let Value::Object(fields) = value {
        for (name, field) in fields {
            if matches!(name.as_str(), "time" | "until" | "session") && field.is_u64() {
                found.push(field);
            } else {
                times(field, found);
            }
        }
    }
}

#[test]
fn no_order_of_events_breaks_a_checker() {
    let whole = events(TEXT);
    let mut state = 7u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..3_000 {
        let mut values: Vec<Value> = whole.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
        for _change in 0..1 + draw(4) {
            let at = draw(values.len());
            match draw(3) {
                0 => {
                    let other = draw(values.len());
                    values.swap(at, other);
                }
                1 => {
                    let again = values[draw(values.len())].clone();
                    values.insert(at, again);
                }
                _ => {
                    let mut found = Vec::new();
                    times(&mut values[at], &mut found);
                    let numbers = [0, 1, 7_000_000, 40_000_000, u64::from(u32::MAX)];
                    found.into_iter().for_each(|field| *field = numbers[draw(numbers.len())].into());
                }
            }
        }
        // What the reader would refuse is not what is tried here.
        let read: Result<Vec<Event>, _> = values.into_iter().map(serde_json::from_value).collect();
        let Ok(damaged) = read else { continue };
        let report = check(&header(contract()), &damaged, &options());
        let said = serde_json::to_string(&report).unwrap();
        assert!(!said.contains("broke down"), "round {round}: {said}\n{damaged:#?}");
    }
}
