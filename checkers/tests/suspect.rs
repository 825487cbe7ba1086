//! Who is to blame, on observations made by hand: three session nodes, three data nodes, one cause at most.
#![allow(clippy::unwrap_used)]

use checkers::suspect::{Observation, Observations, Suspect, Way, locate};
use history::{MILLI, Nanos, Node};

const SECOND: Nanos = 1_000 * MILLI;

/// Session nodes are 0 to 2, data nodes 3 to 5. 40 writes, 40 reads and 20 pings a second, in turn through all of them, each
/// taking 4 to 6 ms; `alter` makes a fault of it.
fn seen(seconds: u64, alter: impl Fn(&mut Observation)) -> Observations {
    let node = |at: usize| {
        let role = if at < 3 { "session" } else { "data" };
        Node { name: format!("{role}-{}", at % 3 + 1), role: role.to_owned(), serves_clients: at < 3 }
    };
    let mut all = Vec::new();
    for number in 0..seconds * 100 {
        // A spread without a pattern, the same on every machine.
        let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (way, inner) = match number % 5 {
            0 | 1 => (Way::Write, true),
            2 | 3 => (Way::Read, true),
            _ => (Way::Answer, false),
        };
        let session = (mixed >> 17) as u32 % 3;
        let slot = (mixed >> 29) as u32 % 12;
        let took = 4 * MILLI + (mixed >> 40) % (2 * MILLI);
        let mut one = Observation {
            at: number * SECOND / 100,
            took,
            answered: true,
            way,
            session: Some(session),
            slot: inner.then_some(slot),
            data: inner.then_some(3 + slot % 3),
        };
        alter(&mut one);
        all.push(one);
    }
    Observations { nodes: (0..6).map(node).collect(), all }
}

fn in_trouble(one: &Observation) -> bool {
    (4 * SECOND..8 * SECOND).contains(&one.at)
}

fn named(alter: impl Fn(&mut Observation)) -> Option<Suspect> {
    locate(&seen(12, alter))
}

#[test]
fn nobody_is_accused_where_nothing_is_wrong() {
    assert_eq!(named(|_| {}), None);
}

#[test]
fn what_slows_everybody_down_accuses_nobody() {
    assert_eq!(named(|one| one.took *= if in_trouble(one) { 20 } else { 1 }), None);
}

#[test]
fn a_slow_data_node_is_named_with_its_time_and_the_figures() {
    let slow = |one: &mut Observation| {
        if in_trouble(one) && one.data == Some(4) {
            one.took += 10 * MILLI;
        }
    };
    let suspect = named(slow).unwrap();
    assert_eq!((suspect.node.as_str(), suspect.role.as_str()), ("data-2", "data"));
    assert!(suspect.confidence > 0.9, "{suspect:?}");
    assert!(suspect.from_ms.abs_diff(4_000) <= 500 && suspect.until_ms.abs_diff(8_000) <= 500, "{suspect:?}");
    assert!(suspect.reasoning.contains("against") && suspect.reasoning.contains("p90"), "{suspect:?}");
    assert!(suspect.runners_up.iter().all(|rival| rival.score < suspect.score && rival.left < 5.0));
}

#[test]
fn a_session_node_that_answers_nobody_is_told_from_its_links() {
    let dead = |one: &mut Observation| {
        if in_trouble(one) && one.session == Some(0) {
            (one.answered, one.took) = (false, 2 * SECOND);
        }
    };
    let suspect = named(dead).unwrap();
    assert_eq!(suspect.node, "session-1");
    assert!(suspect.reasoning.contains("slow to answer anything"), "{suspect:?}");
    let links = |one: &mut Observation| {
        if in_trouble(one) && one.session == Some(0) && one.slot.is_some_and(|slot| slot % 4 < 2) {
            one.took += 300 * MILLI;
        }
    };
    let suspect = named(links).unwrap();
    assert_eq!(suspect.node, "session-1");
    assert!(suspect.reasoning.contains("as quick as ever"), "{suspect:?}");
}

#[test]
fn silence_on_some_slots_only_is_told() {
    let stale = |one: &mut Observation| {
        if in_trouble(one) && one.session == Some(2) && matches!(one.slot, Some(3 | 7)) {
            (one.answered, one.took) = (false, 2 * SECOND);
        }
    };
    let suspect = named(stale).unwrap();
    assert_eq!(suspect.node, "session-3");
    assert!(suspect.reasoning.contains("silent on slots 3, 7 only"), "{suspect:?}");
}

#[test]
fn small_differences_and_old_habits_accuse_nobody() {
    let little = |one: &mut Observation| {
        if in_trouble(one) && one.data == Some(4) {
            one.took = one.took * 13 / 10;
        }
    };
    assert_eq!(named(little), None, "a third slower");
    // A leader answers at once, its followers ask it first: so it was all the time.
    let always = |times: u64| move |one: &mut Observation| one.took *= if one.data == Some(4) { times } else { 1 };
    assert_eq!(named(always(2)), None);
    assert_eq!(named(always(20)).unwrap().node, "data-2");
    let hiccup = |one: &mut Observation| {
        if (4 * SECOND..4 * SECOND + 300 * MILLI).contains(&one.at) && one.data == Some(4) {
            one.took += 300 * MILLI;
        }
    };
    assert_eq!(named(hiccup), None, "over in 0.3 s");
}

#[test]
fn without_a_routing_table_only_session_nodes_can_be_named() {
    let blind = |one: &mut Observation| {
        if in_trouble(one) && one.data == Some(4) {
            one.took += 10 * MILLI;
        }
        (one.slot, one.data) = (None, None);
    };
    assert_eq!(named(blind), None);
}
