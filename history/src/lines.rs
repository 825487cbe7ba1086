//! Lines of a file that may be compressed, cut short, damaged or hostile.
//!
//! A frame is used only when it is whole and its checksum fits; both frames and lines are bounded, so that no file can
//! ask for more memory than [`FRAME_BYTES_MAX`] or so.

use crate::line::LINE_BYTES_MAX;
use std::io::{self, BufRead};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// No frame may hold more text; ours end soon after 256 KiB, at a line's end.
const FRAME_BYTES_MAX: usize = LINE_BYTES_MAX + (8 << 20);
/// Windows of 2^27 bytes (128 MiB) are what zstd itself allows unless told otherwise.
const WINDOW_LOG_MAX: u32 = 27;
const CHUNK_BYTES: usize = 128 << 10;
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What is wrong, and where the frame or plain line with it begins.
#[derive(Debug)]
pub(crate) struct Broken {
    pub offset: u64,
    pub what: String,
}

/// Reads line after line.
pub(crate) struct Lines<R> {
    source: R,
    decoder: Option<Decoder<'static>>,
    chunk: Vec<u8>,
    /// Text of the present frame (or, plain, of the present line), and how much of it was handed out.
    text: Vec<u8>,
    used: usize,
    /// Bytes of the source consumed so far; where the present frame or plain line began.
    consumed: u64,
    began: u64,
    /// Bytes of text handed out.
    text_bytes: u64,
}

/// What the first bytes look like.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Looks {
    Empty,
    Compressed,
    Plain,
    Other,
}

/// Tells what a file is from its first bytes.
pub(crate) fn looks(first: &[u8]) -> Looks {
    let skippable = first.len() >= 4 && first[0] & 0xf0 == 0x50 && first[1..4] == [0x2a, 0x4d, 0x18];
    if first.is_empty() {
        Looks::Empty
    } else if first.starts_with(&MAGIC) || MAGIC.starts_with(first) || skippable {
        Looks::Compressed
    } else if first[0] == b'{' {
        Looks::Plain
    } else {
        Looks::Other
    }
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(source: R, compressed: bool) -> io::Result<Self> {
        let mut decoder = None;
        if compressed {
            let mut made = Decoder::new()?;
            made.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
            decoder = Some(made);
        }
        let chunk = if compressed { vec![0; CHUNK_BYTES] } else { Vec::new() };
        Ok(Lines { source, decoder, chunk, text: Vec::new(), used: 0, consumed: 0, began: 0, text_bytes: 0 })
    }

    /// The next line without its newline; nothing at a clean end.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Broken> {
        let (start, end) = match if self.decoder.is_some() { self.find()? } else { self.plain()? } {
            Some(found) => found,
            None => return Ok(None),
        };
        self.text_bytes += (end - start + 1) as u64;
        Ok(Some(&self.text[start..end]))
    }

    /// Where the present frame or plain line begins in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.began
    }

    /// Bytes of the file, and of text, read so far.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.consumed, self.text_bytes)
    }

    fn broken(&self, what: impl Into<String>) -> Broken {
        Broken { offset: self.began, what: what.into() }
    }

    /// Reads one plain line.
    fn plain(&mut self) -> Result<Option<(usize, usize)>, Broken> {
        self.text.clear();
        self.began = self.consumed;
        loop {
            let input = self.source.fill_buf();
            let input = input.map_err(|e| Broken { offset: self.began, what: format!("cannot be read: {e}") })?;
            let newline = newline(input);
            let take = newline.map_or(input.len(), |at| at + 1);
            if self.text.len() + take > LINE_BYTES_MAX + 1 {
                return Err(self.broken(too_long()));
            }
            if take == 0 {
                // The end. A last line without newline is as good as one with: whether it is whole, its braces tell.
                return Ok(if self.text.is_empty() { None } else { Some((0, self.text.len())) });
            }
            self.text.extend_from_slice(&input[..take]);
            self.source.consume(take);
            self.consumed += take as u64;
            if newline.is_some() {
                return Ok(Some((0, self.text.len() - 1)));
            }
        }
    }

    /// Finds the next line in the text of frames. Ours hold whole lines, but those of other tools need not.
    fn find(&mut self) -> Result<Option<(usize, usize)>, Broken> {
        let mut searched = self.used;
        loop {
            if let Some(at) = newline(&self.text[searched..]) {
                let found = (self.used, searched + at);
                if found.1 - found.0 > LINE_BYTES_MAX {
                    return Err(self.broken(too_long()));
                }
                self.used = found.1 + 1;
                return Ok(Some(found));
            }
            self.text.drain(..self.used);
            self.used = 0;
            searched = self.text.len();
            if searched > LINE_BYTES_MAX {
                return Err(self.broken(too_long()));
            }
            if !self.frame()? {
                let rest = self.text.len();
                self.used = rest;
                return Ok(if rest == 0 { None } else { Some((0, rest)) });
            }
        }
    }

    /// Decodes the next frame behind the rest of the text; false at a clean end. On error its text is taken back.
    fn frame(&mut self) -> Result<bool, Broken> {
        self.began = self.consumed;
        let rest = self.text.len();
        let result = self.decode(rest);
        if result.is_err() {
            self.text.truncate(rest);
        }
        result.map_err(|what| self.broken(what))
    }

    fn decode(&mut self, rest: usize) -> Result<bool, String> {
        let Some(decoder) = self.decoder.as_mut() else { return Ok(false) };
        loop {
            let input = self.source.fill_buf().map_err(|e| format!("cannot be read: {e}"))?;
            let at_end = input.is_empty();
            if at_end && self.consumed == self.began {
                return Ok(false);
            }
            let mut from = InBuffer::around(input);
            let mut to = OutBuffer::around(self.chunk.as_mut_slice());
            let hint = decoder.run(&mut from, &mut to).map_err(|e| format!("the frame is corrupted: {e}"))?;
            let (read, written) = (from.pos(), to.pos());
            self.source.consume(read);
            self.consumed += read as u64;
            self.text.extend_from_slice(&self.chunk[..written]);
            if self.text.len() - rest > FRAME_BYTES_MAX {
                let mib = FRAME_BYTES_MAX >> 20;
                return Err(format!("the frame holds more than {mib} MiB; unpack it with zstdcat and read it plain"));
            }
            if hint == 0 {
                return Ok(true);
            }
            if at_end && written == 0 {
                return Err("the file ends within this frame".into());
            }
        }
    }
}

fn newline(text: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', text)
}

fn too_long() -> String {
    format!("a line is longer than {} MiB", LINE_BYTES_MAX >> 20)
}
