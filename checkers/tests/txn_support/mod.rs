//! Small histories of transactions, written short.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it")]

pub mod brute;
pub mod random;

use checkers::linearizability::Limits;
use checkers::transactions::{Judgement, Options, check};
use history::calls::{Builder, Calls, Ended, Value};

/// One transaction: `P A-B OUTCOME PARTS`, the process, the places of invocation and completion, ok, fail or info, and parts such as
/// `ax1` (append 1 to x), `wx1` (write 1 to x), `rx12` (read x as [1 2]), `rx` (read it empty), `sx1` (read the register x as 1),
/// `sx` (as nil).
pub fn history(lines: &[&str]) -> Calls {
    let mut events: Vec<(i64, bool, &str)> = Vec::new();
    for line in lines {
        let places = line.split(' ').nth(1).unwrap();
        let (begin, end) = places.split_once('-').unwrap();
        events.push((begin.parse().unwrap(), false, line));
        events.push((end.parse().unwrap(), true, line));
    }
    events.sort_by_key(|event| event.0);
    let mut builder = Builder::default();
    for (_, ends, line) in events {
        let mut words = line.split(' ');
        let process = words.next().unwrap().parse().unwrap();
        let ended = match words.nth(1).unwrap() {
            "ok" => Ended::Ok,
            "fail" => Ended::Fail,
            _ => Ended::Info,
        };
        let parts: Vec<&str> = words.collect();
        let parts: Vec<Value> =
            parts.iter().map(|part| micro(&mut builder, part, ends && ended == Ended::Ok)).collect();
        let value = Value::List(parts.into());
        if ends {
            builder.complete(process, ended, value, -1).unwrap();
        } else {
            builder.invoke(process, "txn", value, -1).unwrap();
        }
    }
    builder.finish()
}

fn micro(builder: &mut Builder, part: &str, seen: bool) -> Value {
    let mut letters = part.chars();
    let (f, key) = (letters.next().unwrap(), letters.next().unwrap());
    let digits: Vec<Value> = letters.map(|digit| Value::Int(i64::from(digit.to_digit(36).unwrap()))).collect();
    let (name, value) = match f {
        'a' => ("append", digits[0].clone()),
        'w' => ("w", digits[0].clone()),
        's' if seen => ("r", digits.first().cloned().unwrap_or_default()),
        'r' if seen => ("r", Value::List(digits.into())),
        _ => ("r", Value::Nil),
    };
    let symbols = builder.symbols();
    let (name, key) = (symbols.intern(name), symbols.intern(&key.to_string()));
    Value::List(vec![Value::Word(name), Value::Word(key), value].into())
}

/// Without limits.
pub fn judge(calls: &Calls, options: &Options) -> Judgement {
    let over = || false;
    check(calls, options, &Limits::none(&over)).unwrap()
}

/// The same history for the checker.
pub fn calls(txns: &[brute::Txn], lists: bool) -> Calls {
    let mut events: Vec<(usize, usize, bool)> = Vec::new();
    for (number, txn) in txns.iter().enumerate() {
        events.push((txn.invoke, number, false));
        events.push((txn.complete, number, true));
    }
    events.sort_unstable();
    let mut builder = Builder::default();
    for (_, number, ends) in events {
        let txn = &txns[number];
        let seen = ends && txn.ended == Ended::Ok;
        let parts: Vec<Value> = txn.mops.iter().map(|mop| part(&mut builder, mop, lists, seen)).collect();
        let value = Value::List(parts.into());
        if ends {
            builder.complete(txn.process, txn.ended, value, -1).unwrap();
        } else {
            builder.invoke(txn.process, "txn", value, -1).unwrap();
        }
    }
    builder.finish()
}

fn part(builder: &mut Builder, mop: &brute::Mop, lists: bool, seen: bool) -> Value {
    let (name, key, value) = match mop {
        brute::Mop::Write(key, value) => (if lists { "append" } else { "w" }, *key, Value::Int(*value)),
        brute::Mop::Read(key, list) if seen && lists => {
            ("r", *key, Value::List(list.iter().copied().map(Value::Int).collect()))
        }
        brute::Mop::Read(key, value) if seen => ("r", *key, value.first().copied().map_or(Value::Nil, Value::Int)),
        brute::Mop::Read(key, _) => ("r", *key, Value::Nil),
    };
    let name = builder.symbols().intern(name);
    Value::List(vec![Value::Word(name), Value::Int(key as i64), value].into())
}
