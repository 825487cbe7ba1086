//! Where the events of a run go, contents interned: the history on disk, with frames finished often enough to survive a
//! `kill -9`, or memory, for runs that are tried by the thousand.

use history::{DataIx, Error, Event, Interner, Snapshot, SnapshotId, Writer};
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// At most this much of a real run is lost with the master.
const FLUSH_EVERY: Duration = Duration::from_millis(250);

/// The history of a run while it is made.
pub struct Recording<'a> {
    sink: Sink<'a>,
    interner: Interner,
    /// None in virtual time: there a run is over at once and can be made again.
    flushed: Option<Instant>,
}

enum Sink<'a> {
    File(&'a mut Writer<File>),
    Memory(&'a mut Vec<Event>),
}

impl<'a> Recording<'a> {
    /// Writes to `writer`.
    pub fn new(writer: &'a mut Writer<File>, virtual_time: bool) -> Recording<'a> {
        Recording { sink: Sink::File(writer), interner: Interner::new(), flushed: (!virtual_time).then(Instant::now) }
    }

    /// Keeps everything in `events`; nothing touches the disk.
    pub fn in_memory(events: &'a mut Vec<Event>) -> Recording<'a> {
        Recording { sink: Sink::Memory(events), interner: Interner::new(), flushed: None }
    }

    /// The number of a content, and the event to record before its first use.
    pub fn intern(&mut self, data: DataIx, content: &Arc<[Arc<str>]>) -> (SnapshotId, Option<Snapshot>) {
        let interned = self.interner.intern_shared(data, content);
        (interned.id, interned.new)
    }

    /// Records an event.
    pub fn event(&mut self, event: Event) -> Result<(), Error> {
        match &mut self.sink {
            Sink::File(writer) => writer.event(&event),
            Sink::Memory(events) => {
                events.push(event);
                Ok(())
            }
        }
    }

    /// Called often: finishes a frame now and then.
    pub fn tick(&mut self) -> Result<(), Error> {
        if let Sink::File(writer) = &mut self.sink
            && self.flushed.is_some_and(|at| at.elapsed() >= FLUSH_EVERY)
        {
            writer.flush()?;
            self.flushed = Some(Instant::now());
        }
        Ok(())
    }
}
