//! Where the events of a run go: the history on disk, contents interned, frames finished often enough to survive a
//! `kill -9`.

use history::{DataIx, Error, Event, Interner, Snapshot, SnapshotId, Writer};
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// At most this much of a real run is lost with the master.
const FLUSH_EVERY: Duration = Duration::from_millis(250);

/// The history of a run while it is written.
pub struct Recording<'a> {
    writer: &'a mut Writer<File>,
    interner: Interner,
    /// None in virtual time: there a run is over at once and can be made again.
    flushed: Option<Instant>,
}

impl<'a> Recording<'a> {
    /// Writes to `writer`.
    pub fn new(writer: &'a mut Writer<File>, virtual_time: bool) -> Recording<'a> {
        Recording { writer, interner: Interner::new(), flushed: (!virtual_time).then(Instant::now) }
    }

    /// The number of a content, and the event to record before its first use.
    pub fn intern(&mut self, data: DataIx, content: &Arc<[Arc<str>]>) -> (SnapshotId, Option<Snapshot>) {
        let interned = self.interner.intern_shared(data, content);
        (interned.id, interned.new)
    }

    /// Writes an event.
    pub fn event(&mut self, event: Event) -> Result<(), Error> {
        self.writer.event(&event)
    }

    /// Called often: finishes a frame now and then.
    pub fn tick(&mut self) -> Result<(), Error> {
        if self.flushed.is_some_and(|at| at.elapsed() >= FLUSH_EVERY) {
            self.writer.flush()?;
            self.flushed = Some(Instant::now());
        }
        Ok(())
    }
}
