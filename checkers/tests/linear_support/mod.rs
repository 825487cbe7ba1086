//! Tiny histories for tests of linearizability.
#![allow(dead_code, reason = "each test uses some of it")]

pub mod brute;
#[path = "../dice/mod.rs"]
pub mod dice;
pub mod random;

use brute::Object;
use history::calls::{Builder, Calls, Ended, OPEN, Sym, Symbols, Value};

/// One operation, in the oracle's own words.
#[derive(Clone, Debug)]
pub struct Op {
    pub process: i64,
    pub f: &'static str,
    pub input: Vec<i64>,
    pub output: Vec<i64>,
    pub invoke: u32,
    pub complete: u32,
    pub ended: Ended,
}

impl Op {
    /// The place until which it must have taken effect.
    pub fn ret(&self) -> u32 {
        if self.ended == Ended::Info { OPEN } else { self.complete }
    }
}

fn ints(values: &[i64]) -> Vec<Value> {
    values.iter().map(|n| Value::Int(*n)).collect()
}

fn one(values: &[i64]) -> Value {
    values.first().map_or(Value::Nil, |n| Value::Int(*n))
}

fn text(symbols: &mut Symbols, values: &[i64]) -> Value {
    let text: String = values.iter().map(|n| char::from(b'a' + *n as u8)).collect();
    Value::Text(symbols.intern(&text))
}

fn micros(symbols: &mut Symbols, op: &Op, outputs: bool) -> Value {
    let names: [Sym; 2] = ["r", "w"].map(|name| symbols.intern(name));
    let registers: [Sym; 3] = ["x", "y", "z"].map(|name| symbols.intern(name));
    let micro = |(i, micro): (usize, &[i64])| {
        let value = match (micro[0], outputs) {
            (0, true) => Value::Int(op.output[i]),
            (0, false) => Value::Nil,
            _ => Value::Int(micro[2]),
        };
        // Names of registers and values must not be mixed up.
        let register = Value::Text(registers[micro[1] as usize]);
        Value::List(vec![Value::Word(names[micro[0] as usize]), register, value].into())
    };
    Value::List(op.input.chunks(3).enumerate().map(micro).collect())
}

/// The history as the checkers take it.
pub fn calls(object: Object, ops: &[Op]) -> Calls {
    let mut builder = Builder::default();
    let mut order: Vec<(u32, usize, bool)> = Vec::new();
    for (number, op) in ops.iter().enumerate() {
        order.push((op.invoke, number, false));
        order.push((op.complete, number, true));
    }
    order.sort_unstable();
    for (_, number, completes) in order {
        let op = &ops[number];
        let symbols = builder.symbols();
        let input = match op.f {
            "cas" => Value::List(ints(&op.input).into()),
            "put" | "append" => text(symbols, &op.input),
            "txn" => micros(symbols, op, false),
            _ => one(&op.input),
        };
        if !completes {
            builder.invoke(op.process, op.f, input, -1).unwrap();
            continue;
        }
        let output = match op.f {
            _ if op.ended != Ended::Ok => input,
            "get" => text(symbols, &op.output),
            "txn" => micros(symbols, op, true),
            "contains" => Value::Bool(op.output[0] == 1),
            "add" | "remove" if object != Object::Counter => {
                op.output.first().map_or(input, |told| Value::Bool(*told == 1))
            }
            "read" if matches!(object, Object::WholeSet | Object::GrowSet) => Value::Set(Box::new(ints(&op.output))),
            "read" if object == Object::Lease && op.output[0] < 0 => Value::Nil,
            _ => one(&op.output),
        };
        builder.complete(op.process, op.ended, output, -1).unwrap();
    }
    builder.finish()
}
