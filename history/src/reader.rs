//! Reading a history: streaming, and using what is whole of a damaged one.
//!
//! Whatever is wrong after the header is a [`Damage`], not an error: the events before it are good and can be checked.

use crate::line::{Line, LineHash, Said, parse_header};
use crate::lines::{Broken, Lines, Looks, looks};
use crate::references::References;
use crate::{Closing, Event, Finished, Header, error::Error};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What is wrong with a history, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Byte in the file at which the damaged frame begins (in plain text: the damaged line).
    pub offset: u64,
    /// The first line, counted from 1, that cannot be used.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "damaged at byte {}, line {}: {}", self.offset, self.line, self.what)
    }
}

/// How a history ended. Neither closing line nor damage: the run was killed between two frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The closing line, if it was reached.
    pub closing: Option<Closing>,
    /// What is wrong, if anything.
    pub damage: Option<Damage>,
    /// Events read.
    pub events: u64,
    /// Bytes of the file that were read.
    pub file_bytes: u64,
    /// Bytes of text that were read.
    pub text_bytes: u64,
    /// SHA-256 of the lines that were read, closing line excepted, hexadecimal.
    pub hash: String,
}

/// A whole history in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The first line.
    pub header: Header,
    /// Every event that could be read.
    pub events: Vec<Event>,
    /// The closing line; none if the run did not come to its end.
    pub closing: Option<Closing>,
    /// What is wrong; the events before it are good.
    pub damage: Option<Damage>,
    /// Bytes of the file that were read.
    pub file_bytes: u64,
    /// Bytes of text that were read.
    pub text_bytes: u64,
}

impl Loaded {
    /// What a reader would find in the history that was just written and finished, but for the numbers of bytes read.
    pub fn of(header: Header, events: Vec<Event>, finished: Finished) -> Loaded {
        let closing = Some(Closing { events: finished.events, hash: finished.hash });
        Loaded { header, events, closing, damage: None, file_bytes: 0, text_bytes: 0 }
    }
}

/// Reads a whole history.
pub fn read(path: impl AsRef<Path>) -> Result<Loaded, Error> {
    Reader::open(path)?.load()
}

/// Reads a history event by event.
pub struct Reader<R> {
    lines: Lines<R>,
    header: Header,
    hash: LineHash,
    references: References,
    /// Lines read, header included.
    count: u64,
    closing: Option<Closing>,
    damage: Option<Damage>,
    done: bool,
}

impl Reader<BufReader<File>> {
    /// Opens a file and reads its header.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = |source| Error::Open { path: path.into(), source };
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            return Err(Error::Directory { path: path.into() });
        }
        let file = File::open(path).map_err(failed)?;
        Reader::new(BufReader::with_capacity(256 << 10, file), path)
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads from anything. `name` stands for the path in messages.
    pub fn new(mut source: R, name: impl AsRef<Path>) -> Result<Self, Error> {
        let path = name.as_ref();
        let failed = |source| Error::Open { path: path.into(), source };
        let compressed = match looks(source.fill_buf().map_err(failed)?) {
            Looks::Empty => return Err(Error::Empty { path: path.into() }),
            Looks::Compressed => true,
            Looks::Plain => false,
            Looks::Other => return Err(Error::NotHistory { path: path.into(), what: "its first bytes".into() }),
        };
        let mut lines = Lines::new(source, compressed).map_err(failed)?;
        let broken = |Broken { offset, what }| Error::NoHeader { path: path.into(), offset, what };
        let mut hash = LineHash::default();
        let header = match lines.next().map_err(broken)? {
            None => return Err(Error::NotHistory { path: path.into(), what: "there is no line in it".into() }),
            Some(text) => {
                hash.add(text);
                hash.add(b"\n");
                parse_header(path, text)?
            }
        };
        let references = References::new(&header);
        Ok(Reader { lines, header, hash, references, count: 1, closing: None, damage: None, done: false })
    }

    /// The first line.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Every event until the end or the first damage; ask [`Reader::end`] afterwards which of the two it was.
    pub fn events(&mut self) -> Events<'_, R> {
        Events { reader: self }
    }

    /// Reads what is left, and tells how the history ended.
    pub fn end(mut self) -> (Header, End) {
        while self.next_event().is_some() {}
        let (file_bytes, text_bytes) = self.lines.bytes();
        let events = self.count - 1;
        let hash = self.hash.hex();
        (self.header, End { closing: self.closing, damage: self.damage, events, file_bytes, text_bytes, hash })
    }

    /// Reads everything into memory.
    pub fn load(mut self) -> Result<Loaded, Error> {
        let events: Vec<Event> = self.events().collect();
        let (header, End { closing, damage, file_bytes, text_bytes, .. }) = self.end();
        Ok(Loaded { header, events, closing, damage, file_bytes, text_bytes })
    }

    fn next_event(&mut self) -> Option<Event> {
        if self.done {
            return None;
        }
        match self.advance() {
            Ok(Some(event)) => Some(event),
            Ok(None) => {
                self.done = true;
                None
            }
            Err(Broken { offset, what }) => {
                let line = self.count + 1 + u64::from(self.closing.is_some());
                self.damage = Some(Damage { offset, line, what });
                self.done = true;
                None
            }
        }
    }

    fn advance(&mut self) -> Result<Option<Event>, Broken> {
        let Some(text) = self.lines.next()? else { return Ok(None) };
        let said = Line::parse(text).and_then(|said| match said {
            Said::Event(event) => self.references.check(&event).map(|()| Said::Event(event)),
            closing => Ok(closing),
        });
        if let Ok(Said::Event(_)) = said {
            self.hash.add(text);
            self.hash.add(b"\n");
        }
        let offset = self.lines.offset();
        match said.map_err(|what| Broken { offset, what })? {
            Said::Event(event) => {
                self.count += 1;
                Ok(Some(event))
            }
            Said::Closing(closing) => self.close(closing, offset),
        }
    }

    /// Compares the closing line with what was read; nothing may follow it.
    fn close(&mut self, closing: Closing, offset: u64) -> Result<Option<Event>, Broken> {
        let (events, hash) = (self.count - 1, self.hash.hex());
        let what = if closing.events != events {
            Some(format!("the closing line counts {} events, there are {events}: it was cut or edited", closing.events))
        } else if closing.hash != hash {
            Some(format!("the hash of its lines is {hash}, the closing line says {}: it was edited", closing.hash))
        } else {
            None
        };
        if let Some(what) = what {
            return Err(Broken { offset, what });
        }
        self.closing = Some(closing);
        match self.lines.next()?.is_some() {
            true => Err(Broken { offset: self.lines.offset(), what: "it goes on after its closing line".into() }),
            false => Ok(None),
        }
    }
}

/// Events of a [`Reader`].
pub struct Events<'a, R> {
    reader: &'a mut Reader<R>,
}

impl<R: BufRead> Iterator for Events<'_, R> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.reader.next_event()
    }
}
