//! A hot dataId: 7,000 publishers, 2,000 subscribers. Its cost is the differences and the pushes, not their product.
#![allow(clippy::unwrap_used)]

mod support;

use checkers::{Kind, Options, Verdict, check};
use history::{ConnectionState, Event, Function, MILLI, Outcome, PhaseName, Snapshot};
use support::{Writer, contract, counts, header};

const PUBLISHERS: u32 = 7_000;
const SUBSCRIBERS: u32 = 2_000;
const CHANGES: u32 = 150;

/// All register, then all subscribe; then one publisher after another changes its value and everybody is told.
fn history() -> Vec<Event> {
    let mut writer = Writer::default();
    let mut snapshots: Vec<Snapshot> = Vec::new();
    let name = |client: u32, n: u32| format!("10.{}.{}.1:80#{n}", client / 256, client % 256);
    for client in 0..PUBLISHERS + SUBSCRIBERS {
        writer.connection(0, client, ConnectionState::Connected, Some((client % 2, client)));
    }
    for client in 0..PUBLISHERS {
        writer.op(1, client, Function::Publish, Some((0, 0)), Some(&name(client, 0)), None, Some((Outcome::Ok, 2)));
    }
    let mut whole: Vec<String> = (0..PUBLISHERS).map(|c| name(c, 0)).collect();
    whole.sort();
    snapshots.push(Snapshot { id: 0, data: 0, base: None, add: whole, remove: Vec::new() });
    for client in PUBLISHERS..PUBLISHERS + SUBSCRIBERS {
        writer.op(3, client, Function::Subscribe, Some((0, 0)), None, None, Some((Outcome::Ok, 4)));
    }
    let mut told = |time: u64, snapshot: u32| {
        for client in PUBLISHERS..PUBLISHERS + SUBSCRIBERS {
            let session = client;
            let time = time * MILLI + u64::from(client);
            let push =
                history::Push { time, client, session, subscription: 0, data: 0, snapshot, version: None, node: None };
            writer.push_event(Event::Push(push));
        }
    };
    told(5, 0);
    for n in 1..=CHANGES {
        told(u64::from(n) * 5 + 8, n);
        let client = n * 37 % PUBLISHERS;
        let (old, new) = (name(client, 0), name(client, n));
        snapshots.push(Snapshot { id: n, data: 0, base: Some(n - 1), add: vec![new], remove: vec![old] });
    }
    for n in 1..=CHANGES {
        let (client, time) = (n * 37 % PUBLISHERS, u64::from(n) * 5 + 5);
        writer.op(
            time,
            client,
            Function::Publish,
            Some((0, 0)),
            Some(&name(client, n)),
            None,
            Some((Outcome::Ok, time + 2)),
        );
    }
    writer.phase(u64::from(CHANGES) * 5 + 20, PhaseName::End);
    snapshots.into_iter().map(Event::from).chain(writer.finish()).collect()
}

#[test]
fn a_hot_data_id() {
    let events = history();
    let report = check(&header(contract()), &events, &Options::default());
    assert_eq!(report.verdict, Verdict::Pass, "{:?} {:?}", report.reasons, counts(&report));
    let convergence = report.convergence.unwrap();
    assert_eq!(convergence.samples, u64::from(CHANGES) * u64::from(SUBSCRIBERS));
    assert!(convergence.calm.max <= 4 * MILLI);

    // The steps allowed are a small part of publishers times pushes (two thousand million).
    let frugal = Options { steps_max: 10_000_000, ..Options::default() };
    assert_eq!(check(&header(contract()), &events, &frugal).verdict, Verdict::Pass);
}

#[test]
fn one_lost_change_in_a_hot_data_id() {
    let mut events = history();
    // The last change never reaches the last subscriber.
    let last = events.iter().rposition(|e| matches!(e, Event::Push(_))).unwrap();
    events.remove(last);
    let report = check(&header(contract()), &events, &Options::default());
    assert_eq!(report.verdict, Verdict::Violation);
    assert_eq!(counts(&report).into_iter().collect::<Vec<_>>(), vec![(Kind::Stale, 1)]);
}

#[test]
fn threads_change_nothing() {
    let events = support::events(
        "0 c0 connected n0 s0\n0 c1 connected n1 s1\n1 c0 publish d0 a ok 2\n3 c1 subscribe d0 ok 4\n5 c1 push d0 a\n
         6 c0 publish d1/1 b ok 7\n8 c1 subscribe d1/1 ok 9\n10 c1 push d1/1 zz\n90 c1 push d0",
    );
    let judged = |threads| {
        let options = Options { threads, ..support::options() };
        serde_json::to_string(&check(&header(contract()), &events, &options)).unwrap()
    };
    assert_eq!(judged(1), judged(4));
    assert!(judged(1).contains("violation"));
}

/// The dataIds lie with different threads, and what is asked before an answer counts wherever it was asked.
#[test]
fn a_subscription_that_moves_to_another_data_id_is_judged_alike_on_any_number_of_threads() {
    let begin = "0 c0 connected n0 s0\n0 c1 connected n1 s1\n1 c0 publish d0 a ok 2\n1 c0 publish d1/1 b ok 3\n";
    let moves = [
        "5 c1 subscribe d1 info 20\n6 c1 subscribe d0 ok 8\n10 c1 push d0 a\n12 c0 publish d0 aa ok 13\n90 c1 push d0 aa",
        "5 c1 subscribe d0 ok 6\n7 c1 push d0 a\n8 c1 subscribe d1 ok 9\n10 c1 push d1 b\n11 c1 subscribe d0 ok 12\n90 c1 push d0",
        "5 c1 subscribe d1 ok 30\n6 c1 subscribe d0 ok 40\n10 c1 push d0 a\n11 c1 push d0 zz\n12 c1 subscribe d1 ok 13\n99 c1 ping ok 99",
        "5 c1 subscribe d1 ok 6\n7 c1 push d1 b\n9 c1 push d1 zz\n10 c1 lost\n11 c1 connected n0 s2\n12 c1 subscribe d0 ok 13\n99 c1 ping ok 99",
    ];
    for text in moves {
        let events = support::events(&format!("{begin}{text}"));
        let judged = |threads| {
            let options = Options { threads, ..support::options() };
            serde_json::to_string(&check(&header(contract()), &events, &options)).unwrap()
        };
        assert!(judged(1).contains("violation"), "{text}");
        assert!([2, 3].into_iter().all(|threads| judged(threads) == judged(1)), "{text}");
    }
}
