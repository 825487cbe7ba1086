//! What models need to turn calls into actions: values by number, and names.

use history::calls::{Call, Sym, Symbols, Value, render};
use rustc_hash::FxHashMap;

/// Whole numbers below this are looked up in an array.
const SMALL: i64 = 1 << 22;

/// Values of a history by number. Number 0 is what objects hold at first.
pub struct Words<'a> {
    symbols: &'a Symbols,
    values: Vec<Value>,
    small: Vec<u32>,
    // Looked up only.
    numbers: FxHashMap<Value, u32>,
}

impl<'a> Words<'a> {
    /// Knows the value that objects hold at first.
    pub(super) fn new(symbols: &'a Symbols, initial: Value) -> Words<'a> {
        let mut words = Words { symbols, values: Vec::new(), small: Vec::new(), numbers: FxHashMap::default() };
        words.number(&initial);
        words
    }

    /// The number of a value.
    pub fn number(&mut self, value: &Value) -> u32 {
        if let Value::Int(n @ 0..SMALL) = value {
            let at = *n as usize;
            if self.small.len() <= at {
                self.small.resize((at + 1).next_power_of_two(), u32::MAX);
            }
            if self.small[at] == u32::MAX {
                self.small[at] = self.values.len() as u32;
                self.values.push(value.clone());
            }
            return self.small[at];
        }
        if let Some(&number) = self.numbers.get(value) {
            return number;
        }
        let number = self.values.len() as u32;
        self.values.push(value.clone());
        self.numbers.insert(value.clone(), number);
        number
    }

    /// The value of a number.
    pub fn value(&self, number: u32) -> &Value {
        &self.values[number as usize]
    }

    /// The value of a number, for people.
    pub fn show(&self, number: u32) -> String {
        render(self.value(number), self.symbols)
    }

    /// Replaces the numbers of values between two marks (as models write them) by the values.
    pub(super) fn spell(&self, text: &str) -> String {
        let mut parts = text.split('\u{1}');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            match part.split_once('\u{2}').and_then(|(number, rest)| Some((number.parse::<u32>().ok()?, rest))) {
                Some((number, rest)) if (number as usize) < self.values.len() => {
                    out.push_str(&self.show(number));
                    out.push_str(rest);
                }
                _ => out.push_str(part),
            }
        }
        out
    }

    /// A name.
    pub fn name(&self, symbol: Sym) -> &str {
        self.symbols.name(symbol)
    }

    /// What was called.
    pub fn f(&self, call: &Call) -> &'a str {
        self.symbols.name(call.f)
    }

    /// A value that no model understands, for messages.
    pub fn render(&self, value: &Value) -> String {
        render(value, self.symbols)
    }

    /// The text of a string, keyword or number; nil is the empty text.
    pub fn text(&self, value: &Value) -> Option<std::sync::Arc<str>> {
        match value {
            Value::Nil => Some("".into()),
            Value::Int(n) => Some(n.to_string().into()),
            Value::Text(symbol) | Value::Word(symbol) | Value::Number(symbol) => {
                Some(self.symbols.name(*symbol).into())
            }
            _ => None,
        }
    }

    /// The entry of a map by its name.
    pub fn entry<'v>(&self, map: &'v Value, name: &str) -> Option<&'v Value> {
        let is = |key: &Value| key.word().is_some_and(|symbol| self.symbols.name(symbol) == name);
        map.map()?.iter().find(|(key, _)| is(key)).map(|(_, value)| value)
    }
}
