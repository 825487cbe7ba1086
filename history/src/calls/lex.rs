//! Tokens that EDN and JSON share, and those in which they differ: in JSON a colon separates, in EDN it begins a keyword.

use super::scan::{Place, Scanner};
use std::io::Read;

/// Longer strings and names are an error, not a reason to fill the memory.
const TOKEN_BYTES_MAX: usize = 1 << 26;

/// What is wrong with a text, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) place: Place,
    pub(super) what: String,
}

/// A scanner that knows spaces, comments, names and strings.
pub(super) struct Lexer<R> {
    pub(super) scan: Scanner<R>,
    pub(super) json: bool,
    /// The bytes of the last name or string.
    pub(super) token: Vec<u8>,
}

impl<R: Read> Lexer<R> {
    pub(super) fn new(scan: Scanner<R>, json: bool) -> Lexer<R> {
        Lexer { scan, json, token: Vec::new() }
    }

    /// A fault at the next byte.
    pub(super) fn fault<T>(&self, what: impl Into<String>) -> Result<T, Fault> {
        Err(Fault { place: self.scan.place(), what: what.into() })
    }

    /// Skips what separates: spaces, commas, zero bytes of padding, comments; in JSON also colons.
    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.scan.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | 0 | 0x0c => {}
                b':' if self.json => {}
                b';' if !self.json => {
                    while self.scan.peek().is_some_and(|byte| byte != b'\n') {
                        self.scan.bump();
                    }
                    continue;
                }
                _ => return,
            }
            self.scan.bump();
        }
    }

    /// The text of the last token.
    pub(super) fn text(&self) -> Result<&str, Fault> {
        match std::str::from_utf8(&self.token) {
            Ok(text) => Ok(text),
            Err(_) => self.fault("a text that is not UTF-8"),
        }
    }

    /// Reads a name, number or symbol into the token.
    pub(super) fn name(&mut self) -> Result<(), Fault> {
        self.token.clear();
        while let Some(byte) = self.scan.peek() {
            let ends = match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b';' | 0 => true,
                b':' => self.json,
                _ => false,
            };
            if ends {
                break;
            }
            self.push(byte)?;
            self.scan.bump();
        }
        if self.token.is_empty() {
            return match self.scan.peek() {
                Some(byte) => self.fault(format!("`{}` is not expected here", char::from(byte).escape_default())),
                None => self.fault("the text ends in the middle of an operation"),
            };
        }
        Ok(())
    }

    /// Reads a string, whose opening quote comes next, into the token.
    pub(super) fn string(&mut self) -> Result<(), Fault> {
        let begin = self.scan.place();
        self.scan.bump();
        self.token.clear();
        loop {
            match self.scan.bump() {
                None => return Err(Fault { place: begin, what: "this string is never closed".into() }),
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.escape()?,
                Some(byte) => self.push(byte)?,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let byte = match self.scan.bump() {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'u') => return self.unicode(),
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            _ => return self.fault("this escape in a string is not known"),
        };
        self.push(byte)
    }

    fn unicode(&mut self) -> Result<(), Fault> {
        let mut code = self.four_digits()?;
        if (0xd800..0xdc00).contains(&code) {
            if self.scan.bump() != Some(b'\\') || self.scan.bump() != Some(b'u') {
                return self.fault("half of a surrogate pair");
            }
            let low = self.four_digits()?;
            code = 0x10000 + ((code - 0xd800) << 10) + low.wrapping_sub(0xdc00);
        }
        let Some(c) = char::from_u32(code) else { return self.fault("this escape is no character") };
        let mut bytes = [0; 4];
        self.token.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
        Ok(())
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            match self.scan.bump().and_then(|byte| char::from(byte).to_digit(16)) {
                Some(digit) => code = code * 16 + digit,
                None => return self.fault("four hexadecimal digits are expected after \\u"),
            }
        }
        Ok(code)
    }

    fn push(&mut self, byte: u8) -> Result<(), Fault> {
        if self.token.len() >= TOKEN_BYTES_MAX {
            return self.fault("a string or name of more than 64 MiB");
        }
        self.token.push(byte);
        Ok(())
    }
}
