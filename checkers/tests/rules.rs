//! For every rule a history that just keeps it and one that breaks it by one step.
#![allow(clippy::unwrap_used)]

mod support;

use checkers::{Kind, check};
use history::{Contract, Copies, Keeper};
use support::{contract, counts, events, header, options};

fn kinds(contract: &Contract, text: &str) -> Vec<(Kind, u64)> {
    let report = check(&header(contract.clone()), &events(text), &options());
    for check in &report.checks {
        assert!(!check.reason.clone().unwrap_or_default().contains("broke down"), "{:?}", check.reason);
        for example in &check.examples {
            assert!(!example.sentence.is_empty() && !example.explained.is_empty());
        }
    }
    counts(&report).into_iter().collect()
}

/// A contract with some words changed.
fn with(change: impl Fn(&mut Contract)) -> Contract {
    let mut contract = contract();
    change(&mut contract);
    contract
}

/// c0 publishes `a` at 1-2; c1 is subscribed from 3-4.
const START: &str = "
    0 c0 connected n0 s0
    0 c1 connected n1 s1
    1 c0 publish d0 a ok 2
    3 c1 subscribe d0 ok 4
";

fn holds(contract: &Contract, text: &str) {
    assert_eq!(kinds(contract, &format!("{START}{text}")), vec![], "should hold: {text}");
}

fn breaks(contract: &Contract, text: &str, expected: &[Kind]) {
    let found: Vec<Kind> = kinds(contract, &format!("{START}{text}")).into_iter().map(|k| k.0).collect();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected, "should break: {text}");
}

#[test]
fn phantom() {
    holds(&contract(), "5 c1 push d0 a");
    breaks(&contract(), "5 c1 push d0 a zz", &[Kind::Phantom]);
    // Published, but for another dataId; under a fault it is just as wrong.
    breaks(&contract(), "5 c0 publish d1 b ok 6 \n 7 c1 push d0 a b", &[Kind::Phantom]);
    breaks(&contract(), "5 fault pause n0 90 \n 6 c1 push d0 a zz", &[Kind::Phantom]);
    // Shown before it is even asked for; then right in time.
    breaks(&contract(), "5 c1 push d0 b \n 6 c0 publish d0 b ok 7 \n 9 c1 push d0 b", &[Kind::Phantom]);
    holds(&contract(), "5 c0 publish d0 b ok 8 \n 6 c1 push d0 b");
}

#[test]
fn duplicate() {
    breaks(&contract(), "5 c1 push d0 a a", &[Kind::Duplicate]);
    let both = "5 c1 push d0 a \n 6 c0 publish d0 b ok 8 \n 7 c1 push d0 a b \n 9 c1 push d0 b";
    breaks(&contract(), both, &[Kind::Duplicate]);
    holds(&with(|c| c.atomic_replace = false), both);
}

#[test]
fn ghost() {
    let gone = "5 c1 push d0 a \n 10 c0 unpublish d0 ok 12 \n 22 c1 push d0";
    holds(&contract(), gone);
    holds(&contract(), "5 c1 push d0 a \n 10 c0 unpublish d0 ok 12 \n 22 c1 push d0 a \n 22 c1 push d0");
    // 10 ms after the ok it is allowed for the last time.
    breaks(
        &contract(),
        "5 c1 push d0 a \n 10 c0 unpublish d0 ok 12 \n 13 c1 push d0 \n 23 c1 push d0 a \n 24 c1 push d0",
        &[Kind::Ghost, Kind::Backwards],
    );
    // A fault allows any age until 20 ms after its end.
    let faulty = |t: u32| {
        format!(
            "5 c1 push d0 a \n 10 c0 unpublish d0 ok 12 \n 13 c1 push d0 \n 20 fault pause n0 30 \n {t} c1 push d0 a \n {t} c1 push d0"
        )
    };
    let back = with(|c| c.monotonic_pushes = false);
    holds(&back, &faulty(50));
    breaks(&back, &faulty(51), &[Kind::Ghost]);
    let bounded = with(|c| (c.monotonic_pushes, c.staleness_ms_max) = (false, Some(25)));
    holds(&bounded, &faulty(37));
    breaks(&bounded, &faulty(38), &[Kind::Ghost]);
}

#[test]
fn ghost_of_a_lost_client() {
    // Lost at 10: possible until 60, and 10 ms more in a view.
    holds(&contract(), "5 c1 push d0 a \n 10 c0 lost \n 70 c1 push d0");
    breaks(
        &contract(),
        "5 c1 push d0 a \n 10 c0 lost \n 71 c1 push d0 a \n 71 c1 push d0",
        &[Kind::Ghost, Kind::Stale],
    );
    breaks(&contract(), "5 c1 push d0 a \n 10 c0 lost \n 71 c1 push d0", &[Kind::Stale]);
    // Vanishing is no better.
    breaks(&contract(), "5 c1 push d0 a \n 10 c0 vanish \n 71 c1 push d0", &[Kind::Stale]);
    // A clean close that was confirmed ends it at once; one that was not is a lost connection.
    breaks(&contract(), "5 c1 push d0 a \n 10 c0 close ok 12 \n 23 c1 push d0", &[Kind::Stale, Kind::Late]);
    holds(&contract(), "5 c1 push d0 a \n 10 c0 close ok 12 \n 22 c1 push d0");
    holds(&contract(), "5 c1 push d0 a \n 10 c0 close info 12 \n 13 c0 lost \n 73 c1 push d0");
    breaks(&contract(), "5 c1 push d0 a \n 10 c0 close info 12 \n 13 c0 lost \n 74 c1 push d0", &[Kind::Stale]);
    // An attempt to come back whose outcome is unknown may have been a heartbeat.
    holds(&contract(), "5 c1 push d0 a \n 10 c0 lost \n 20 c0 connect info 25 \n 85 c1 push d0");
    breaks(&contract(), "5 c1 push d0 a \n 10 c0 lost \n 20 c0 connect info 25 \n 86 c1 push d0", &[Kind::Stale]);
}

#[test]
fn keeper_change_gives_full_leases() {
    let late = "5 c1 push d0 a \n 10 c0 lost \n 40 fault pause n1 55 \n 107 c1 push d0";
    // Recovery after the fault ends at 75; n1 does not keep the lease of c0.
    breaks(&contract(), late, &[Kind::Stale]);
    holds(&with(|c| c.lease_restarts_on_keeper_change = true), late);
    holds(&with(|c| c.lease_keeper = Keeper::AnyNode), late);
}

#[test]
fn incomplete() {
    breaks(&contract(), "13 c1 push d0", &[Kind::Incomplete]);
    // Not there yet 10 ms ago.
    holds(&contract(), "12 c1 push d0 \n 12 c1 push d0 a");
    // Late is allowed under a fault, less is not: it was never absent but before 2.
    holds(&contract(), "5 fault pause n1 90 \n 60 c1 push d0 \n 61 c1 push d0 a");
    breaks(
        &with(|c| c.staleness_ms_max = Some(40)),
        "5 fault pause n1 90 \n 60 c1 push d0 \n 61 c1 push d0 a",
        &[Kind::Incomplete, Kind::Stale],
    );
}

#[test]
fn leases_make_doubt() {
    let lost =
        |t: u32| format!("5 c1 push d0 a \n 10 c0 lost \n {t} c1 push d0 \n {t} c1 push d0 a \n 50 c0 resumed n0 s0");
    let calm = with(|c| c.monotonic_pushes = false);
    breaks(&calm, &lost(39), &[Kind::Incomplete]);
    holds(&calm, &lost(40));
    // The server confirmed at 50 that the session goes on: must be there again, 10 ms later the doubt is no excuse.
    let back =
        |t: u32| format!("5 c1 push d0 a \n 10 c0 lost \n 50 c0 resumed n0 s0 \n {t} c1 push d0 \n {t} c1 push d0 a");
    holds(&calm, &back(60));
    breaks(&calm, &back(61), &[Kind::Incomplete]);
    // Silence on the way does the same as a lost connection, and a ping ends the doubt.
    let cut = |ping: &str, t: u32| {
        format!("5 c1 push d0 a \n 10 fault partition n0-clients 45 \n {ping} \n {t} c1 push d0 \n {t} c1 push d0 a")
    };
    let strict = with(|c| (c.monotonic_pushes, c.staleness_ms_max) = (false, Some(10)));
    breaks(&strict, &cut("", 39), &[Kind::Incomplete]);
    holds(&strict, &cut("", 40));
    holds(&strict, &cut("", 90));
    breaks(&strict, &cut("46 c0 ping ok 47", 58), &[Kind::Incomplete]);
    holds(&strict, &cut("46 c0 ping info 47", 58));
    breaks(&strict, &cut("20 c0 ping ok 21", 49), &[Kind::Incomplete]);
}

#[test]
fn hops_behind_the_own_node() {
    let cut = |t: u32| {
        format!(
            "5 c1 push d0 a \n 10 fault partition n0-n1 45 \n 20 c0 ping ok 21 \n {t} c1 push d0 \n {t} c1 push d0 a"
        )
    };
    let strict = with(|c| (c.monotonic_pushes, c.staleness_ms_max) = (false, Some(10)));
    // The ping proves the session at n0, not that n0 was heard by the rest.
    breaks(&strict, &cut(39), &[Kind::Incomplete]);
    holds(&strict, &cut(40));
    let quick = Contract { node_lease_ms_min: Some(15), ..strict.clone() };
    breaks(&quick, &cut(24), &[Kind::Incomplete]);
    holds(&quick, &cut(25));
    // Where any node may be the keeper the ping was answered by it.
    let any = Contract { lease_keeper: Keeper::AnyNode, ..strict };
    breaks(&any, &cut(49), &[Kind::Incomplete]);
    // A fault on another node is none of its business with a keeper of its own.
    let other = "5 c1 push d0 a \n 10 fault pause n1 60 \n 55 c1 push d0 \n 55 c1 push d0 a";
    breaks(&Contract { lease_keeper: Keeper::OwnNode, ..any.clone() }, other, &[Kind::Incomplete]);
    holds(&any, other);
}

/// A node that works in part may answer its clients while what it owes the rest stands still, and the other way round.
#[test]
fn half_dead_and_slow_nodes_make_doubt_on_both_hops() {
    let strict = with(|c| (c.monotonic_pushes, c.staleness_ms_max) = (false, Some(10)));
    for kind in ["half-dead", "slow"] {
        let sick = |ping: &str, t: u32| {
            format!("5 c1 push d0 a \n 10 fault {kind} n0 45 \n {ping} \n {t} c1 push d0 \n {t} c1 push d0 a")
        };
        breaks(&strict, &sick("", 39), &[Kind::Incomplete]);
        holds(&strict, &sick("", 40));
        // The answer to the ping says nothing about the hop behind.
        holds(&strict, &sick("20 c0 ping ok 21", 40));
        // Only the clients of that node; and what is shown may be late, never less.
        let other = format!("5 c1 push d0 a \n 10 fault {kind} n1 60 \n 55 c1 push d0 \n 55 c1 push d0 a");
        breaks(&strict, &other, &[Kind::Incomplete]);
        breaks(&strict, &format!("5 fault {kind} n1 90 \n 6 c1 push d0 a zz"), &[Kind::Phantom]);
    }
    for kind in ["duplicate", "reorder", "throttle"] {
        let link =
            |t: u32| format!("5 c1 push d0 a \n 10 fault {kind} n0-clients 45 \n {t} c1 push d0 \n {t} c1 push d0 a");
        breaks(&strict, &link(39), &[Kind::Incomplete]);
        holds(&strict, &link(40));
        // Shown twice is shown twice, whatever the network does.
        breaks(&strict, &format!("5 fault {kind} n0-n1 90 \n 6 c1 push d0 a a"), &[Kind::Duplicate]);
    }
}

#[test]
fn a_killed_node() {
    let kill = |again: &str, t: u32| {
        format!("5 c1 push d0 a \n 10 fault kill n0 15 \n {again} \n {t} c1 push d0 \n {t} c1 push d0 a")
    };
    let frail = with(|c| (c.monotonic_pushes, c.survives_node_loss) = (false, false));
    holds(&frail, &kill("", 50));
    breaks(&Contract { survives_node_loss: true, ..frail.clone() }, &kill("", 50), &[Kind::Incomplete]);
    holds(&frail, &kill("20 c0 ping ok 21", 50));
    // Registered again with a new value.
    let again = |t: u32| {
        format!(
            "5 c1 push d0 a \n 10 fault kill n0 15 \n 20 c0 publish d0 b ok 21 \n 22 c1 push d0 b \n {t} c1 push d0 \n {t} c1 push d0 b"
        )
    };
    holds(&frail, &again(35));
    breaks(&frail, &again(36), &[Kind::Incomplete]);
}

#[test]
fn who_may_have_forgotten_the_newest() {
    let kept_by = |count: u32| {
        with(|c| {
            c.survives_node_loss = false;
            c.memory = Some(Copies { role: "server".to_owned(), count });
        })
    };
    // An earlier session still holds `a`; the only node that knew of `b` is killed.
    let moved = |node: &str| {
        format!(
            "5 c1 push d0 a \n 6 c0 lost \n 7 c0 connected {node} s2 \n 8 c0 publish d0 b ok 9 \n 10 c1 push d0 b \n 12 fault kill {node} 15 \n 14 c1 push d0 a"
        )
    };
    holds(&kept_by(1), &moved("n1"));
    // Another copy is left, or nobody forgets.
    breaks(&kept_by(2), &moved("n1"), &[Kind::Backwards]);
    breaks(&Contract { memory: None, ..kept_by(1) }, &moved("n1"), &[Kind::Backwards]);
    // One session's registrations go with its node, earlier ones too.
    let same = "5 c1 push d0 a \n 8 c0 publish d0 b ok 9 \n 10 c1 push d0 b \n 12 fault kill n0 15 \n 14 c1 push d0 a";
    breaks(&kept_by(1), same, &[Kind::Backwards]);
}

#[test]
fn unknown_outcomes() {
    let base = "5 c1 push d0 a \n";
    let info = format!("{base} 10 c0 publish d0 b info 20 \n 40 c1 push d0 b");
    holds(&contract(), &info);
    holds(&contract(), &format!("{base} 10 c0 publish d0 b info 20 \n 90 c0 ping ok 91"));
    breaks(
        &contract(),
        &format!("{base} 10 c0 publish d0 b fail 20 \n 40 c1 push d0 b \n 40 c1 push d0 a"),
        &[Kind::Stale, Kind::Backwards],
    );
    // Overtaken by a later ok: only where stale writes are rejected it is settled.
    let late = format!(
        "{base} 10 c0 publish d0 b info 20 \n 21 c0 publish d0 c ok 22 \n 23 c1 push d0 c \n 50 c1 push d0 b \n 50 c1 push d0 c"
    );
    breaks(&contract(), &late, &[Kind::Stale, Kind::Backwards]);
    holds(&with(|c| c.stale_writes_rejected = false), &late);
    // An unpublish of unknown outcome: may.
    holds(&contract(), &format!("{base} 10 c0 unpublish d0 info 20 \n 60 c1 push d0"));
    holds(&contract(), &format!("{base} 10 c0 unpublish d0 info 20 \n 60 c1 push d0 a"));
    // In flight for 5 ms more after the lease is over at 70.
    let afloat = |t: u32| {
        format!(
            "5 c1 push d0 a \n 6 c0 unpublish d0 ok 7 \n 8 c1 push d0 \n 10 c0 publish d0 b \n 20 c0 lost \n {t} c1 push d0 b \n {t} c1 push d0"
        )
    };
    holds(&contract(), &afloat(85));
    breaks(&contract(), &afloat(86), &[Kind::Ghost]);
}

#[test]
fn replacing() {
    // Exactly one of both values is there meanwhile.
    let hole = "5 c1 push d0 a \n 20 c0 publish d0 b ok 24 \n 22 c1 push d0 \n 25 c1 push d0 b";
    breaks(&contract(), hole, &[Kind::Incomplete, Kind::Backwards]);
    holds(&with(|c| c.atomic_replace = false), hole);
    // The old value is shown too long.
    holds(&contract(), "5 c1 push d0 a \n 20 c0 publish d0 b ok 24 \n 34 c1 push d0 b");
    breaks(&contract(), "5 c1 push d0 a \n 20 c0 publish d0 b ok 24 \n 35 c1 push d0 b", &[Kind::Stale, Kind::Late]);
}

#[test]
fn stale() {
    // c2 publishes and the view of c1 does not follow although another publisher flaps.
    let flap = "
        0 c2 connected n0 s2
        5 c1 push d0 a
        6 c2 publish d0 x ok 7
        8 c0 publish d0 b info 9
        18 c1 push d0 a x
        30 c0 publish d0 c info 31
    ";
    breaks(&contract(), flap, &[Kind::Stale, Kind::Late]);
    holds(&contract(), &flap.replace("18 c1", "17 c1"));
    // A subscription that was never served.
    holds(&contract(), "14 c1 ping ok 14");
    breaks(&contract(), "15 c1 ping ok 15", &[Kind::Stale]);
    holds(&contract(), "5 c1 unsubscribe d0 ok 6 \n 30 c1 ping ok 31");
    // Its answer is unknown: nothing can be said.
    let unknown = "5 c1 unsubscribe d0 ok 6 \n 7 c1 subscribe d0 info 8 \n 40 c1 ping ok 41";
    holds(&contract(), unknown);
    breaks(&contract(), &unknown.replace("info 8", "ok 8"), &[Kind::Stale]);
}

#[test]
fn nothing_asked_after_a_reconnect() {
    let mute =
        |until: u32| format!("5 c1 push d0 a \n 10 c1 lost \n 12 c1 connected n1 s3 \n {until} c1 ping ok {until}");
    holds(&contract(), &mute(90));
    let promised = with(|c| c.reregister_ms_max = Some(20));
    holds(&promised, &mute(42));
    breaks(&promised, &mute(43), &[Kind::Stale]);
    holds(
        &promised,
        "5 c1 push d0 a \n 10 c1 lost \n 12 c1 connected n1 s3 \n 20 c1 subscribe d0 ok 30 \n 35 c1 push d0 a \n 90 c1 ping ok 90",
    );
}

#[test]
fn news_of_an_older_session() {
    let text = "6 c1 push d0 a \n 7 c1 lost \n 8 c1 connected n1 s3 \n 9 c1 subscribe d0 ok 10 \n 11 c1 push d0 a
        12 c1 expired \n 20 c0 publish d0 b ok 21 \n 60 c0 ping ok 61";
    let mut list = events(&format!("{START}{text}"));
    // The present session expired: there is no view that could be stale.
    assert!(counts(&check(&header(contract()), &list, &options())).is_empty());
    for event in &mut list {
        match event {
            history::Event::Connection(c) if c.state == history::ConnectionState::Expired => c.session = 1,
            _ => {}
        }
    }
    let found = counts(&check(&header(contract()), &list, &options()));
    assert_eq!(found.into_iter().collect::<Vec<_>>(), vec![(Kind::Stale, 1)]);
}

#[test]
fn absurd_bounds_are_for_ever() {
    let endless = with(|c| (c.visible_ms_max, c.lease_ms_min, c.lease_ms_max) = (u64::MAX, u64::MAX, u64::MAX));
    holds(&endless, "5 c1 push d0 a \n 10 c0 unpublish d0 ok 12 \n 90 c1 push d0");
}

#[test]
fn an_empty_first_push() {
    let empty = |t: u32| format!("13 c1 push d0 \n {t} c1 push d0 a");
    breaks(&contract(), &empty(14), &[Kind::Incomplete]);
    let allowed = with(|c| c.first_push_may_be_empty = true);
    holds(&allowed, &empty(14));
    // Its successor is due 10 ms after the subscribe was confirmed.
    breaks(&allowed, "5 c1 push d0 \n 15 c1 push d0 a", &[Kind::Stale]);
    holds(&allowed, "5 c1 push d0 \n 14 c1 push d0 a");
}

#[test]
fn torn() {
    let two = "
        0 c2 connected n0 s2
        5 c2 publish d0 x ok 6
        7 c1 push d0 a x
        10 c0 publish d0 b ok 11
        12 c2 publish d0 y ok 13
    ";
    let torn = format!("{two} 14 c1 push d0 a y \n 15 c1 push d0 b y");
    let atomic = with(|c| c.atomic_snapshots = true);
    holds(&contract(), &torn);
    breaks(&atomic, &torn, &[Kind::Torn]);
    holds(&atomic, &format!("{two} 14 c1 push d0 b x \n 15 c1 push d0 b y"));
    holds(&atomic, &format!("{two} 14 c1 push d0 a x \n 15 c1 push d0 b y"));
}

#[test]
fn backwards() {
    let again = "5 c1 push d0 a \n 6 c0 publish d0 b ok 7 \n 8 c1 push d0 b \n 9 c1 push d0 a \n 10 c1 push d0 b";
    breaks(&contract(), again, &[Kind::Backwards]);
    holds(&with(|c| c.monotonic_pushes = false), again);
    // Seen, then not there, then there again.
    let blink = "5 c1 push d0 a \n 6 c1 push d0 \n 7 c1 push d0 a";
    breaks(&contract(), blink, &[Kind::Backwards]);
    let taken = "5 c1 push d0 a \n 6 c0 unpublish d0 ok 8 \n 7 c1 push d0";
    holds(&contract(), taken);
    breaks(&contract(), &format!("{taken} \n 9 c1 push d0 a \n 10 c1 push d0"), &[Kind::Backwards]);
    // Another subscription starts anew.
    holds(
        &contract(),
        "5 c1 push d0 a \n 6 c0 publish d0 b ok 7 \n 8 c1 push d0 b \n 9 c1 subscribe d0 ok 10 \n 11 c1 push d0 a \n 12 c1 push d0 b",
    );
}

#[test]
fn versions() {
    let fell = "5 c1 push d0 a v7 \n 6 c1 push d0 a v6";
    breaks(&contract(), fell, &[Kind::VersionFell]);
    holds(&with(|c| c.monotonic_versions = false), fell);
    holds(&contract(), "5 c1 push d0 a v7 \n 6 c1 push d0 a v7 \n 7 c1 subscribe d0 ok 8 \n 9 c1 push d0 a v1");
}

#[test]
fn late() {
    // Under a fault a change may take until 20 ms after its end.
    let slow = |t: u32| {
        format!(
            "5 c1 push d0 a \n 10 fault pause n0 30 \n 20 c0 publish d0 b ok 22 \n {t} c1 push d0 b \n 60 c1 ping ok 60"
        )
    };
    holds(&contract(), &slow(50));
    breaks(&contract(), &slow(51), &[Kind::Late, Kind::Stale]);
}

#[test]
fn wrong_at_end() {
    let finals = |view: &str, read: &str| {
        format!(
            "5 c1 push d0 a \n 8 c0 publish d0 b ok 9 \n 12 c1 push d0 {view} \n 60 phase final \n 61 c3 read d0 {read} ok 62"
        )
    };
    holds(&contract(), &finals("b", "b"));
    breaks(&contract(), &finals("a", "b"), &[Kind::Stale, Kind::WrongAtEnd]);
    breaks(&contract(), &finals("b", "a"), &[Kind::WrongAtEnd]);
    breaks(&contract(), &finals("b", ""), &[Kind::WrongAtEnd]);
    breaks(&contract(), &finals("b", "b zz"), &[Kind::WrongAtEnd]);
}

#[test]
fn reads() {
    let read = |shown: &str, at: u32| {
        let end = at + 1;
        format!("5 c1 push d0 a \n 20 c0 publish d0 b ok 22 \n 23 c1 push d0 b \n {at} c1 read d0 {shown} ok {end}")
    };
    holds(&contract(), &read("a", 32));
    breaks(&contract(), &read("a", 33), &[Kind::Stale]);
    breaks(&contract(), &read("", 33), &[Kind::Incomplete]);
    let linear = with(|c| c.linearizable_reads = true);
    holds(&linear, &read("a", 22));
    breaks(&linear, &read("a", 23), &[Kind::Stale]);
    breaks(&linear, &read("", 23), &[Kind::Stale]);
    holds(&linear, &read("b", 23));
}

#[test]
fn a_registration_that_is_owed() {
    let promised = with(|c| c.reregister_ms_max = Some(30));
    // c0 comes back at 12 in a new session and never registers again; the registry forgets it by 70 at the latest.
    let forgetful = |t: u32| {
        format!("5 c1 push d0 a \n 10 c0 lost \n 12 c0 connected n0 s3 \n 41 c1 push d0 \n {t} c1 ping ok {t}")
    };
    holds(&promised, &forgetful(52));
    breaks(&promised, &forgetful(53), &[Kind::Stale]);
    holds(&contract(), &forgetful(200));
    let pushed = |t: u32| format!("{} \n {t} c1 push d0", forgetful(42));
    breaks(&promised, &pushed(53), &[Kind::Incomplete, Kind::Stale]);
    // Taken back, or registered again: nothing is owed.
    let before = "5 c1 push d0 a \n 6 c0 unpublish d0 ok 7 \n 8 c1 push d0 \n 10 c0 lost \n 12 c0 connected n0 s3 \n 90 c1 ping ok 90";
    holds(&promised, before);
    let again = "5 c1 push d0 a \n 10 c0 lost \n 12 c0 connected n0 s3 \n 20 c0 publish d0 b ok 21 \n 25 c1 push d0 b \n 200 c1 ping ok 200";
    holds(&promised, again);
    // A fault on the way stops the clock.
    let faulty = "5 c1 push d0 a \n 10 c0 lost \n 12 c0 connected n0 s3 \n 30 fault pause n0 60 \n 75 c1 push d0 \n 100 c1 ping ok 100";
    holds(&promised, faulty);
    breaks(&promised, &faulty.replace("100", "101"), &[Kind::Stale]);
}

#[test]
fn two_sessions() {
    let quiet = with(|c| c.monotonic_pushes = false);
    // The old session's value is possible until its lease is over, the new one's must be there.
    let both = |shown: &str, t: u32| {
        format!(
            "5 c1 push d0 a \n 10 c0 lost \n 12 c0 connected n0 s3 \n 13 c0 publish d0 b ok 14 \n 15 c1 push d0 b \n {t} c1 push d0 {shown} \n {t} c1 push d0 b"
        )
    };
    holds(&quiet, &both("a", 70));
    breaks(&quiet, &both("a", 71), &[Kind::Stale]);
    breaks(&quiet, &both("", 25), &[Kind::Incomplete]);
    // Replacing another session's element may leave a hole.
    holds(&quiet, &both("", 24));
}
