//! Names of nodes, dataIds, clients and publishers, safe to show.

use history::{ClientId, ConnectionState, DataIx, FaultKind, Function, Header, NodeIx};
use std::fmt::Write;

/// Longest name that is shown whole.
const NAME_CHARS_MAX: usize = 120;

/// Makes text from outside safe for a terminal and a page: control characters (an escape sequence in a dataId) and marks
/// that turn the direction of writing are spelled out; what is too long loses its middle.
pub fn clean(text: &str) -> String {
    let length = text.chars().count();
    if length <= NAME_CHARS_MAX {
        return spell_out(text.chars());
    }
    let half = NAME_CHARS_MAX / 2;
    let head = spell_out(text.chars().take(half));
    let tail = spell_out(text.chars().skip(length - half));
    format!("{head}…{tail}")
}

/// As [`clean`] but of any length: for sentences.
pub fn clean_long(text: &str) -> String {
    spell_out(text.chars())
}

fn spell_out(characters: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    for c in characters {
        let turns =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if c.is_control() || turns {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// The node's name.
pub fn node(header: &Header, index: NodeIx) -> String {
    header.nodes.get(index as usize).map_or_else(|| format!("node {index}"), |node| clean(&node.name))
}

/// The dataId's name.
pub fn data_id(header: &Header, index: DataIx) -> String {
    header.data_ids.get(index as usize).map_or_else(|| format!("dataId {index}"), |name| clean(name))
}

/// `c17`.
pub fn client(id: ClientId) -> String {
    format!("c{id}")
}

/// `c3/0`: a publisher is a client and a registration; without one, the client.
pub fn publisher(id: ClientId, registration: Option<u32>) -> String {
    registration.map_or_else(|| client(id), |registration| format!("c{id}/{registration}"))
}

/// `clock step`.
pub fn fault_kind(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Kill => "kill",
        FaultKind::Pause => "pause",
        FaultKind::Partition => "partition",
        FaultKind::Delay => "delay",
        FaultKind::Loss => "loss",
        FaultKind::ClockStep => "clock step",
        FaultKind::ClockDrift => "clock drift",
        FaultKind::Slow => "slow",
        FaultKind::HalfDead => "half-dead",
        FaultKind::Duplicate => "duplicate",
        FaultKind::Reorder => "reorder",
        FaultKind::Throttle => "throttle",
        FaultKind::StaleTable => "stale table",
        FaultKind::Rebalance => "rebalance",
        FaultKind::MasterLag => "master lag",
    }
}

/// `publish`.
pub fn function(function: Function) -> &'static str {
    match function {
        Function::Connect => "connect",
        Function::Publish => "publish",
        Function::Unpublish => "unpublish",
        Function::Subscribe => "subscribe",
        Function::Unsubscribe => "unsubscribe",
        Function::Read => "read",
        Function::Ping => "ping",
        Function::Close => "close",
        Function::Vanish => "vanish",
    }
}

/// True where a client in this state has a connection.
pub fn is_connected(state: ConnectionState) -> bool {
    matches!(state, ConnectionState::Connected | ConnectionState::Resumed)
}

/// `a, b, c and 4 more`.
pub fn list(items: &[String], shown_max: usize) -> String {
    let shown = items.len().min(shown_max);
    let mut out = items[..shown].join(", ");
    if items.len() > shown {
        let _ = write!(out, " and {} more", crate::format::count((items.len() - shown) as u64));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_turned_text_are_spelled_out() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\n"), "a\\u{1b}[31mb\\u{202e}c\\u{a}");
        assert_eq!(clean("订单/结账"), "订单/结账");
    }

    #[test]
    fn long_names_lose_their_middle() {
        let shown = clean(&format!("{}{}", "a".repeat(500), "z".repeat(500)));
        assert_eq!(shown.chars().count(), NAME_CHARS_MAX + 1);
        assert!(shown.starts_with("aaa") && shown.ends_with("zzz"));
    }

    #[test]
    fn lists_say_how_many_more() {
        let items: Vec<String> = (0..5).map(client).collect();
        assert_eq!(list(&items, 3), "c0, c1, c2 and 2 more");
        assert_eq!(list(&items[..2], 3), "c0, c1");
    }
}
