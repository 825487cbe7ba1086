//! A history as plain JSON Lines, for other tools. What is exported can be read again.

use crate::line::{LineHash, put_closing, put_event, put_header};
use crate::{Closing, Contents, Error, Event, Loaded, Snapshot};
use std::io::{self, Write};

/// How to export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Snapshots with all their elements instead of differences. The hash is another one then.
    pub full_snapshots: bool,
}

/// Writes header, events and, if the history is whole, a closing line. Name is used in messages.
pub fn export(history: &Loaded, out: &mut impl Write, name: &str, options: Options) -> Result<(), Error> {
    let mut out = Out { out, name, text: Vec::new(), hash: LineHash::default() };
    put_header(&mut out.text, &history.header).map_err(|e| out.unwritable(&e))?;
    out.line()?;
    let mut contents = Contents::new();
    for event in &history.events {
        let full = match event {
            Event::Snapshot(snapshot) if options.full_snapshots => {
                contents.add(snapshot)?;
                let add = contents.resolve(snapshot.id)?.iter().map(|e| e.to_string()).collect();
                let (id, data) = (snapshot.id, snapshot.data);
                Some(Event::Snapshot(Box::new(Snapshot { id, data, base: None, add, remove: Vec::new() })))
            }
            _ => None,
        };
        put_event(&mut out.text, full.as_ref().unwrap_or(event)).map_err(|e| out.unwritable(&e))?;
        out.line()?;
    }
    if history.closing.is_some() && history.damage.is_none() {
        let closing = Closing { events: history.events.len() as u64, hash: out.hash.hex() };
        put_closing(&mut out.text, &closing).map_err(|e| out.unwritable(&e))?;
        out.line()?;
    }
    out.out.flush().map_err(|e| out.failed(e))
}

struct Out<'a, W> {
    out: &'a mut W,
    name: &'a str,
    text: Vec<u8>,
    hash: LineHash,
}

impl<W: Write> Out<'_, W> {
    fn line(&mut self) -> Result<(), Error> {
        self.hash.add(&self.text);
        self.out.write_all(&self.text).map_err(|e| self.failed(e))?;
        self.text.clear();
        Ok(())
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Write { path: self.name.into(), source }
    }

    fn unwritable(&self, e: &serde_json::Error) -> Error {
        Error::Unwritable { path: self.name.into(), why: e.to_string() }
    }
}
