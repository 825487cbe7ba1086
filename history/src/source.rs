//! A history that can be gone through as often as one likes: in memory, or in a file of which one event at a time is.

use crate::{End, Error, Event, Header, Reader};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The events of a history, in order, any number of times.
pub trait Source: Debug + Sync {
    /// Calls `see` with each event.
    fn each(&self, see: &mut dyn FnMut(&Event));

    /// All of them, where they are in memory.
    fn in_memory(&self) -> Option<&[Event]> {
        None
    }
}

impl Source for &[Event] {
    fn each(&self, see: &mut dyn FnMut(&Event)) {
        self.iter().for_each(see);
    }

    fn in_memory(&self) -> Option<&[Event]> {
        Some(self)
    }
}

impl Source for Vec<Event> {
    fn each(&self, see: &mut dyn FnMut(&Event)) {
        self.iter().for_each(see);
    }

    fn in_memory(&self) -> Option<&[Event]> {
        Some(self)
    }
}

/// A history in a file, read anew for each pass. A file that is not the same in every pass is damaged.
#[derive(Debug)]
pub struct Stored {
    path: PathBuf,
    header: Header,
    /// How the first pass ended, and what later ones found to be different.
    seen: Mutex<(Option<End>, Option<String>)>,
}

impl Stored {
    /// Opens a file and reads its header.
    pub fn open(path: impl AsRef<Path>) -> Result<Stored, Error> {
        let path = path.as_ref().to_owned();
        let header = Reader::open(&path)?.header().clone();
        Ok(Stored { path, header, seen: Mutex::default() })
    }

    /// The first line.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How it ends, after at least one pass; what changed while it was read, if anything did.
    pub fn end(&self) -> (Option<End>, Option<String>) {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn passed(&self, end: Result<End, String>) {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match (&seen.0, end) {
            (None, Ok(end)) => seen.0 = Some(end),
            (Some(first), Ok(end)) if *first == end => {}
            (Some(_), Ok(_)) => seen.1 = Some("it changed while it was read".to_owned()),
            (_, Err(why)) => seen.1 = Some(why),
        }
    }
}

impl Source for Stored {
    fn each(&self, see: &mut dyn FnMut(&Event)) {
        let mut reader = match Reader::open(&self.path) {
            Ok(reader) => reader,
            Err(error) => return self.passed(Err(error.to_string())),
        };
        reader.events().for_each(|event| see(&event));
        let (header, end) = reader.end();
        self.passed(if header == self.header { Ok(end) } else { Err("it changed while it was read".to_owned()) });
    }
}
