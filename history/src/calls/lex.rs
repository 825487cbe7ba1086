//! Tokens that EDN and JSON share, and those in which they differ: in JSON a colon separates, in EDN it begins a keyword.

use super::scan::{Place, Scanner};
use std::io::Read;

/// Longer strings and names are an error, not a reason to fill the memory.
const TOKEN_BYTES_MAX: usize = 1 << 26;

/// What bytes are, by bits of their class.
static CLASSES: [u8; 256] = classes();
/// Separates, and does not end a line.
const SPACE: u8 = 1;
/// Ends a name of EDN.
const ENDS: u8 = 2;
/// Ends a name of JSON.
const ENDS_JSON: u8 = 4;

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let ends = b" \t\r\n,()[]{}\";\0";
    let mut at = 0;
    while at < ends.len() {
        classes[ends[at] as usize] = ENDS | ENDS_JSON;
        at += 1;
    }
    classes[b':' as usize] = ENDS_JSON;
    let spaces = b" \t\r,\0\x0c";
    let mut at = 0;
    while at < spaces.len() {
        classes[spaces[at] as usize] |= SPACE;
        at += 1;
    }
    classes
}

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
    /// JSON of our own format, which says everything that EDN can.
    pub(super) own: bool,
    /// The bytes of the last name or string.
    pub(super) token: Vec<u8>,
}

impl<R: Read> Lexer<R> {
    pub(super) fn new(scan: Scanner<R>, json: bool) -> Lexer<R> {
        Lexer { scan, json, own: false, token: Vec::new() }
    }

    /// A fault at the next byte.
    pub(super) fn fault<T>(&self, what: impl Into<String>) -> Result<T, Fault> {
        Err(Fault { place: self.scan.place(), what: what.into() })
    }

    /// Skips what separates: spaces, commas, zero bytes of padding, comments; in JSON also colons.
    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.scan.peek() {
            match byte {
                byte if CLASSES[usize::from(byte)] & SPACE != 0 => {
                    self.scan.take(1);
                    continue;
                }
                b'\n' => {}
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

    /// Takes a whole number of at most 18 digits, if one comes next and its end is in sight.
    #[inline]
    pub(super) fn small_int(&mut self) -> Option<i64> {
        const DIGITS_MAX: usize = 18;
        let ends = self.ends();
        let rest = self.scan.rest();
        let minus = usize::from(rest.first() == Some(&b'-'));
        let (mut number, mut at) = (0i64, minus);
        while let Some(digit) = rest.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
            at += 1;
        }
        let ended = rest.get(at).is_some_and(|byte| CLASSES[usize::from(*byte)] & ends != 0);
        if !ended || at == minus || at - minus > DIGITS_MAX {
            return None;
        }
        self.scan.take(at);
        Some(if minus == 1 { -number } else { number })
    }

    /// The class of bytes that end names.
    fn ends(&self) -> u8 {
        if self.json { ENDS_JSON } else { ENDS }
    }

    /// Reads a name, number or symbol into the token.
    pub(super) fn name(&mut self) -> Result<(), Fault> {
        self.token.clear();
        let ends = self.ends();
        loop {
            let rest = self.scan.rest();
            let end = rest.iter().position(|byte| CLASSES[usize::from(*byte)] & ends != 0);
            let length = end.unwrap_or(rest.len());
            if self.token.len() + length > TOKEN_BYTES_MAX {
                return self.too_long();
            }
            self.token.extend_from_slice(&rest[..length]);
            self.scan.take(length);
            if end.is_some() || length == 0 {
                break;
            }
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
            let rest = self.scan.rest();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n')).unwrap_or(rest.len());
            if self.token.len() + plain > TOKEN_BYTES_MAX {
                return self.too_long();
            }
            self.token.extend_from_slice(&rest[..plain]);
            self.scan.take(plain);
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
            if !(0xdc00..0xe000).contains(&low) {
                return self.fault("half of a surrogate pair");
            }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        let Some(c) = char::from_u32(code) else { return self.fault("this escape is no character") };
        let mut bytes = [0; 4];
        c.encode_utf8(&mut bytes).bytes().try_for_each(|byte| self.push(byte))
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
            return self.too_long();
        }
        self.token.push(byte);
        Ok(())
    }

    fn too_long<T>(&self) -> Result<T, Fault> {
        self.fault("a string or name of more than 64 MiB")
    }
}
