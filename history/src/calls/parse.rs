//! The grammar: values, and operations as maps. Operations are read field by field, so that what nobody asks for (messages,
//! stack traces) is skipped and never built.

use super::build::{Entry, Kind};
use super::file::untagged;
use super::lex::{Fault, Lexer};
use super::list::List;
use super::scan::Scanner;
use super::symbols::Symbols;
use super::value::Value;
use std::io::Read;
use std::ops::RangeFrom;

/// Deeper nesting is an error: values are walked recursively.
const DEPTH_MAX: u32 = 100;

/// A parser of EDN or JSON.
pub(super) struct Parser<'s, R> {
    pub(super) lex: &'s mut Lexer<R>,
    pub(super) symbols: &'s mut Symbols,
    /// Elements of the lists that are open: each list is made once its length is known.
    pub(super) open: &'s mut Vec<Value>,
}

/// Reads one value of EDN from a text, for options of the command line.
pub fn parse_value(text: &str, symbols: &mut Symbols) -> Result<Value, String> {
    let mut lex = Lexer::new(Scanner::new(text.as_bytes()), false);
    let mut parser = Parser { lex: &mut lex, symbols, open: &mut Vec::new() };
    let value = parser.value(0).map_err(|fault| fault.what)?;
    parser.lex.skip_space();
    match parser.lex.scan.peek() {
        None => Ok(value),
        Some(_) => Err(format!("there is something after the value, at character {}", parser.lex.scan.place().column)),
    }
}

impl<R: Read> Parser<'_, R> {
    /// One value.
    pub(super) fn value(&mut self, depth: u32) -> Result<Value, Fault> {
        if depth > DEPTH_MAX {
            return self.lex.fault("values nested deeper than 100");
        }
        self.lex.skip_space();
        match self.lex.scan.peek() {
            Some(b'[' | b'(') => {
                let items = self.sequence(depth)?;
                Ok(Value::List(List::of(self.open.drain(items))))
            }
            Some(b'{') => self.map(depth),
            Some(b'"') => {
                self.lex.string()?;
                let text = self.lex.text()?;
                match text.strip_prefix(':').filter(|_| self.lex.own) {
                    Some(word) => Ok(Value::Word(self.symbols.intern(word))),
                    None => Ok(Value::Text(self.symbols.intern(text))),
                }
            }
            Some(b'#') if !self.lex.json => {
                self.lex.scan.bump();
                self.tagged(depth)
            }
            Some(b'^') if !self.lex.json => {
                self.lex.scan.bump();
                self.skip(depth + 1)?;
                self.value(depth + 1)
            }
            Some(b'\\') if !self.lex.json => {
                self.lex.scan.bump();
                self.lex.name()?;
                let symbol = self.symbols.intern(self.lex.text()?);
                Ok(Value::Text(symbol))
            }
            _ => match self.lex.small_int() {
                Some(number) => Ok(Value::Int(number)),
                None => self.atom(),
            },
        }
    }

    fn atom(&mut self) -> Result<Value, Fault> {
        self.lex.name()?;
        let Parser { lex, symbols, .. } = self;
        let text = lex.text()?;
        let first = text.bytes().next().unwrap_or_default();
        let second = text.as_bytes().get(1).copied().unwrap_or_default();
        Ok(match text {
            "nil" | "null" => Value::Nil,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ if first.is_ascii_digit() || (matches!(first, b'-' | b'+') && second.is_ascii_digit()) => {
                match text.strip_suffix('N').unwrap_or(text).parse() {
                    Ok(number) => Value::Int(number),
                    Err(_) => Value::Number(symbols.intern(text)),
                }
            }
            _ if lex.json => return lex.fault(format!("`{text}` is no JSON")),
            _ => Value::Word(symbols.intern(text.strip_prefix(':').unwrap_or(text))),
        })
    }

    /// The elements up to the closing bracket; the opening one comes next. They are to be taken from the open ones.
    fn sequence(&mut self, depth: u32) -> Result<RangeFrom<usize>, Fault> {
        let begin = self.lex.scan.place();
        let close = match self.lex.scan.bump() {
            Some(b'(') => b')',
            Some(b'{') => b'}',
            _ => b']',
        };
        let first = self.open.len();
        loop {
            self.lex.skip_space();
            match self.lex.scan.peek() {
                Some(byte) if byte == close => {
                    self.lex.scan.bump();
                    return Ok(first..);
                }
                Some(b']' | b')' | b'}') => return self.lex.fault("this bracket closes nothing"),
                None => return Err(Fault { place: begin, what: "this bracket is never closed".into() }),
                Some(b'#') if !self.lex.json => {
                    self.lex.scan.bump();
                    if self.lex.scan.peek() == Some(b'_') {
                        self.lex.scan.bump();
                        self.skip(depth + 1)?;
                    } else {
                        let item = self.tagged(depth + 1)?;
                        self.open.push(item);
                    }
                }
                Some(_) => {
                    let item = self.value(depth + 1)?;
                    self.open.push(item);
                }
            }
        }
    }

    fn map(&mut self, depth: u32) -> Result<Value, Fault> {
        let begin = self.lex.scan.place();
        let items = self.sequence(depth)?;
        let mut items: Vec<Value> = self.open.drain(items).collect();
        if self.lex.own {
            let (Some(value), Some(Value::Text(tag)), true) = (items.pop(), items.pop(), items.is_empty()) else {
                return Err(Fault { place: begin, what: "in braces there is one name and one value here".into() });
            };
            let made = untagged(self.symbols, tag, value);
            return made.map_err(|what| Fault { place: begin, what });
        }
        if items.len() % 2 == 1 {
            return Err(Fault { place: begin, what: "this map has a key without a value".into() });
        }
        let mut entries = Vec::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            // JSON has no numbers as keys: accounts and such come as strings.
            let key = match key {
                Value::Text(symbol) if self.lex.json => {
                    self.symbols.name(symbol).parse().map(Value::Int).unwrap_or(Value::Text(symbol))
                }
                other => other,
            };
            entries.push((key, value));
        }
        Ok(Value::Map(Box::new(entries)))
    }

    /// What follows a `#`: a set, or a tag and its value. The tag itself says nothing to us.
    fn tagged(&mut self, depth: u32) -> Result<Value, Fault> {
        if depth > DEPTH_MAX {
            return self.lex.fault("values nested deeper than 100");
        }
        match self.lex.scan.peek() {
            Some(b'{') => {
                let items = self.sequence(depth)?;
                Ok(Value::Set(Box::new(self.open.drain(items).collect())))
            }
            Some(b'_') => {
                self.lex.scan.bump();
                self.skip(depth + 1)?;
                self.value(depth + 1)
            }
            Some(b'#') => {
                self.lex.scan.bump();
                self.lex.name()?;
                let number = match self.lex.text()? {
                    "Inf" => "##Inf",
                    "-Inf" => "##-Inf",
                    "NaN" => "##NaN",
                    _ => return self.lex.fault("after `##` comes Inf, -Inf or NaN"),
                };
                Ok(Value::Number(self.symbols.intern(number)))
            }
            _ => {
                self.lex.name()?;
                self.value(depth + 1)
            }
        }
    }

    /// Passes over one value without keeping it.
    pub(super) fn skip(&mut self, depth: u32) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            return self.lex.fault("values nested deeper than 100");
        }
        self.lex.skip_space();
        let begin = self.lex.scan.place();
        match self.lex.scan.peek() {
            Some(open @ (b'[' | b'(' | b'{')) => {
                self.lex.scan.bump();
                let close = if open == b'(' { b')' } else { open + 2 };
                loop {
                    self.lex.skip_space();
                    match self.lex.scan.peek() {
                        Some(byte) if byte == close => break,
                        Some(b']' | b')' | b'}') => return self.lex.fault("this bracket closes nothing"),
                        None => return Err(Fault { place: begin, what: "this bracket is never closed".into() }),
                        Some(_) => self.skip(depth + 1)?,
                    }
                }
                self.lex.scan.bump();
                Ok(())
            }
            Some(b'"') => self.lex.string(),
            Some(b'#') if !self.lex.json => {
                self.lex.scan.bump();
                if self.lex.scan.peek() != Some(b'{') {
                    self.lex.name()?;
                }
                self.skip(depth + 1)
            }
            Some(b'^') if !self.lex.json => {
                self.lex.scan.bump();
                self.skip(depth + 1)?;
                self.skip(depth + 1)
            }
            Some(b'\\') if !self.lex.json => {
                self.lex.scan.bump();
                self.lex.name()
            }
            _ => self.lex.name(),
        }
    }

    /// One operation: a map, perhaps behind a tag. None at the end of the text or at `end`.
    pub(super) fn entry(&mut self, end: Option<u8>) -> Result<Option<Entry>, Fault> {
        loop {
            self.lex.skip_space();
            match self.lex.scan.peek() {
                None => return Ok(None),
                byte if byte == end => return Ok(None),
                Some(b'{') => return self.fields().map(Some),
                Some(b'#') if !self.lex.json => {
                    self.lex.scan.bump();
                    if self.lex.scan.peek() == Some(b'_') {
                        self.lex.scan.bump();
                        self.skip(0)?;
                    } else {
                        self.lex.name()?;
                    }
                }
                Some(_) => return self.lex.fault("an operation is expected here, in braces"),
            }
        }
    }

    fn fields(&mut self) -> Result<Entry, Fault> {
        let place = self.lex.scan.place();
        self.lex.scan.bump();
        let mut entry = Entry::at(place);
        loop {
            self.lex.skip_space();
            match self.lex.scan.peek() {
                Some(b'}') => {
                    self.lex.scan.bump();
                    return Ok(entry);
                }
                Some(b'"') => self.lex.string()?,
                Some(_) => self.lex.name()?,
                None => return Err(Fault { place, what: "this operation is never closed".into() }),
            }
            self.field(&mut entry)?;
        }
    }

    /// The value of the field whose name was just read.
    fn field(&mut self, entry: &mut Entry) -> Result<(), Fault> {
        match Field::named(&self.lex.token) {
            Field::Type => {
                let value = self.value(0)?;
                entry.kind = value.word().and_then(|symbol| Kind::named(self.symbols.name(symbol)));
                if entry.kind.is_none() {
                    return self.lex.fault("the type of an operation is invoke, ok, fail or info");
                }
            }
            Field::Function => {
                let value = self.value(0)?;
                entry.f = value.word();
                if entry.f.is_none() && !value.is_nil() {
                    return self.lex.fault("f is the name of a function");
                }
            }
            Field::Process => entry.process = self.value(0)?,
            Field::Value => entry.value = self.value(0)?,
            Field::Key => entry.key = Some(self.value(0)?),
            Field::Time => entry.time_ns = self.value(0)?.int().unwrap_or(-1),
            Field::Error => {
                self.lex.skip_space();
                // nil and null are no errors.
                entry.error = self.lex.scan.peek() != Some(b'n');
                self.skip(0)?;
            }
            Field::Other => self.skip(0)?,
        }
        Ok(())
    }
}

/// The fields of an operation that are kept.
enum Field {
    Type,
    Function,
    Process,
    Value,
    Key,
    Time,
    Error,
    Other,
}

impl Field {
    fn named(token: &[u8]) -> Field {
        match token.strip_prefix(b":").unwrap_or(token) {
            b"type" => Field::Type,
            b"f" => Field::Function,
            b"process" => Field::Process,
            b"value" => Field::Value,
            b"key" => Field::Key,
            b"time" => Field::Time,
            b"error" => Field::Error,
            _ => Field::Other,
        }
    }
}
