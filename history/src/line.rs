//! Lines: the canonical form of headers, events and closing lines, and back.
//!
//! Canonical means what serde_json writes for our types: fields in the order of their declaration, no spaces, one
//! newline. The hash of a history covers exactly these bytes.

use crate::fast::{put_operation, put_push};
use crate::{
    Closing, Connection, Dropped, Event, Fault, Header, Operation, Phase, Push, Routes, SCHEMA, Snapshot, error::Error,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// No line of a history is longer; a reader refuses it without holding it in memory.
pub const LINE_BYTES_MAX: usize = 64 << 20;

/// What can stand on a line. The events are spelled out once more (rather than flattened) because that keeps parsing
/// free of buffering.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Line {
    Header(serde::de::IgnoredAny),
    Closing(Closing),
    Op(Operation),
    Dropped(Dropped),
    Push(Push),
    Snapshot(Snapshot),
    Connection(Connection),
    Fault(Fault),
    Phase(Phase),
    Routes(Routes),
}

/// What a line after the header says.
pub(crate) enum Said {
    Event(Event),
    Closing(Closing),
}

impl Line {
    /// Parses a line that is not the first.
    pub(crate) fn parse(text: &[u8]) -> Result<Said, String> {
        let line: Line = serde_json::from_slice(text).map_err(|e| format!("not an event: {e}"))?;
        Ok(Said::Event(match line {
            Line::Header(_) => return Err("a second header".into()),
            Line::Closing(c) => return Ok(Said::Closing(c)),
            Line::Op(e) => Event::Op(Box::new(e)),
            Line::Dropped(e) => Event::Dropped(e),
            Line::Push(e) => Event::Push(e),
            Line::Snapshot(e) => Event::Snapshot(Box::new(e)),
            Line::Connection(e) => Event::Connection(Box::new(e)),
            Line::Fault(e) => Event::Fault(Box::new(e)),
            Line::Phase(e) => Event::Phase(e),
            Line::Routes(e) => Event::Routes(e),
        }))
    }
}

/// As much of a header as every schema has.
#[derive(Deserialize)]
struct AnySchema {
    header: AnyHeader,
}
#[derive(Deserialize)]
struct AnyHeader {
    schema: u64,
    #[serde(default)]
    program: String,
}
#[derive(Deserialize, Serialize)]
struct HeaderLine<H> {
    header: H,
}
#[derive(Serialize)]
struct ClosingLine<'a> {
    closing: &'a Closing,
}

/// Parses the first line. The schema is looked at before anything else, because other schemas have other headers.
pub(crate) fn parse_header(path: &Path, text: &[u8]) -> Result<Header, Error> {
    let not = |what: String| Error::NotHistory { path: path.into(), what };
    let any: AnySchema = serde_json::from_slice(text).map_err(|e| not(format!("its first line is no header: {e}")))?;
    if any.header.schema != u64::from(SCHEMA) {
        let program = if any.header.program.is_empty() { "unnamed".into() } else { any.header.program };
        return Err(Error::Schema { path: path.into(), found: any.header.schema, supported: SCHEMA, program });
    }
    let line: HeaderLine<Header> = serde_json::from_slice(text).map_err(|e| not(format!("its header: {e}")))?;
    Ok(line.header)
}

/// Appends the canonical header line.
pub fn put_header(out: &mut Vec<u8>, header: &Header) -> Result<(), serde_json::Error> {
    put(out, &HeaderLine { header })
}

/// Appends the canonical line of an event.
pub fn put_event(out: &mut Vec<u8>, event: &Event) -> Result<(), serde_json::Error> {
    match event {
        Event::Push(push) => put_push(out, push),
        Event::Op(operation) => put_operation(out, operation)?,
        _ => serde_json::to_writer(&mut *out, event)?,
    }
    out.push(b'\n');
    Ok(())
}

/// Appends the canonical closing line.
pub fn put_closing(out: &mut Vec<u8>, closing: &Closing) -> Result<(), serde_json::Error> {
    put(out, &ClosingLine { closing })
}

fn put(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), serde_json::Error> {
    serde_json::to_writer(&mut *out, value)?;
    out.push(b'\n');
    Ok(())
}

/// The hash of a history as it grows.
#[derive(Clone, Default)]
pub struct LineHash(Sha256);

impl LineHash {
    /// Adds lines, each with its newline.
    pub fn add(&mut self, lines: &[u8]) {
        self.0.update(lines);
    }

    /// The hash of everything added so far, hexadecimal.
    pub fn hex(&self) -> String {
        self.0.clone().finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}
