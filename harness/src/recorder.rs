//! The history on a thread of its own: one core simulates while the other writes, and joins what the checkers will ask for.
//! Only in virtual time, where nothing is lost by being a moment behind.

use crate::recording::{FLUSH_EVERY, Recording};
use checkers::{Joined, Joiner};
use history::{Error, Event, Finished, Writer};
use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// So many events go over at once.
pub(crate) const BATCH: usize = 4096;
/// So many batches may wait before the simulation has to wait for the writer: bounds the memory.
const BATCHES_MAX: usize = 64;

/// A writer on its thread.
pub struct Recorder<W: Write> {
    thread: Option<JoinHandle<Work<W>>>,
}

/// A history that was written.
pub struct Recorded<W: Write> {
    /// What wrote it.
    writer: Writer<W>,
    /// All its events.
    pub events: Vec<Event>,
    /// What was joined of them.
    pub joined: Joined,
}

struct Work<W: Write> {
    recorded: Recorded<W>,
    result: Result<(), Error>,
}

/// What comes from the simulation and what goes back to it.
struct Ends {
    batches: Receiver<Vec<Event>>,
    /// Batches that were emptied: their memory is used again.
    emptied: Sender<Vec<Event>>,
}

impl<W: Write + Send + 'static> Recorder<W> {
    /// Writes to `writer` what the recording is told; keeps the events as well.
    pub fn start(writer: Writer<W>) -> (Recorder<W>, Recording<'static>) {
        let (sender, batches) = sync_channel(BATCHES_MAX);
        let (emptied, again) = channel();
        let thread = std::thread::spawn(move || work(writer, &Ends { batches, emptied }));
        (Recorder { thread: Some(thread) }, Recording::over(sender, again))
    }

    /// Waits until everything is written: the recording must be gone by now, or this waits for ever. An error of the disk
    /// that happened meanwhile comes out here.
    pub fn finish(mut self) -> Result<Recorded<W>, Error> {
        let thread = self.thread.take().expect("it is taken here and by drop only");
        let work = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        work.result.map(|()| work.recorded)
    }
}

impl<W: Write> Drop for Recorder<W> {
    /// If the run panics, what was recorded until then is still written.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work<W: Write>(mut writer: Writer<W>, ends: &Ends) -> Work<W> {
    let (mut events, mut joiner) = (Vec::new(), Joiner::default());
    let mut flushed = Instant::now();
    let mut result = Ok(());
    for mut batch in &ends.batches {
        result = batch.iter().try_for_each(|event| {
            joiner.see(event);
            writer.event(event)
        });
        events.append(&mut batch);
        // A simulation that is over needs no memory.
        let _ = ends.emptied.send(batch);
        // Long runs survive a `kill -9` but for their last moment.
        if result.is_ok() && flushed.elapsed() >= FLUSH_EVERY {
            result = writer.flush();
            flushed = Instant::now();
        }
        // Whoever still sends learns of it when the recorder is finished: in virtual time that is soon.
        if result.is_err() {
            break;
        }
    }
    let result = result.and_then(|()| writer.flush());
    Work { recorded: Recorded { writer, events, joined: joiner.finish() }, result }
}

impl<W: Write> Recorded<W> {
    /// Writes the closing line.
    pub fn close(&mut self) -> Result<Finished, Error> {
        self.writer.finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use history::{Phase, PhaseName};
    use std::io;
    use std::sync::{Arc, Mutex};

    fn header() -> history::Header {
        let (scenario, _) = crate::scenario::Scenario::load("quickstart", &[]).unwrap();
        let plan = crate::plan::Plan::draw(&scenario, 1, None);
        let world = crate::worlds::start(&plan, "recorder", None).unwrap();
        crate::run::header(&plan, world.info()).unwrap().0
    }

    fn phase(time: u64) -> Event {
        Event::Phase(Phase { time, name: PhaseName::Chaos })
    }

    #[test]
    fn everything_is_written_and_kept_in_order() {
        let (recorder, mut recording) = Recorder::start(Writer::new(Vec::new(), "memory", &header()).unwrap());
        let count = 3 * BATCH as u64 + 7;
        (0..count).for_each(|time| recording.event(phase(time)).unwrap());
        drop(recording);
        let mut recorded = recorder.finish().unwrap();
        assert_eq!(recorded.events, (0..count).map(phase).collect::<Vec<_>>());
        assert_eq!(recorded.close().unwrap().events, count);
    }

    /// Bytes that can be looked at while they are written, as a file can.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a `kill -9` of a long simulation would leave.
    #[test]
    fn what_was_recorded_a_moment_ago_is_written_while_the_run_goes_on() {
        let shared = Shared::default();
        let (recorder, mut recording) = Recorder::start(Writer::new(shared.clone(), "shared", &header()).unwrap());
        let empty = shared.0.lock().unwrap().len();
        let begun = std::time::Instant::now();
        let mut time = 0;
        // Far fewer than fill a frame.
        while shared.0.lock().unwrap().len() == empty {
            assert!(begun.elapsed().as_secs() < 60, "nothing was written");
            recording.event(phase(time)).unwrap();
            time += 1;
            (0..1_000).for_each(|_| recording.tick().unwrap());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(time < BATCH as u64, "it was not a full batch that was written");
        drop(recording);
        assert_eq!(recorder.finish().unwrap().events.len() as u64, time);
    }

    /// Takes the header and then is full.
    struct Full(u32);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 > 1 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_and_blocks_nobody() {
        let (recorder, mut recording) = Recorder::start(Writer::new(Full(0), "full", &header()).unwrap());
        (0..100 * BATCH as u64).for_each(|time| recording.event(phase(time)).unwrap());
        drop(recording);
        assert!(recorder.finish().is_err());
    }
}
