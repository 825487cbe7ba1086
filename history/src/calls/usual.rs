//! Lines of our own format as we write them, read in one go: fields in their order, no spaces, nothing escaped, the whole line in
//! sight. Whatever is different is left to the general parser, which takes the same line from its beginning, so that this one
//! needs no words for what is wrong.

use super::build::{Entry, Kind};
use super::list::List;
use super::scan::Place;
use super::symbols::{Sym, Symbols};
use super::value::Value;

/// Whole numbers with more digits are left to the general parser.
const DIGITS_MAX: usize = 18;
/// Values nested deeper, too.
const DEPTH_MAX: u32 = 8;
/// As many words are kept at hand.
const WORDS: usize = 32;

/// What is kept from line to line.
pub(super) struct Usual {
    /// Words of up to seven bytes, by a hash of their bytes: these and their length, and the symbol.
    words: [(u64, Sym); WORDS],
    /// Elements of the lists that are open.
    open: Vec<Value>,
}

impl Default for Usual {
    fn default() -> Usual {
        // No word is 255 bytes long here.
        Usual { words: [(u64::MAX, Sym(0)); WORDS], open: Vec::new() }
    }
}

impl Usual {
    /// The operation at the beginning of a text, and its length without the end of the line; none if it is not a usual one.
    pub(super) fn entry(&mut self, text: &[u8], symbols: &mut Symbols, place: Place) -> Option<(Entry, usize)> {
        self.open.clear();
        let mut line = Line { text, at: 0, symbols, usual: self };
        let entry = line.entry(place)?;
        (line.peek()? == b'\n').then_some((entry, line.at))
    }
}

struct Line<'t> {
    text: &'t [u8],
    at: usize,
    symbols: &'t mut Symbols,
    usual: &'t mut Usual,
}

impl Line<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Takes a text, if it comes next.
    #[inline]
    fn eat(&mut self, text: &[u8]) -> bool {
        let eats = self.text[self.at..].starts_with(text);
        self.at += if eats { text.len() } else { 0 };
        eats
    }

    fn entry(&mut self, place: Place) -> Option<Entry> {
        let mut entry = Entry::at(place);
        if self.eat(b"{\"process\":") {
            entry.process = Value::Int(self.int()?);
            self.eat(b",\"type\":\"").then_some(())?;
        } else {
            self.eat(b"{\"type\":\"").then_some(())?;
        }
        let (kind, _) = self.word()?;
        entry.kind = Some(Kind::named(self.symbols.name(kind))?);
        if self.eat(b",\"f\":\"") {
            entry.f = Some(self.word()?.0);
        }
        if self.eat(b",\"key\":") {
            entry.key = Some(self.value(0)?);
        }
        if self.eat(b",\"value\":") {
            entry.value = self.value(0)?;
        }
        entry.error = self.eat(b",\"error\":true");
        if self.eat(b",\"time\":") {
            entry.time_ns = self.int()?;
        }
        self.eat(b"}").then_some(entry)
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => self.int().map(Value::Int),
            b'[' if depth < DEPTH_MAX => self.list(depth),
            b'"' => {
                self.at += 1;
                let (symbol, keyword) = self.word()?;
                Some(if keyword { Value::Word(symbol) } else { Value::Text(symbol) })
            }
            b'n' => self.eat(b"null").then_some(Value::Nil),
            _ => None,
        }
    }

    fn list(&mut self, depth: u32) -> Option<Value> {
        self.at += 1;
        if self.eat(b"]") {
            return Some(Value::List(List::default()));
        }
        let first = self.usual.open.len();
        loop {
            let item = self.value(depth + 1)?;
            self.usual.open.push(item);
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(Value::List(List::of(self.usual.open.drain(first..))))
    }

    /// A whole number. What follows it is for the caller to see.
    #[inline]
    fn int(&mut self) -> Option<i64> {
        let minus = self.peek()? == b'-';
        let begin = self.at + usize::from(minus);
        let (mut number, mut at) = (0i64, begin);
        while let Some(digit) = self.text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
            at += 1;
        }
        if at == begin || at - begin > DIGITS_MAX {
            return None;
        }
        self.at = at;
        Some(if minus { -number } else { number })
    }

    /// A string whose opening quote was taken, and whether it is a keyword.
    #[inline]
    fn word(&mut self) -> Option<(Sym, bool)> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let keyword = self.peek()? == b':';
        let eight = self.text.get(self.at..self.at + 8).and_then(|eight| <[u8; 8]>::try_from(eight).ok());
        // Where among the next eight bytes the first quote is: the lowest byte that is zero without it.
        let eight = eight.map_or(0, u64::from_le_bytes);
        let others = eight ^ (ONES * u64::from(b'"'));
        let quotes = others.wrapping_sub(ONES) & !others & (ONES << 7);
        if quotes == 0 {
            return self.long_word().map(|symbol| (symbol, keyword));
        }
        let length = quotes.trailing_zeros() / 8;
        let bytes = eight & ((1 << (8 * length)) - 1) | u64::from(length) << 56;
        let slot = (bytes.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59) as usize % WORDS;
        if self.usual.words[slot].0 == bytes {
            self.at += length as usize + 1;
            return Some((self.usual.words[slot].1, keyword));
        }
        let symbol = self.long_word()?;
        self.usual.words[slot] = (bytes, symbol);
        Some((symbol, keyword))
    }

    /// The same for words that are not at hand.
    #[cold]
    fn long_word(&mut self) -> Option<Sym> {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n')).filter(|end| rest[*end] == b'"')?;
        let word = std::str::from_utf8(&rest[..end]).ok()?;
        self.at += end + 1;
        Some(self.symbols.intern(word.strip_prefix(':').unwrap_or(word)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::lex::Lexer;
    use super::super::parse::Parser;
    use super::super::scan::Scanner;
    use super::*;

    /// Entries as we write them, the last ones with what is left to the general parser.
    const LINES: [&str; 12] = [
        r#"{"process":0,"type":"invoke","f":"txn"}"#,
        r#"{"process":-12,"type":"ok","f":"txn","value":[[":append",3,1],[":r",4,[1,2]],[":r",5,[]]],"time":123456789}"#,
        r#"{"type":"fail","f":"cas","key":"x","value":[-1,999999999999999999],"error":true}"#,
        r#"{"process":1,"type":"info","f":"compare-and-set","value":null}"#,
        r#"{"process":2,"type":"invoke","value":[null,"",":",":a","äöü","wörd","1234567","12345678",[[[[]]]]]}"#,
        r#"{"process":2,"type":"info","f":"txn","value":[[":r",4,null],[":abcdef",4,[1,2,3,4,5,6,7,8,9]]]}"#,
        r#"{"process":7,"type":"ok","f":"read","value":"\"\u0041"}"#,
        r#"{"process":7,"type":"ok","f":"read","value":{"set":[1,2.5,true]}}"#,
        r#"{"process":7,"type":"ok","f":"read","value":[-9223372036854775808,9223372036854775808,007,-]}"#,
        r#"{"process":7,"type":"ok","f":"read","value":[[[[[[[[[[1]]]]]]]]]]}"#,
        r#"{ "process" : 7, "type" : "ok" }"#,
        r#"{"process":7,"type":"gone"}"#,
    ];

    /// Reads a line as the general parser does: what it is, or what is wrong and where; and what is left.
    fn general(line: &[u8], symbols: &mut Symbols) -> (String, Vec<u8>) {
        let mut lex = Lexer::new(Scanner::new(line), true);
        lex.own = true;
        let entry = Parser { lex: &mut lex, symbols, open: &mut Vec::new() }.entry(None);
        (format!("{entry:?}"), lex.scan.rest().to_vec())
    }

    #[test]
    fn lines_mean_what_the_general_parser_says() {
        let (mut quick, mut slow, mut usual) = (Symbols::default(), Symbols::default(), Usual::default());
        let (mut taken, mut left) = (0, 0);
        let mut both = |line: &[u8]| {
            let place = Place { line: 1, column: 1 };
            let read = match usual.entry(line, &mut quick, place) {
                Some((entry, bytes)) => {
                    taken += 1;
                    (format!("{:?}", Ok::<_, ()>(Some(entry))), line[bytes..].to_vec())
                }
                None => {
                    left += 1;
                    general(line, &mut quick)
                }
            };
            assert_eq!(read, general(line, &mut slow), "{}", String::from_utf8_lossy(line));
        };
        for line in LINES {
            let line = format!("{line}\n{{}}");
            let line = line.as_bytes();
            for end in 0..=line.len() {
                both(&line[..end]);
            }
            for at in 0..line.len() {
                for byte in *b"0-\"\\:,[]{} n\n\xff" {
                    let other = [&line[..at], &[byte], &line[at + 1..]].concat();
                    both(&other);
                    both(&[&line[..at], &[byte], &line[at..]].concat());
                }
                both(&[&line[..at], &line[at + 1..]].concat());
            }
        }
        assert!(taken > 1_000 && left > 1_000, "{taken} taken, {left} left");
    }

    #[test]
    fn what_we_write_is_usual() {
        for line in &LINES[..6] {
            let text = format!("{line}\n");
            let read = Usual::default().entry(text.as_bytes(), &mut Symbols::default(), Place { line: 1, column: 1 });
            assert_eq!(read.unwrap().1, line.len(), "{line}");
        }
    }
}
