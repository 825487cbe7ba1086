//! From a file or a stream to [`Calls`].

use super::Calls;
use super::build::Builder;
use super::detect::{Format, detect};
use super::file::read_own;
use super::lex::{Fault, Lexer};
use super::lines::{self, Stop};
use super::own::from_events;
use super::parse::Parser;
use super::scan::Scanner;
use super::usual::Usual;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How much is looked at to tell the format.
const PREFIX_BYTES: usize = 1 << 16;

/// Why an operation history cannot be read.
#[derive(Debug, Error)]
pub enum CallsError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {source}; give the path of a history file that exists and is readable")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The text is not what it should be.
    #[error("{path}:{line}:{column}: {what}")]
    Text {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// Counted from 1, in bytes.
        column: u64,
        /// What is wrong.
        what: String,
    },
    /// It is a history of this program that cannot be used.
    #[error(transparent)]
    Own(#[from] crate::Error),
}

/// Reads a file; the format is told by its content unless it is given.
pub fn read(path: &Path, format: Option<Format>) -> Result<Calls, CallsError> {
    let fail = |source| CallsError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(fail)?;
    let mut prefix = Vec::new();
    file.by_ref().take(PREFIX_BYTES as u64).read_to_end(&mut prefix).map_err(fail)?;
    let format = format.unwrap_or_else(|| detect(&prefix));
    if format == Format::Own {
        let source = BufReader::with_capacity(1 << 18, File::open(path).map_err(fail)?);
        return match read_own(source, path)? {
            Some(calls) => Ok(calls),
            None => Ok(from_events(&crate::read(path)?)?),
        };
    }
    read_from(prefix.as_slice().chain(file), format, path)
}

/// Reads a stream of EDN, JSON or log lines; `name` is what errors call it.
pub fn read_from(input: impl Read, format: Format, name: &Path) -> Result<Calls, CallsError> {
    let mut builder = Builder::default();
    let stop = match format {
        Format::Log => lines::read(input, &mut builder),
        Format::Edn | Format::Json | Format::Own => operations(input, format == Format::Json, &mut builder),
    };
    match stop {
        Ok(()) => Ok(builder.finish()),
        Err(Stop::Io(source)) => Err(CallsError::Io { path: name.to_owned(), source }),
        Err(Stop::Fault(fault)) => Err(text(name, fault)),
    }
}

fn text(path: &Path, fault: Fault) -> CallsError {
    CallsError::Text { path: path.to_owned(), line: fault.place.line, column: fault.place.column, what: fault.what }
}

/// Operations in one list, or one after the other.
fn operations(input: impl Read, json: bool, builder: &mut Builder) -> Result<(), Stop> {
    let mut scan = Scanner::new(input);
    if scan.peek() == Some(0xef) {
        // A byte order mark: three bytes.
        for _ in 0..3 {
            scan.bump();
        }
    }
    let mut lex = Lexer::new(scan, json);
    lex.skip_space();
    let end = match lex.scan.peek() {
        Some(b'[') => Some(b']'),
        Some(b'(') => Some(b')'),
        _ => None,
    };
    let begin = lex.scan.place();
    if end.is_some() {
        lex.scan.bump();
    }
    all(&mut lex, end, builder)?;
    if end.is_some() && lex.scan.bump().is_none() {
        return Err(Stop::Fault(Fault {
            place: begin,
            what: "this list of operations is never closed: the file was cut".into(),
        }));
    }
    lex.skip_space();
    match lex.scan.peek() {
        None => Ok(()),
        Some(_) => Err(Stop::Fault(Fault { place: lex.scan.place(), what: "there is something after the end".into() })),
    }
}

/// Operations of our own format, one after the other.
pub(super) fn entries(scan: Scanner<impl Read>, builder: &mut Builder) -> Result<(), Stop> {
    let mut lex = Lexer::new(scan, true);
    lex.own = true;
    all(&mut lex, None, builder)
}

/// Operations up to the end of the text, or to a byte.
fn all(lex: &mut Lexer<impl Read>, end: Option<u8>, builder: &mut Builder) -> Result<(), Stop> {
    let (mut open, mut usual) = (Vec::new(), Usual::default());
    loop {
        if lex.own && lex.scan.peek() == Some(b'\n') {
            lex.scan.bump();
        }
        let place = lex.scan.place();
        if lex.own
            && let Some((entry, bytes)) = usual.entry(lex.scan.rest(), builder.symbols(), place)
        {
            lex.scan.take(bytes);
            builder.entry(entry).map_err(|what| Stop::Fault(Fault { place, what }))?;
            continue;
        }
        let entry = Parser { lex: &mut *lex, symbols: builder.symbols(), open: &mut open }.entry(end);
        if let Some(error) = lex.scan.failure() {
            return Err(Stop::Io(error));
        }
        let Some(entry) = entry.map_err(Stop::Fault)? else { return Ok(()) };
        let place = entry.place;
        builder.entry(entry).map_err(|what| Stop::Fault(Fault { place, what }))?;
    }
}
