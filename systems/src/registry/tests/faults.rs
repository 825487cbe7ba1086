//! Each fault does what it says, and is measured.

use super::driver::Driver;
use super::world;
use crate::world::World;
use history::{FaultKind, MILLI, SECOND};
use nemesis::{Pick, PlannedFault, Selector, Shape};

pub fn fault(id: u32, kind: FaultKind, name: &str, shape: Shape, amount: i64) -> PlannedFault {
    let target = Selector { role: None, pick: Pick::Named(name.to_owned()), draw: 0 };
    PlannedFault { id, at: 0, duration: 0, kind, target, shape, amount }
}

fn running(seed: u64) -> Driver {
    let mut driver = Driver::new(world(12, seed, None), 12);
    for id in 0..12 {
        driver.connect(id, SECOND);
        let subscribe = crate::world::Request::Subscribe { data: id % 4, subscription: 0 };
        driver.clients[id as usize].subscribed.insert(0, id % 4);
        driver.clients[id as usize].held.insert((id % 4, 0), "first".into());
        let _ = subscribe;
    }
    driver.run_until(3 * SECOND);
    assert_eq!(driver.differences(), Vec::<String>::new());
    driver
}

/// Begins it, lifts it after `ms`, waits until its target serves; returns the effect.
fn suffer(driver: &mut Driver, fault: &PlannedFault, ms: u64) -> (bool, i64, String) {
    driver.begin(fault);
    let now = driver.world.now();
    driver.run_until(now + ms * MILLI);
    driver.world.end_fault(fault.id);
    driver.run_until(now + ms * MILLI + 20 * SECOND);
    assert_eq!(driver.differences(), Vec::<String>::new());
    let (_, bit, amount, unit) = driver.serving.get(&fault.id).cloned().expect("it serves again");
    (bit, amount, unit)
}

#[test]
fn a_killed_session_node_loses_its_clients_and_they_come_back() {
    let mut driver = running(1);
    let effect = suffer(&mut driver, &fault(1, FaultKind::Kill, "session-2", Shape::Isolate, 0), 4_000);
    assert_eq!((effect.0, effect.2.as_str()), (true, "ms without service"));
    assert!((4_000..8_000).contains(&effect.1), "{}", effect.1);
    assert_eq!(driver.lost, 4);
}

#[test]
fn a_killed_data_node_is_replaced_without_losing_a_client() {
    let mut driver = running(2);
    let effect = suffer(&mut driver, &fault(1, FaultKind::Kill, "data-1", Shape::Isolate, 0), 6_000);
    assert!(effect.0);
    assert_eq!(driver.lost, 0);
}

#[test]
fn a_killed_meta_leader_is_replaced_without_losing_a_client() {
    let mut driver = running(3);
    let leader = PlannedFault {
        target: Selector { role: Some("meta".to_owned()), pick: Pick::Leader, draw: 0 },
        ..fault(1, FaultKind::Kill, "", Shape::Isolate, 0)
    };
    assert!(suffer(&mut driver, &leader, 4_000).0);
    assert_eq!(driver.lost, 0);
}

#[test]
fn a_session_node_that_is_cut_off_fences_itself() {
    let mut driver = running(4);
    let effect = suffer(&mut driver, &fault(1, FaultKind::Partition, "session-1", Shape::Isolate, 0), 5_000);
    assert_eq!((effect.0, effect.2.as_str()), (true, "messages dropped"));
    assert_eq!(driver.lost, 4, "its clients were told to go");
}

#[test]
fn a_short_cut_costs_nobody_the_connection() {
    let mut driver = running(5);
    assert!(suffer(&mut driver, &fault(1, FaultKind::Partition, "session-1", Shape::Isolate, 0), 1_000).0);
    assert_eq!(driver.lost, 0);
}

#[test]
fn a_pause_delays_inputs() {
    let mut driver = running(6);
    let effect = suffer(&mut driver, &fault(1, FaultKind::Pause, "session-3", Shape::Isolate, 0), 1_000);
    assert_eq!((effect.0, effect.2.as_str()), (true, "inputs delayed"));
    assert!(effect.1 > 10);
    assert_eq!(driver.lost, 0);
}

#[test]
fn delay_loss_and_clocks_are_measured() {
    let mut driver = running(7);
    let delay = suffer(&mut driver, &fault(1, FaultKind::Delay, "data-2", Shape::Isolate, 100), 3_000);
    assert_eq!((delay.0, delay.2.as_str()), (true, "messages delayed"));
    let loss = suffer(&mut driver, &fault(2, FaultKind::Loss, "session-2", Shape::Clients, 200), 3_000);
    assert_eq!((loss.0, loss.2.as_str()), (true, "messages lost"));
    let step = suffer(&mut driver, &fault(3, FaultKind::ClockStep, "data-1", Shape::Isolate, -5_000), 3_000);
    assert_eq!(step, (true, -5_000, "ms of clock error".to_owned()));
    let drift = suffer(&mut driver, &fault(4, FaultKind::ClockDrift, "meta-1", Shape::Isolate, 50_000), 3_000);
    assert_eq!(drift, (true, 150, "ms of clock error".to_owned()));
}

#[test]
fn slow_and_half_dead_nodes_and_bad_links_are_measured() {
    for (id, name) in ["session-1", "data-1", "meta-1", "database"].into_iter().enumerate() {
        for kind in [FaultKind::Slow, FaultKind::HalfDead] {
            // In calm the database is asked for its lease only, which a half-dead one still answers.
            if kind == FaultKind::HalfDead && name == "database" {
                continue;
            }
            let mut driver = running(20 + id as u64);
            let (bit, amount, unit) = suffer(&mut driver, &fault(1, kind, name, Shape::Isolate, 2_000), 1_500);
            // A half-dead meta node has hardly anything to do but heartbeats.
            let least = if kind == FaultKind::HalfDead && name == "meta-1" { 1 } else { 6 };
            assert!(bit && amount >= least, "{kind:?} {name}: {amount}");
            assert_eq!(unit, "inputs delayed");
            assert_eq!(driver.lost, 0, "{kind:?} {name}: its heartbeats went on");
        }
    }
    let links = [
        (FaultKind::Duplicate, 300, "messages doubled"),
        (FaultKind::Reorder, 300, "messages out of turn"),
        (FaultKind::Throttle, 20_000, "messages held up"),
    ];
    for (kind, amount, expected) in links {
        let mut driver = running(30);
        let (bit, count, unit) = suffer(&mut driver, &fault(1, kind, "data-2", Shape::Isolate, amount), 3_000);
        assert!(bit && count > 5, "{kind:?}: {count}");
        assert_eq!(unit, expected);
    }
}

#[test]
fn a_stale_table_bites_where_slots_change_hands_meanwhile() {
    for (seed, name) in [(40, "session-1"), (41, "data-1"), (42, "data-3")] {
        let mut driver = running(seed);
        driver.begin(&fault(1, FaultKind::StaleTable, name, Shape::Isolate, 0));
        driver.begin(&fault(2, FaultKind::Rebalance, "", Shape::Isolate, 6));
        let now = driver.world.now();
        driver.run_until(now + SECOND);
        driver.world.end_fault(2);
        driver.run_until(now + 2 * SECOND);
        assert!(!driver.serving.contains_key(&2), "{name} does not know who leads what");
        driver.world.end_fault(1);
        driver.run_until(now + 20 * SECOND);
        let (_, bit, amount, unit) = &driver.serving[&2];
        assert!(*bit && *amount >= 4, "{name}: {amount} {unit}");
        assert_eq!(unit, "slots moved");
        assert!(driver.serving[&1].1, "{name}");
        assert_eq!((driver.serving[&1].2, driver.serving[&1].3.as_str()), (1, "tables behind"));
        assert_eq!(driver.differences(), Vec::<String>::new());
    }
    let mut driver = running(43);
    let alone = suffer(&mut driver, &fault(1, FaultKind::StaleTable, "data-1", Shape::Isolate, 0), 2_000);
    assert!(!alone.0, "no table changed: {alone:?}");
    driver.begin(&fault(2, FaultKind::StaleTable, "meta-1", Shape::Isolate, 0));
    let now = driver.world.now();
    driver.run_until(now + SECOND);
    assert_eq!(driver.missed[&2], "meta-1 has no table of others");
}

#[test]
fn a_half_dead_node_is_half_dead_once_and_can_be_killed() {
    let mut driver = running(10);
    driver.begin(&fault(1, FaultKind::HalfDead, "data-3", Shape::Isolate, 0));
    driver.begin(&fault(2, FaultKind::HalfDead, "data-3", Shape::Isolate, 0));
    driver.begin(&fault(3, FaultKind::Slow, "data-3", Shape::Isolate, 5_000));
    driver.run_until(4 * SECOND);
    driver.begin(&fault(4, FaultKind::Kill, "data-3", Shape::Isolate, 0));
    driver.run_until(5 * SECOND);
    for id in [1, 3, 4] {
        driver.world.end_fault(id);
    }
    driver.run_until(20 * SECOND);
    assert!(driver.serving[&1].1 && driver.serving[&4].1 && driver.serving.contains_key(&3));
    assert_eq!(driver.missed[&2], "data-3 is in that state already");
    assert_eq!(driver.differences(), Vec::<String>::new());
}

#[test]
fn a_paused_node_can_be_killed_and_the_pause_ends_in_peace() {
    let mut driver = running(8);
    let pause = fault(1, FaultKind::Pause, "data-3", Shape::Isolate, 0);
    let kill = fault(2, FaultKind::Kill, "data-3", Shape::Isolate, 0);
    let again = fault(3, FaultKind::Kill, "data-3", Shape::Isolate, 0);
    driver.begin(&pause);
    driver.run_until(4 * SECOND);
    driver.begin(&kill);
    driver.begin(&again);
    driver.run_until(5 * SECOND);
    driver.world.end_fault(1);
    driver.run_until(6 * SECOND);
    driver.world.end_fault(3);
    assert!(!driver.serving.contains_key(&1), "its target is down");
    driver.world.end_fault(2);
    driver.run_until(20 * SECOND);
    assert!(driver.serving[&1].1 && driver.serving[&2].1);
    assert_eq!(driver.missed[&3], "data-3 does not run");
    assert_eq!(driver.differences(), Vec::<String>::new());
}

#[test]
fn a_selector_without_a_match_is_missed() {
    let mut driver = running(9);
    driver.begin(&fault(1, FaultKind::Kill, "data-9", Shape::Isolate, 0));
    driver.begin(&fault(2, FaultKind::Partition, "data-1", Shape::Clients, 0));
    driver.run_until(4 * SECOND);
    assert_eq!(driver.missed.len(), 2);
    driver.world.end_fault(1);
    driver.run_until(5 * SECOND);
    assert!(driver.serving.is_empty());
}
