//! Lists of values. Most are short, the parts of transactions above all: these are one piece of memory each, not two, and their
//! length costs nothing; the empty list is no memory at all.

use super::value::Value;
use std::array::from_fn;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// A list of values, read as a slice. It is made of a vector, or collected.
#[derive(Clone, Default)]
pub struct List(Kept);

/// Eight bytes and a tag, so that a [`Value`] is sixteen.
#[derive(Clone, Default)]
enum Kept {
    #[default]
    None,
    One(Box<[Value; 1]>),
    Two(Box<[Value; 2]>),
    Three(Box<[Value; 3]>),
    Four(Box<[Value; 4]>),
    #[expect(clippy::box_collection, reason = "a vector itself is three times the size")]
    Many(Box<Vec<Value>>),
}

impl List {
    /// Of as many values as the iterator says it has.
    pub(super) fn of(mut items: impl ExactSizeIterator<Item = Value>) -> List {
        let length = items.len();
        let mut next = |_| items.next().unwrap_or_default();
        List(match length {
            0 => Kept::None,
            1 => Kept::One(Box::new(from_fn(&mut next))),
            2 => Kept::Two(Box::new(from_fn(&mut next))),
            3 => Kept::Three(Box::new(from_fn(&mut next))),
            4 => Kept::Four(Box::new(from_fn(&mut next))),
            _ => Kept::Many(Box::new(items.collect())),
        })
    }

    /// The values, to be taken apart.
    pub fn into_vec(self) -> Vec<Value> {
        match self.0 {
            Kept::None => Vec::new(),
            Kept::One(items) => Vec::from(*items),
            Kept::Two(items) => Vec::from(*items),
            Kept::Three(items) => Vec::from(*items),
            Kept::Four(items) => Vec::from(*items),
            Kept::Many(items) => *items,
        }
    }
}

impl Deref for List {
    type Target = [Value];

    #[inline]
    fn deref(&self) -> &[Value] {
        match &self.0 {
            Kept::None => &[],
            Kept::One(items) => items.as_slice(),
            Kept::Two(items) => items.as_slice(),
            Kept::Three(items) => items.as_slice(),
            Kept::Four(items) => items.as_slice(),
            Kept::Many(items) => items,
        }
    }
}

impl From<Vec<Value>> for List {
    fn from(items: Vec<Value>) -> List {
        List::of(items.into_iter())
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> List {
        List::from(items.into_iter().collect::<Vec<Value>>())
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        **self == **other
    }
}

impl Eq for List {}

impl Hash for List {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl PartialOrd for List {
    fn partial_cmp(&self, other: &List) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for List {
    fn cmp(&self, other: &List) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_sixteen_bytes() {
        assert_eq!(size_of::<Value>(), 16);
        assert_eq!(size_of::<Option<Value>>(), 16);
    }

    #[test]
    fn lists_of_all_lengths_are_what_they_were_made_of() {
        for length in (0..=40).chain([1_000, 100_000]) {
            let values: Vec<Value> = (0..length).map(|n| Value::Int(i64::MIN + n)).collect();
            let list = List::from(values.clone());
            assert_eq!(*list, values[..]);
            assert_eq!(list, values.iter().cloned().collect());
            assert_eq!(list.clone().into_vec(), values);
            assert_eq!(format!("{list:?}"), format!("{values:?}"));
        }
    }

    #[test]
    fn order_is_that_of_slices() {
        let all = [vec![], vec![1], vec![1, 2, 3, 4, 5], vec![1, 3], vec![2, 0, 0, 0], vec![2, 0, 0, 0, 0, 0]];
        let lists = all.map(|list| list.into_iter().map(Value::Int).collect::<List>());
        assert!(lists.is_sorted());
        assert!(lists.windows(2).all(|two| two[0] != two[1]));
    }
}
