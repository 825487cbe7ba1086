//! Where the events of a run go, contents interned: the history on disk, with frames finished often enough to survive a
//! `kill -9`, or memory, for runs that are tried by the thousand.

use crate::recorder::BATCH;
use history::{DataIx, Error, Event, Interner, Snapshot, SnapshotId, Writer};
use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

/// At most about this much is lost with the master.
pub(crate) const FLUSH_EVERY: Duration = Duration::from_millis(250);

/// The history of a run while it is made.
pub struct Recording<'a> {
    sink: Sink<'a>,
    interner: Interner,
    /// None in memory: there a run is over at once and can be made again.
    flushed: Option<Instant>,
    ticks: u32,
}

/// How often a simulation looks at the host's clock.
const TICKS: u32 = 256;

enum Sink<'a> {
    File(&'a mut Writer<File>),
    Memory(&'a mut Vec<Event>),
    Thread(Handover),
    Off,
}

/// To another thread, in batches.
struct Handover {
    sender: SyncSender<Vec<Event>>,
    /// Empty batches that come back.
    again: Receiver<Vec<Event>>,
    batch: Vec<Event>,
}

impl Handover {
    fn hand_over(&mut self) {
        let next = self.again.try_recv().unwrap_or_else(|_| Vec::with_capacity(BATCH));
        // A receiver that is gone has failed, and says why when it is joined.
        let _ = self.sender.send(std::mem::replace(&mut self.batch, next));
    }
}

impl<'a> Recording<'a> {
    /// Writes to `writer`, in real time.
    pub fn new(writer: &'a mut Writer<File>) -> Recording<'a> {
        Recording { sink: Sink::File(writer), interner: Interner::new(), flushed: Some(Instant::now()), ticks: 0 }
    }

    /// Keeps everything in `events`; nothing touches the disk.
    pub fn in_memory(events: &'a mut Vec<Event>) -> Recording<'a> {
        Recording { sink: Sink::Memory(events), interner: Interner::new(), flushed: None, ticks: 0 }
    }

    /// Hands everything to another thread, in batches, which come back empty; the rest when it is dropped.
    pub(crate) fn over(sender: SyncSender<Vec<Event>>, again: Receiver<Vec<Event>>) -> Recording<'a> {
        let sink = Sink::Thread(Handover { sender, again, batch: Vec::with_capacity(BATCH) });
        Recording { sink, interner: Interner::new(), flushed: Some(Instant::now()), ticks: 0 }
    }

    /// Records nothing: to measure what a simulation costs without.
    pub fn off() -> Recording<'a> {
        Recording { sink: Sink::Off, interner: Interner::new(), flushed: None, ticks: 0 }
    }

    /// The number of a content, and the event to record before its first use.
    pub fn intern(&mut self, data: DataIx, content: &Arc<[Arc<str>]>) -> (SnapshotId, Option<Snapshot>) {
        if let Sink::Off = self.sink {
            return (0, None);
        }
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
            Sink::Thread(handover) => {
                handover.batch.push(event);
                if handover.batch.len() == BATCH {
                    handover.hand_over();
                }
                Ok(())
            }
            Sink::Off => Ok(()),
        }
    }

    /// Called often: finishes a frame now and then.
    pub fn tick(&mut self) -> Result<(), Error> {
        self.ticks = self.ticks.wrapping_add(1);
        let is_virtual = matches!(self.sink, Sink::Thread(_));
        let due = !is_virtual || self.ticks.is_multiple_of(TICKS);
        if !due || self.flushed.is_none_or(|at| at.elapsed() < FLUSH_EVERY) {
            return Ok(());
        }
        self.flushed = Some(Instant::now());
        match &mut self.sink {
            Sink::File(writer) => writer.flush(),
            Sink::Thread(handover) => {
                handover.hand_over();
                Ok(())
            }
            Sink::Memory(_) | Sink::Off => Ok(()),
        }
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        if let Sink::Thread(handover) = &mut self.sink {
            handover.hand_over();
        }
    }
}
