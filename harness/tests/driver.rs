//! The client driver by itself: what it asks for again after its connection came and went.
#![allow(clippy::unwrap_used, reason = "tests")]

use harness::driver::{Common, Driver};
use history::{ConnectionState, Function};
use systems::Response;
use workloads::{ClientBehaviour, ClientPlan, PlannedCall, Reaction};

fn common() -> Common {
    Common { nodes: vec![0, 1], behaviour: ClientBehaviour::default(), ping_ns: 0 }
}

/// A client that holds two registrations in its first session.
fn holding_two(common: &Common) -> Driver {
    let reactions = vec![Reaction { reconnect_ns: 10, reregister_ns: 5 }];
    let mut driver = Driver::new(&ClientPlan { id: 3, pinned: false, node: 0, reactions });
    driver.plan(0, PlannedCall::Connect);
    for registration in 0..2 {
        driver.plan(20, PlannedCall::Publish { data: 0, registration });
    }
    let connect = driver.start(0, common).unwrap();
    driver.opened(connect);
    driver.connection(10, ConnectionState::Connected, 1, Some(0), common);
    driver.done(10, &ok(), 100);
    for _ in 1..3 {
        let publish = driver.start(20, common).unwrap();
        assert_eq!(publish.f, Function::Publish);
        driver.opened(publish);
        driver.done(21, &ok(), 100);
    }
    driver
}

fn ok() -> Response {
    Response::Ok { read: None }
}

/// Loses the connection and comes back in this session at the time given.
fn back(driver: &mut Driver, time: u64, state: ConnectionState, session: u32, common: &Common) {
    driver.connection(time - 50, ConnectionState::Lost, session, None, common);
    let connect = driver.start(time - 20, common).unwrap();
    assert_eq!(connect.f, Function::Connect);
    driver.opened(connect);
    driver.connection(time, state, session, Some(1), common);
    driver.done(time, &ok(), 100);
}

/// What it starts by itself from this time on, each ended ok at once.
fn publishes(driver: &mut Driver, time: u64, common: &Common) -> Vec<u32> {
    let mut out = Vec::new();
    while let Some(started) = driver.start(time, common) {
        assert_eq!(started.f, Function::Publish);
        out.push(started.registration.unwrap());
        driver.opened(started);
        driver.done(time, &ok(), 100);
    }
    out
}

#[test]
fn a_new_session_registers_all_again_and_a_resumed_one_nothing() {
    let common = common();
    let mut driver = holding_two(&common);
    back(&mut driver, 200, ConnectionState::Resumed, 1, &common);
    assert_eq!(publishes(&mut driver, 300, &common), Vec::<u32>::new());
    back(&mut driver, 500, ConnectionState::Connected, 2, &common);
    assert_eq!(publishes(&mut driver, 600, &common), vec![0, 1]);
}

#[test]
fn what_a_new_session_owes_is_not_forgotten_when_the_connection_is_lost_at_once_and_resumed() {
    let common = common();
    let mut driver = holding_two(&common);
    back(&mut driver, 200, ConnectionState::Connected, 2, &common);
    // One of the two is asked for and stays without an answer; the other is not even asked for.
    let first = driver.start(300, &common).unwrap();
    driver.opened(first);
    driver.connection(310, ConnectionState::Lost, 2, None, &common);
    driver.done(310, &Response::Info { error: "connection lost".to_owned() }, 101);
    let connect = driver.start(400, &common).unwrap();
    driver.opened(connect);
    driver.connection(410, ConnectionState::Resumed, 2, Some(1), &common);
    driver.done(410, &ok(), 101);
    assert_eq!(publishes(&mut driver, 500, &common), vec![0, 1]);
    // Once they are there, a further resumption asks for nothing.
    back(&mut driver, 700, ConnectionState::Resumed, 2, &common);
    assert_eq!(publishes(&mut driver, 800, &common), Vec::<u32>::new());
}
