//! Jepsen's console logs: `INFO  jepsen.util - PROCESS :type :f VALUE`, tabs or spaces between. All other lines are skipped.

use super::build::{Builder, Entry, Kind};
use super::lex::{Fault, Lexer};
use super::parse::Parser;
use super::scan::{Place, Scanner};
use super::value::Value;
use std::io::{self, BufRead, Read};

/// Longer lines are no operations of a log.
const LINE_BYTES_MAX: u64 = 1 << 26;

/// What ended the reading of a log.
pub(super) enum Stop {
    Io(io::Error),
    Fault(Fault),
}

/// Reads a whole log.
pub(super) fn read(input: impl Read, builder: &mut Builder) -> Result<(), Stop> {
    let mut input = io::BufReader::with_capacity(1 << 16, input);
    let mut line = Vec::new();
    let mut number = 0;
    let mut operations = 0u64;
    loop {
        line.clear();
        let read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(Stop::Io)?;
        if read == 0 {
            break;
        }
        number += 1;
        match entry(&line, number, builder).map_err(Stop::Fault)? {
            Some(entry) => {
                let place = entry.place;
                builder.entry(entry).map_err(|what| Stop::Fault(Fault { place, what }))?;
                operations += 1;
            }
            None => builder.calls.others += 1,
        }
    }
    if operations == 0 && builder.calls.others > 0 {
        let what = "not one operation of the form `jepsen.util - PROCESS :type :f VALUE` in this text".to_owned();
        return Err(Stop::Fault(Fault { place: Place { line: 1, column: 1 }, what }));
    }
    Ok(())
}

/// The next field from `at` on: its bounds.
fn field(line: &[u8], at: usize) -> Option<(usize, usize)> {
    let begin = at + line.get(at..)?.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let length = line[begin..].iter().position(u8::is_ascii_whitespace).unwrap_or(line.len() - begin);
    Some((begin, begin + length))
}

/// The operation in a line; none where there is none.
fn entry(line: &[u8], number: u64, builder: &mut Builder) -> Result<Option<Entry>, Fault> {
    let mark = b"jepsen.util";
    let Some(found) = line.windows(mark.len()).position(|window| window == mark) else { return Ok(None) };
    let mut at = found + mark.len();
    if let Some((begin, end)) = field(line, at)
        && &line[begin..end] == b"-"
    {
        at = end;
    }
    let mut fields = [(0, 0); 3];
    for slot in &mut fields {
        let Some(bounds) = field(line, at) else { return Ok(None) };
        *slot = bounds;
        at = bounds.1;
    }
    let text = |bounds: (usize, usize)| std::str::from_utf8(&line[bounds.0..bounds.1]).unwrap_or_default();
    let kind = text(fields[1]).strip_prefix(':').and_then(Kind::named);
    let (Some(kind), Some(f)) = (kind, text(fields[2]).strip_prefix(':')) else { return Ok(None) };
    let process = match text(fields[0]) {
        ":nemesis" => Value::Word(builder.symbols().intern("nemesis")),
        digits => match digits.parse() {
            Ok(process) => Value::Int(process),
            Err(_) => return Ok(None),
        },
    };
    let f = Some(builder.symbols().intern(f));
    let place = Place { line: number, column: fields[0].0 as u64 + 1 };
    let rest = &line[at..];
    let value = match field(line, at) {
        None => Value::Nil,
        Some(_) => {
            let scan = Scanner::starting_at(rest, Place { line: number, column: at as u64 + 1 });
            let (lex, open) = (&mut Lexer::new(scan, false), &mut Vec::new());
            Parser { lex, symbols: builder.symbols(), open }.value(0)?
        }
    };
    Ok(Some(Entry { kind: Some(kind), process, f, value, ..Entry::at(place) }))
}
