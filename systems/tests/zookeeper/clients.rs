//! What clients can do, and what they may not do by themselves.

use super::bench::{Bench, alone, quick, skip};
use history::ConnectionState;
use systems::zookeeper::{Barrier, ZooKeeperConfig};
use systems::{Happening, Request, Response, World};
use workloads::ClientBehaviour;

#[test]
fn publish_replace_unpublish_are_pushed_and_read() {
    if skip("publish_replace_unpublish_are_pushed_and_read") {
        return;
    }
    let _alone = alone();
    let mut bench = Bench::start("smoke", ClientBehaviour::default());
    assert_eq!(bench.world.info().name.version, "3.8.0");
    for client in 0..3 {
        bench.connect(client, client);
    }
    bench.ok(2, Request::Subscribe { data: 1, subscription: 0 });
    assert!(bench.pushed(2, 1000, &[]), "the first push is empty: nobody has published");
    bench.publish(0, 1, "10.0.0.0:9000#1");
    assert!(bench.pushed(2, 2000, &["10.0.0.0:9000#1"]));
    bench.publish(1, 1, "a/b %#1");
    assert!(bench.pushed(2, 2000, &["10.0.0.0:9000#1", "a/b %#1"]), "{:?}", bench.pushes(2));
    bench.publish(0, 1, "10.0.0.0:9000#2");
    assert!(bench.pushed(2, 2000, &["10.0.0.0:9000#2", "a/b %#1"]));
    assert_eq!(bench.read(0, 1), ["10.0.0.0:9000#2", "a/b %#1"]);
    bench.ok(1, Request::Unpublish { data: 1, registration: 0, value: "a/b %#1".into() });
    assert_eq!(bench.read(2, 1), ["10.0.0.0:9000#2"]);
    // A replacement is one transaction: at no time both values or none.
    let first = |push: &Vec<std::sync::Arc<str>>| push.iter().filter(|value| value.starts_with("10.0.0.0")).count();
    assert!(bench.pushes(2).iter().skip(1).all(|push| first(push) == 1), "{:?}", bench.pushes(2));
    let versions: Vec<u64> = bench
        .seen
        .iter()
        .filter_map(|seen| match &seen.what {
            Happening::Push { version, .. } => *version,
            _ => None,
        })
        .collect();
    assert!(versions.is_sorted() && versions.len() >= 4, "{versions:?}");
    assert!(bench.seen.is_sorted_by_key(|seen| seen.time));
    assert!(bench.world.bytes_received() > 0);
}

#[test]
fn a_vanished_session_goes_on_until_it_expires_and_a_resumed_one_lives() {
    if skip("a_vanished_session_goes_on_until_it_expires_and_a_resumed_one_lives") {
        return;
    }
    let _alone = alone();
    let mut bench = Bench::start("vanish", ClientBehaviour::default());
    for client in 0..4 {
        bench.connect(client, client % 3);
    }
    for client in 0..3 {
        bench.publish(client, 0, &format!("v{client}#1"));
    }
    assert_eq!(bench.read(3, 0), ["v0#1", "v1#1", "v2#1"]);
    bench.submit(0, Request::Vanish);
    let vanished = bench.world.now();
    bench.ok(1, Request::Close);
    assert_eq!(bench.read(3, 0), ["v0#1", "v2#1"], "a close takes effect at once, a vanished session lives on");
    // Resumed elsewhere: the publication is still there and still belongs to it.
    bench.ok(2, Request::Connect { node: 0, resume: true });
    assert_eq!(bench.states(2), [ConnectionState::Connected, ConnectionState::Lost, ConnectionState::Resumed]);
    bench.publish(2, 0, "v2#2");
    bench.ok(3, Request::Subscribe { data: 0, subscription: 7 });
    assert!(bench.pushed(3, 10_000, &["v2#2"]), "the vanished session expires: {:?}", bench.pushes(3));
    let lasted_ms = (bench.world.now() - vanished) / 1_000_000;
    let contract = bench.world.info().contract.clone();
    assert!((contract.lease_ms_min..=contract.lease_ms_max).contains(&lasted_ms), "{lasted_ms} ms");
    assert_eq!(bench.states(0), [ConnectionState::Connected], "a vanished client sees nothing");
    assert_eq!(bench.states(1), [ConnectionState::Connected, ConnectionState::Closed]);
}

#[test]
fn a_new_session_replaces_what_the_old_one_left() {
    if skip("a_new_session_replaces_what_the_old_one_left") {
        return;
    }
    let _alone = alone();
    let mut bench = Bench::start("again", ClientBehaviour::default());
    bench.connect(0, 0);
    bench.connect(1, 1);
    bench.ok(1, Request::Subscribe { data: 2, subscription: 0 });
    bench.publish(0, 2, "v#1");
    bench.submit(0, Request::Vanish);
    bench.connect(0, 1);
    bench.publish(0, 2, "v#2");
    assert_eq!(bench.read(1, 2), ["v#2"], "the old node does not stay beside the new one");
    bench.pause(4500);
    assert_eq!(bench.read(1, 2), ["v#2"], "the end of the old session takes nothing of the new one");
    assert!(bench.pushes(1).iter().skip(1).all(|push| push.len() == 1), "{:?}", bench.pushes(1));
    // Offering a session that is over: the server says so, nothing is resumed.
    bench.ok(0, Request::Close);
    bench.connect(0, 2);
    bench.publish(0, 2, "v#3");
    assert_eq!(bench.read(1, 2), ["v#3"]);
}

#[test]
fn watches_do_not_come_back_by_themselves() {
    if skip("watches_do_not_come_back_by_themselves") {
        return;
    }
    let _alone = alone();
    let config = ZooKeeperConfig { barrier: Barrier::Sync, careless_watch_gap_ms: 300, ..quick() };
    let behaviour = ClientBehaviour { watch_before_read: false, ..ClientBehaviour::default() };
    let mut bench = Bench::with(config, "rewatch", 10, 4, behaviour);
    assert!(!bench.world.info().contract.linearizable_reads, "sync is not a quorum's word");
    bench.connect(0, 0);
    bench.connect(1, 1);
    bench.ok(1, Request::Subscribe { data: 0, subscription: 0 });
    bench.publish(0, 0, "lost#1");
    bench.pause(1000);
    assert_eq!(bench.pushes(1).len(), 1, "this client reads first and watches later: the change between is lost to it");
    bench.publish(0, 0, "seen#2");
    assert!(bench.pushed(1, 1000, &["seen#2"]), "{:?}", bench.pushes(1));
    bench.ok(1, Request::Connect { node: 2, resume: true });
    let pushes = bench.pushes(1).len();
    bench.pause(1000);
    bench.publish(0, 0, "after#3");
    bench.pause(1000);
    assert_eq!(bench.pushes(1).len(), pushes, "a resumed session has no watches");
    bench.ok(1, Request::Subscribe { data: 0, subscription: 0 });
    assert!(bench.pushed(1, 1000, &["after#3"]));
    bench.ok(1, Request::Unsubscribe { data: 0, subscription: 0 });
    bench.pause(500);
    let pushes = bench.pushes(1).len();
    bench.publish(0, 0, "quiet#4");
    bench.pause(700);
    assert_eq!(bench.pushes(1).len(), pushes);
}

#[test]
fn what_cannot_be_done_fails_at_once() {
    if skip("what_cannot_be_done_fails_at_once") {
        return;
    }
    let _alone = alone();
    let mut bench = Bench::start("fail", ClientBehaviour::default());
    assert!(matches!(bench.call(0, Request::Ping), Response::Fail { error } if error == "not connected"));
    assert!(matches!(bench.call(0, Request::Connect { node: 9, resume: false }), Response::Fail { .. }));
    bench.connect(0, 0);
    bench.ok(0, Request::Ping);
    // A vanished session is not resumed: there is nothing left to offer.
    bench.submit(0, Request::Vanish);
    bench.ok(0, Request::Connect { node: 0, resume: true });
    assert_eq!(bench.states(0), [ConnectionState::Connected, ConnectionState::Connected]);
}
