//! Writing a history: canonical lines, hashed, in zstd frames that are whole on disk soon after they were made.

use crate::line::{LINE_BYTES_MAX, LineHash, put_closing, put_event, put_header};
use crate::{Closing, Event, Header, error::Error};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A frame is finished when it holds this much text.
pub const FRAME_BYTES: usize = 256 << 10;
const LEVEL: i32 = 1;

/// Writes a history. A reader sees what was flushed; what is not flushed is lost by a crash of this process, so callers
/// flush every quarter of a second or so.
pub struct Writer<W: Write> {
    sink: W,
    sync: fn(&W) -> io::Result<()>,
    path: PathBuf,
    compressor: zstd::bulk::Compressor<'static>,
    /// Whole lines that are in no frame yet.
    text: Vec<u8>,
    /// A finished frame, and how much of it is written: after a failed write the next one goes on there.
    frame: Vec<u8>,
    frame_written: usize,
    hash: LineHash,
    events: u64,
    finished: bool,
}

/// What a complete history came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Events between header and closing line.
    pub events: u64,
    /// SHA-256 of everything before the closing line, hexadecimal.
    pub hash: String,
}

impl Writer<File> {
    /// Makes a new file and writes the header. An existing file is never touched.
    pub fn create(path: impl AsRef<Path>, header: &Header) -> Result<Self, Error> {
        let path = path.as_ref();
        let made = OpenOptions::new().write(true).create_new(true).open(path);
        let file = made.map_err(|source| Error::Create { path: path.into(), source })?;
        Self::start(file, File::sync_all, path.into(), |text| put_header(text, header))
    }
}

impl<W: Write> Writer<W> {
    /// Writes to anything. `name` stands for the path in messages.
    pub fn new(sink: W, name: impl Into<PathBuf>, header: &Header) -> Result<Self, Error> {
        Self::start(sink, |_| Ok(()), name.into(), |text| put_header(text, header))
    }

    /// Writes lines that are no events, behind a header of their own.
    pub(crate) fn of_lines(
        sink: W,
        name: impl Into<PathBuf>,
        header: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
    ) -> Result<Self, Error> {
        Self::start(sink, |_| Ok(()), name.into(), header)
    }

    fn start(
        sink: W,
        sync: fn(&W) -> io::Result<()>,
        path: PathBuf,
        header: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Write { path: path.clone(), source };
        let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(failed)?;
        compressor.include_checksum(true).map_err(failed)?;
        let mut writer = Writer {
            sink,
            sync,
            path,
            compressor,
            text: Vec::with_capacity(FRAME_BYTES + (FRAME_BYTES >> 2)),
            frame: Vec::new(),
            frame_written: 0,
            hash: LineHash::default(),
            events: 0,
            finished: false,
        };
        writer.line(header)?;
        writer.flush()?;
        Ok(writer)
    }

    /// Adds an event. An error of the disk does not lose the event: the next flush tries again.
    pub fn event(&mut self, event: &Event) -> Result<(), Error> {
        self.counted(|text| put_event(text, event))
    }

    /// Adds a line that is no event, with its newline.
    pub(crate) fn entry(&mut self, line: &[u8]) -> Result<(), Error> {
        self.counted(|text| {
            text.extend_from_slice(line);
            Ok(())
        })
    }

    fn counted(&mut self, put: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>) -> Result<(), Error> {
        self.line(put)?;
        self.events += 1;
        if self.text.len() >= FRAME_BYTES { self.flush() } else { Ok(()) }
    }

    /// How many events were added.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Finishes the frame and hands it to the operating system: from now on it survives a kill of this process.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.write_frame().map_err(|source| self.failed(source))?;
        if !self.text.is_empty() {
            self.frame = self.compressor.compress(&self.text).map_err(|source| self.failed(source))?;
            self.frame_written = 0;
            self.text.clear();
            self.write_frame().map_err(|source| self.failed(source))?;
        }
        self.sink.flush().map_err(|source| self.failed(source))
    }

    /// Writes the closing line, flushes, and waits until the disk has it all. After an error it can be called again.
    pub fn finish(&mut self) -> Result<Finished, Error> {
        let done = Finished { events: self.events, hash: self.hash.hex() };
        if !self.finished {
            let closing = Closing { events: done.events, hash: done.hash.clone() };
            put_closing(&mut self.text, &closing).map_err(|e| self.unwritable(e.to_string()))?;
            self.finished = true;
        }
        self.flush()?;
        (self.sync)(&self.sink).map_err(|source| self.failed(source))?;
        Ok(done)
    }

    /// What it writes to.
    pub fn sink(&self) -> &W {
        &self.sink
    }

    /// Adds one line, or leaves everything as it was.
    fn line(&mut self, put: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>) -> Result<(), Error> {
        if self.finished {
            return Err(self.unwritable("the history is finished".into()));
        }
        let before = self.text.len();
        let result = put(&mut self.text);
        let long = self.text.len() - before > LINE_BYTES_MAX;
        match result {
            Ok(()) if !long => {
                self.hash.add(&self.text[before..]);
                Ok(())
            }
            other => {
                self.text.truncate(before);
                let too_long = || format!("its line is longer than {} MiB", LINE_BYTES_MAX >> 20);
                Err(self.unwritable(other.err().map_or_else(too_long, |e| e.to_string())))
            }
        }
    }

    /// Writes the rest of the finished frame, from where the last attempt stopped.
    fn write_frame(&mut self) -> io::Result<()> {
        while self.frame_written < self.frame.len() {
            match self.sink.write(&self.frame[self.frame_written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.frame_written += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Write { path: self.path.clone(), source }
    }

    fn unwritable(&self, why: String) -> Error {
        Error::Unwritable { path: self.path.clone(), why }
    }
}

impl<W: Write> Drop for Writer<W> {
    /// What was recorded is worth keeping even if the run panics. Without a closing line it counts as unfinished.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}
