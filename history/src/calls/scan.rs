//! Bytes of a file, one after the other, with line and column.

use std::io::{self, Read};

/// How much is read at once.
const CHUNK_BYTES: usize = 1 << 16;

/// A place in a text, both counted from 1; columns count bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A reader that can be looked at without taking.
pub(super) struct Scanner<R> {
    input: R,
    buffer: Vec<u8>,
    at: usize,
    read_before: u64,
    line: u64,
    line_start: u64,
    ended: bool,
    failed: Option<io::Error>,
}

impl<R: Read> Scanner<R> {
    /// From the beginning.
    pub(super) fn new(input: R) -> Scanner<R> {
        let buffer = Vec::with_capacity(CHUNK_BYTES);
        Scanner { input, buffer, at: 0, read_before: 0, line: 1, line_start: 0, ended: false, failed: None }
    }

    /// Begins with the given place instead of 1:1, for a part of a line.
    pub(super) fn starting_at(input: R, place: Place) -> Scanner<R> {
        let read_before = place.column - 1;
        Scanner { line: place.line, read_before, ..Scanner::new(input) }
    }

    /// The next byte; none at the end, also where reading failed (see [`Scanner::failure`]).
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        if let Some(byte) = self.buffer.get(self.at) {
            return Some(*byte);
        }
        self.fill();
        self.buffer.get(self.at).copied()
    }

    /// Takes the next byte.
    #[inline]
    pub(super) fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
            self.line_start = self.read_before + self.at as u64;
        }
        Some(byte)
    }

    /// Bytes that are there already, from the next one on; none only at the end.
    #[inline]
    pub(super) fn rest(&mut self) -> &[u8] {
        if self.at == self.buffer.len() {
            self.fill();
        }
        &self.buffer[self.at..]
    }

    /// Takes some bytes of [`Scanner::rest`], none of which ends a line.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Where the next byte stands.
    pub(super) fn place(&self) -> Place {
        Place { line: self.line, column: self.read_before + self.at as u64 - self.line_start + 1 }
    }

    /// Why reading ended early, if it did.
    pub(super) fn failure(&mut self) -> Option<io::Error> {
        self.failed.take()
    }

    fn fill(&mut self) {
        if self.ended {
            return;
        }
        self.read_before += self.buffer.len() as u64;
        self.at = 0;
        self.buffer.resize(CHUNK_BYTES, 0);
        let read = loop {
            match self.input.read(&mut self.buffer) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error);
                    break 0;
                }
            }
        };
        self.buffer.truncate(read);
        self.ended = read == 0;
    }
}
