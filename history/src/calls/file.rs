//! Operation histories in our own format: JSON Lines in zstd frames, as all histories of this program are, with a header, one
//! line an invocation or completion, and a closing line that counts and hashes them, so that a history that was cut or edited is
//! known for what it is. Plain JSON Lines of the same are read, too.
//!
//! ```text
//! {"calls":{"schema":1,"program":"upheaval 0.1.0"}}
//! {"process":0,"type":"invoke","f":"txn"}
//! {"process":0,"type":"ok","f":"txn","value":[[":append",3,1],[":r",4,[1,2]]]}
//! {"closing":{"events":2,"hash":"..."}}
//! ```
//!
//! Values are those of EDN: whole numbers, null, true, false and lists as in JSON; strings, where those that begin with a colon are
//! keywords; and `{"text":":x"}`, `{"number":"2.5"}`, `{"set":[...]}`, `{"map":[[key,value],...]}`. The invocation of a transaction of
//! appends, writes and reads that ended ok has no value, because its completion says the same and what was read: half the
//! file, and half the memory.

use super::build::Builder;
use super::lex::Fault;
use super::lines::Stop;
use super::read::entries;
use super::scan::{Place, Scanner};
use super::write::{in_order, render, said};
use super::{Call, Calls, Ended, NO_PROCESS, Sym, Symbols, Value};
use crate::line::{Line, LineHash, Said};
use crate::lines::{Broken, Lines, Looks, looks};
use crate::{Closing, Error, SCHEMA, Writer};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

/// How the first line begins.
const BEGINNING: &[u8] = b"{\"calls\":";

#[derive(Deserialize, Serialize)]
struct HeaderLine {
    calls: Header,
}
#[derive(Deserialize, Serialize)]
struct Header {
    schema: u32,
    program: String,
}

/// Writes every invocation and completion in their order. `path` is for messages.
pub fn write_own(calls: &Calls, out: &mut impl Write, path: &Path, program: &str) -> Result<(), Error> {
    let header = HeaderLine { calls: Header { schema: SCHEMA, program: program.to_owned() } };
    let mut writer = Writer::of_lines(out, path, |text| {
        serde_json::to_writer(&mut *text, &header)?;
        text.push(b'\n');
        Ok(())
    })?;
    let mut line = String::new();
    for (number, completes) in in_order(calls) {
        line.clear();
        entry(&mut line, calls, &calls.calls[number as usize], completes);
        writer.entry(line.as_bytes())?;
    }
    // Without its closing line the copy of a history that is not whole is not whole either.
    if calls.cut.is_none() { writer.finish().map(|_| ()) } else { writer.flush() }
}

fn entry(line: &mut String, calls: &Calls, call: &Call, completes: bool) {
    line.push('{');
    if call.process != NO_PROCESS {
        line.push_str(&format!("\"process\":{},", call.process));
    }
    let (kind, value, time_ns) = said(call, completes);
    line.push_str(&format!("\"type\":\"{kind}\""));
    let f = calls.f(call);
    if !f.is_empty() {
        line.push_str(",\"f\":");
        quoted(line, f);
    }
    if let Some(key) = &call.key {
        line.push_str(",\"key\":");
        put(line, &calls.symbols, key);
    }
    if !value.is_nil() && (completes || !says_the_same(calls, call)) {
        line.push_str(",\"value\":");
        put(line, &calls.symbols, value);
    }
    if completes && call.error {
        line.push_str(",\"error\":true");
    }
    if time_ns >= 0 {
        line.push_str(&format!(",\"time\":{time_ns}"));
    }
    line.push_str("}\n");
}

/// True for transactions of whose invocation the completion knows everything.
fn says_the_same(calls: &Calls, call: &Call) -> bool {
    let (Ended::Ok, Some(asked), Some(done)) = (call.ended, call.input.list(), call.output.list()) else {
        return false;
    };
    let part = |(asked, done): (&Value, &Value)| match (asked.list(), done.list()) {
        (Some([f, key, value]), Some([again, same, saw])) if f == again && key == same => {
            match f.word().map(|f| calls.symbols.name(f)) {
                Some("append" | "w") => value == saw,
                Some("r") => value.is_nil(),
                _ => false,
            }
        }
        _ => false,
    };
    asked.len() == done.len() && asked.iter().zip(done).all(part)
}

fn put(out: &mut String, symbols: &Symbols, value: &Value) {
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(_) | Value::Int(_) => out.push_str(&render(value, symbols)),
        Value::Text(symbol) if symbols.name(*symbol).starts_with(':') => tagged(out, "text", symbols.name(*symbol)),
        Value::Text(symbol) => quoted(out, symbols.name(*symbol)),
        Value::Word(symbol) => quoted(out, &format!(":{}", symbols.name(*symbol))),
        Value::Number(symbol) => tagged(out, "number", symbols.name(*symbol)),
        Value::List(items) => list(out, symbols, items),
        Value::Set(items) => {
            out.push_str("{\"set\":");
            list(out, symbols, items);
            out.push('}');
        }
        Value::Map(entries) => {
            out.push_str("{\"map\":[");
            for (number, (key, value)) in entries.iter().enumerate() {
                out.push_str(if number == 0 { "[" } else { ",[" });
                put(out, symbols, key);
                out.push(',');
                put(out, symbols, value);
                out.push(']');
            }
            out.push_str("]}");
        }
    }
}

fn list(out: &mut String, symbols: &Symbols, items: &[Value]) {
    out.push('[');
    for (number, item) in items.iter().enumerate() {
        out.push_str(if number == 0 { "" } else { "," });
        put(out, symbols, item);
    }
    out.push(']');
}

fn tagged(out: &mut String, tag: &str, text: &str) {
    out.push_str(&format!("{{\"{tag}\":"));
    quoted(out, text);
    out.push('}');
}

fn quoted(out: &mut String, text: &str) {
    // A string can always be written.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Makes a value of what stands in braces, in our own format.
pub(super) fn untagged(symbols: &mut Symbols, tag: Sym, value: Value) -> Result<Value, String> {
    let pair = |pair: Value| match pair {
        Value::List(pair) => <[Value; 2]>::try_from(pair.into_vec()).map(|[key, value]| (key, value)).ok(),
        _ => None,
    };
    Ok(match (symbols.name(tag), value) {
        ("text", Value::Text(text)) => Value::Text(text),
        // It looks like a keyword, so it was read as one.
        ("text", Value::Word(word)) => Value::Text(symbols.intern(&format!(":{}", symbols.name(word)))),
        ("number", Value::Text(text)) => Value::Number(text),
        ("set", Value::List(items)) => Value::Set(Box::new(items.into_vec())),
        ("map", Value::List(items)) => {
            let pairs: Option<Vec<_>> = items.into_vec().into_iter().map(pair).collect();
            Value::Map(Box::new(pairs.ok_or("a map is a list of pairs here")?))
        }
        _ => return Err("values in braces are text, number, set or map here".to_owned()),
    })
}

/// Reads such a history; none if the file is another one.
pub(super) fn read_own<R: BufRead>(mut source: R, path: &Path) -> Result<Option<Calls>, Error> {
    let failed = |source| Error::Open { path: path.into(), source };
    let compressed = looks(source.fill_buf().map_err(failed)?) == Looks::Compressed;
    let mut lines = Lines::new(source, compressed).map_err(failed)?;
    let Ok(Some(first)) = lines.next() else { return Ok(None) };
    if !first.starts_with(BEGINNING) {
        return Ok(None);
    }
    let not = |e| Error::NotHistory { path: path.into(), what: format!("its header: {e}") };
    let header: HeaderLine = serde_json::from_slice(first).map_err(not)?;
    let Header { schema, program } = header.calls;
    if schema != SCHEMA {
        return Err(Error::Schema { path: path.into(), found: u64::from(schema), supported: SCHEMA, program });
    }
    let mut hash = LineHash::default();
    hash.add(first);
    hash.add(b"\n");
    let mut text = Text { lines, hash, line: Vec::new(), at: 0, count: 1, closed: false, damage: None };
    let mut builder = Builder::default();
    let scan = Scanner::starting_at(&mut text, Place { line: 2, column: 1 });
    let stopped = match entries(scan, &mut builder) {
        Ok(()) => None,
        Err(Stop::Io(error)) => Some(format!("cannot be read: {error}")),
        Err(Stop::Fault(Fault { place, what })) => {
            Some(format!("line {}, column {}: {what}", place.line, place.column))
        }
    };
    let mut calls = builder.finish();
    let unfinished =
        (!text.closed).then(|| "there is no closing line: the recording did not come to its end".to_owned());
    calls.cut = stopped.or(text.damage).or(unfinished);
    Ok(Some(calls))
}

/// True if a history begins as one of operations in our own format does.
pub fn is_own(path: &Path) -> bool {
    let first = |file: std::fs::File| -> Option<bool> {
        let mut source = io::BufReader::new(file);
        let compressed = looks(source.fill_buf().ok()?) == Looks::Compressed;
        let mut lines = Lines::new(source, compressed).ok()?;
        Some(lines.next().ok()??.starts_with(BEGINNING))
    };
    std::fs::File::open(path).ok().and_then(first).unwrap_or(false)
}

/// The text of all entries, whose lines are hashed on the way.
struct Text<R> {
    lines: Lines<R>,
    hash: LineHash,
    line: Vec<u8>,
    at: usize,
    /// Lines read, header included.
    count: u64,
    closed: bool,
    damage: Option<String>,
}

impl<R: BufRead> Text<R> {
    /// Takes the next line; false at the end.
    fn advance(&mut self) -> Result<bool, Broken> {
        if self.closed {
            return Ok(false);
        }
        let Some(text) = self.lines.next()? else { return Ok(false) };
        if text.starts_with(b"{\"closing\":") {
            let said = Line::parse(text);
            let offset = self.lines.offset();
            return self.close(said).map_err(|what| Broken { offset, what });
        }
        self.line.clear();
        self.line.extend_from_slice(text);
        self.line.push(b'\n');
        self.hash.add(&self.line);
        self.at = 0;
        self.count += 1;
        Ok(true)
    }

    /// Compares the closing line with what was read.
    fn close(&mut self, said: Result<Said, String>) -> Result<bool, String> {
        let Said::Closing(Closing { events, hash }) = said? else {
            return Err("a line that is no operation".to_owned());
        };
        if events != self.count - 1 {
            return Err(format!(
                "the closing line counts {events} entries, there are {}: it was cut or edited",
                self.count - 1
            ));
        }
        if hash != self.hash.hex() {
            return Err(format!(
                "the hash of its lines is {}, the closing line says {hash}: it was edited",
                self.hash.hex()
            ));
        }
        if !matches!(self.lines.next(), Ok(None)) {
            return Err("it goes on after its closing line".to_owned());
        }
        self.closed = true;
        Ok(false)
    }
}

impl<R: BufRead> Read for &mut Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && self.damage.is_none() {
            if self.at == self.line.len() {
                match self.advance() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(Broken { offset, what }) => {
                        self.damage = Some(format!("damaged at byte {offset}, line {}: {what}", self.count + 1));
                        break;
                    }
                }
            }
            let length = (self.line.len() - self.at).min(buffer.len() - filled);
            buffer[filled..filled + length].copy_from_slice(&self.line[self.at..self.at + length]);
            self.at += length;
            filled += length;
        }
        Ok(filled)
    }
}
