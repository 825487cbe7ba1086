//! Numbers of the elements of lists. Most elements are small whole numbers, a few of them for each key: these are looked up in a
//! table, all others by their hash.

use super::super::history::NONE;
use history::calls::Value;
use rustc_hash::{FxHashMap, FxHashSet};

/// The table of a key has so many places for each element of its longest list, and at least so many.
const PLACES_PER_ELEMENT: usize = 4;
const PLACES_MIN: usize = 16;
/// Places for elements that are larger than those that were read: the last appends to a key often were not.
const PLACES_MORE: usize = 8;
/// An element that was appended and never read.
const NEVER: u32 = NONE - 1;

/// Versions by key and element.
#[derive(Default)]
pub(super) struct Elements<'a> {
    /// Where the table of each key begins; the last entry is the end of the last.
    starts: Vec<usize>,
    table: Vec<u32>,
    // Looked up only.
    others: FxHashMap<(u32, &'a Value), u32>,
    never: FxHashSet<(u32, &'a Value)>,
}

impl<'a> Elements<'a> {
    /// With a table for each key, as large as its longest list needs it; empty.
    pub(super) fn of(longest: &[&'a [Value]]) -> Elements<'a> {
        let mut starts = Vec::with_capacity(longest.len() + 1);
        let mut end = 0;
        for list in longest {
            starts.push(end);
            let most = (PLACES_PER_ELEMENT * list.len()).max(PLACES_MIN);
            let ints = list.iter().filter_map(|element| element.int().and_then(|n| usize::try_from(n).ok()));
            end += ints.filter(|n| *n < most).max().map_or(0, |n| n + 1) + PLACES_MORE;
        }
        starts.push(end);
        Elements { starts, table: vec![NONE; end], ..Elements::default() }
    }

    /// The place of an element in the table, if it has one.
    fn place(&self, key: u32, element: &Value) -> Option<usize> {
        let number = usize::try_from(element.int()?).ok()?;
        let (start, end) = (self.starts[key as usize], self.starts[key as usize + 1]);
        (number < end - start).then_some(start + number)
    }

    /// The version that an element made.
    pub(super) fn get(&self, key: u32, element: &Value) -> Option<u32> {
        match self.place(key, element) {
            Some(place) => Some(self.table[place]).filter(|version| *version < NEVER),
            None => self.others.get(&(key, element)).copied(),
        }
    }

    /// Gives a new element its version; false if it is known already.
    pub(super) fn insert_new(&mut self, key: u32, element: &'a Value, version: u32) -> bool {
        if let Some(place) = self.place(key, element) {
            let free = self.table[place] == NONE;
            if free {
                self.table[place] = version;
            }
            return free;
        }
        let known = self.others.len();
        self.others.entry((key, element)).or_insert(version);
        self.others.len() > known
    }

    /// Notes that an element which has no version was appended; false if that was noted before.
    pub(super) fn insert_never(&mut self, key: u32, element: &'a Value) -> bool {
        match self.place(key, element) {
            Some(place) => std::mem::replace(&mut self.table[place], NEVER) != NEVER,
            None => self.never.insert((key, element)),
        }
    }
}
