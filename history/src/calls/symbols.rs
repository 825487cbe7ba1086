//! Words of a history, each kept once.

use rustc_hash::FxHashMap;
use std::sync::Arc;

/// One word of a [`Symbols`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sym(pub u32);

/// Words by number and numbers by word.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    names: Vec<Arc<str>>,
    // Looked up only, so its order never shows.
    numbers: FxHashMap<Arc<str>, u32>,
}

impl Symbols {
    /// The number of a word, a new one if it is new.
    pub fn intern(&mut self, name: &str) -> Sym {
        if let Some(&number) = self.numbers.get(name) {
            return Sym(number);
        }
        let name: Arc<str> = name.into();
        let number = u32::try_from(self.names.len()).expect("fewer than 2^32 words");
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        Sym(number)
    }

    /// The word of a number that [`Symbols::intern`] gave out.
    pub fn name(&self, symbol: Sym) -> &str {
        &self.names[symbol.0 as usize]
    }

    /// The number of a word, if it occurs.
    pub fn find(&self, name: &str) -> Option<Sym> {
        self.numbers.get(name).map(|&number| Sym(number))
    }
}
