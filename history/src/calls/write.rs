//! Writes operation histories as EDN that Jepsen, Knossos and Elle read: one operation a line.

use super::{Call, Calls, Ended, NO_PROCESS, OPEN, Sym, Symbols, Value};
use std::io::{self, Write};

/// Writes every invocation and completion in their order.
pub fn write_edn(calls: &Calls, out: &mut impl Write) -> io::Result<()> {
    let mut line = String::new();
    for (index, (number, completes)) in in_order(calls).into_iter().enumerate() {
        let call = &calls.calls[number as usize];
        line.clear();
        entry(&mut line, calls, call, completes);
        line.push_str(&format!(", :index {index}}}\n"));
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// All entries in their order: the number of the call, and whether it is its completion.
pub(super) fn in_order(calls: &Calls) -> Vec<(u32, bool)> {
    let mut entries: Vec<(u32, u32, bool)> = Vec::with_capacity(calls.calls.len() * 2);
    for (number, call) in calls.calls.iter().enumerate() {
        entries.push((call.invoke, number as u32, false));
        if call.complete != OPEN {
            entries.push((call.complete, number as u32, true));
        }
    }
    entries.sort_unstable();
    entries.into_iter().map(|(_, number, completes)| (number, completes)).collect()
}

/// The type, the value and the time of an entry.
pub(super) fn said(call: &Call, completes: bool) -> (&'static str, &Value, i64) {
    match (completes, call.ended) {
        (false, _) => ("invoke", &call.input, call.start_ns),
        (true, Ended::Ok) => ("ok", &call.output, call.end_ns),
        (true, Ended::Fail) => ("fail", &call.output, call.end_ns),
        (true, Ended::Info) => ("info", &call.output, call.end_ns),
    }
}

fn entry(line: &mut String, calls: &Calls, call: &Call, completes: bool) {
    let (kind, value, time_ns) = said(call, completes);
    if call.process == NO_PROCESS {
        line.push_str("{:type :");
    } else {
        line.push_str(&format!("{{:process {}, :type :", call.process));
    }
    line.push_str(kind);
    let f = calls.f(call);
    if !f.is_empty() {
        line.push_str(", :f ");
        // JSON's names can hold what ends a keyword.
        if f.contains(|c: char| c.is_whitespace() || c.is_control() || ",()[]{}\";".contains(c)) {
            quoted(line, f);
        } else {
            line.push(':');
            line.push_str(f);
        }
    }
    line.push_str(", :value ");
    match &call.key {
        // Jepsen's own form of independent keys.
        Some(key) => {
            line.push('[');
            put(line, &calls.symbols, key, true);
            line.push(' ');
            put(line, &calls.symbols, value, true);
            line.push(']');
        }
        None => put(line, &calls.symbols, value, true),
    }
    if completes && call.error {
        line.push_str(", :error :unknown");
    }
    if time_ns >= 0 {
        line.push_str(&format!(", :time {time_ns}"));
    }
}

/// A value as people read it: EDN, but words without their colon.
pub fn render(value: &Value, symbols: &Symbols) -> String {
    let mut text = String::new();
    put(&mut text, symbols, value, false);
    text
}

fn put(out: &mut String, symbols: &Symbols, value: &Value, edn: bool) {
    match value {
        Value::Nil => out.push_str("nil"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(n) => out.push_str(&n.to_string()),
        Value::Text(symbol) => quoted(out, symbols.name(*symbol)),
        Value::Word(symbol) => word(out, symbols, *symbol, edn),
        Value::Number(symbol) => out.push_str(symbols.name(*symbol)),
        Value::List(items) => sequence(out, symbols, ("[", "]"), items, edn),
        Value::Set(items) => sequence(out, symbols, ("#{", "}"), items, edn),
        Value::Map(entries) => {
            out.push('{');
            for (n, (key, value)) in entries.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { ", " });
                put(out, symbols, key, edn);
                out.push(' ');
                put(out, symbols, value, edn);
            }
            out.push('}');
        }
    }
}

fn sequence(out: &mut String, symbols: &Symbols, brackets: (&str, &str), items: &[Value], edn: bool) {
    out.push_str(brackets.0);
    for (n, item) in items.iter().enumerate() {
        out.push_str(if n == 0 { "" } else { " " });
        put(out, symbols, item, edn);
    }
    out.push_str(brackets.1);
}

fn word(out: &mut String, symbols: &Symbols, symbol: Sym, edn: bool) {
    if edn {
        out.push(':');
    }
    out.push_str(symbols.name(symbol));
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
