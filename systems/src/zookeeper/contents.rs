//! Lists of children as contents. Many subscribers read the same bytes; they are taken apart once and shared.
//!
//! This saves memory and time, it decides nothing: two lists share a content only if they are equal byte for byte.

use super::jute::JuteError;
use super::names::value_of;
use super::protocol::children_names;
use history::DataIx;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many contents of each dataId are remembered.
const REMEMBERED: usize = 4;

/// A content as an observation carries it.
pub type Content = Arc<[Arc<str>]>;

/// Lists of one dataId as they came, each with its content; the oldest first.
type Seen = VecDeque<(Box<[u8]>, Content)>;

/// Contents seen lately, by dataId.
#[derive(Debug)]
pub struct Contents {
    seen: Vec<Mutex<Seen>>,
}

impl Contents {
    /// Nothing seen yet of these many dataIds.
    pub fn new(data_ids: u32) -> Self {
        Contents { seen: (0..data_ids).map(|_| Mutex::default()).collect() }
    }

    /// The values in a list of children.
    pub fn of(&self, data: DataIx, list: &[u8]) -> Result<Content, JuteError> {
        let Some(seen) = self.seen.get(data as usize) else { return parse(list, None) };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, content)) = seen.iter().find(|(bytes, _)| **bytes == *list) {
            return Ok(content.clone());
        }
        let content = parse(list, seen.back().map(|(_, content)| content))?;
        if seen.len() == REMEMBERED {
            seen.pop_front();
        }
        seen.push_back((list.into(), content.clone()));
        Ok(content)
    }
}

/// Values that the content before has too share its strings.
fn parse(list: &[u8], before: Option<&Content>) -> Result<Content, JuteError> {
    let mut values: Vec<String> = children_names(list)?.iter().map(|name| value_of(name)).collect();
    values.sort_unstable();
    let known = before.map_or(&[][..], |content| &content[..]);
    let share = |value: String| match known.binary_search_by(|other| (**other).cmp(value.as_str())) {
        Ok(at) => known[at].clone(),
        Err(_) => Arc::from(value),
    };
    Ok(values.into_iter().map(share).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::zookeeper::jute::Writer;

    fn list(names: &[&str]) -> Vec<u8> {
        let mut w = Writer::frame();
        w.int(names.len() as i32);
        names.iter().for_each(|name| {
            w.string(name);
        });
        w.finish()[4..].to_vec()
    }

    #[test]
    fn equal_lists_share_and_different_ones_do_not() {
        let contents = Contents::new(1);
        let first = contents.of(0, &list(&["c2.0=b#1", "c1.0=a#1"])).unwrap();
        assert_eq!(first.iter().map(|v| &**v).collect::<Vec<_>>(), ["a#1", "b#1"]);
        assert!(Arc::ptr_eq(&first, &contents.of(0, &list(&["c2.0=b#1", "c1.0=a#1"])).unwrap()));
        let second = contents.of(0, &list(&["c1.0=a#1", "c3.0=a#1"])).unwrap();
        assert_eq!(second.len(), 2, "a content is a multiset");
        assert!(Arc::ptr_eq(&first[0], &second[0]));
        assert!(contents.of(0, &[0, 0, 0, 9]).is_err());
        assert_eq!(contents.of(7, &list(&["x"])).unwrap()[0].as_ref(), "x");
    }
}
