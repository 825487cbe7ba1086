//! Faults on a real ensemble: each bites, says how much, and is over when its target serves again.

use super::bench::{Bench, alone, skip};
use history::{ConnectionState, FaultKind, FaultStage};
use nemesis::{Pick, Shape};
use systems::{Request, Response, World};
use workloads::ClientBehaviour;

#[test]
fn a_killed_leader_is_replaced_and_its_clients_resume() {
    if skip("a_killed_leader_is_replaced_and_its_clients_resume") {
        return;
    }
    let _alone = alone();
    let mut bench = Bench::start("kill", ClientBehaviour::default());
    for client in 0..3 {
        bench.connect(client, client);
        bench.publish(client, 0, &format!("v{client}#1"));
    }
    let fault = bench.fault(1, FaultKind::Kill, Pick::Leader, Shape::default(), 0);
    assert_eq!(fault.stage, FaultStage::Start, "{fault:?}");
    assert!(fault.detail.contains("(leader)"), "{}", fault.detail);
    let node = bench.node(&fault.nodes[0]);
    let lost = bench.until(5000, |what| match what {
        systems::Happening::Connection { client, state: ConnectionState::Lost, .. } if *client == node => Some(()),
        _ => None,
    });
    assert!(lost.is_some(), "the client of the killed node notices");
    let second = bench.fault(2, FaultKind::Pause, Pick::Named(fault.nodes[0].clone()), Shape::default(), 0);
    assert_eq!(second.stage, FaultStage::Missed, "the node is held by a fault already");
    bench.pause(1500);
    bench.ok(node, Request::Connect { node: (node + 1) % 3, resume: true });
    assert_eq!(bench.states(node).last(), Some(&ConnectionState::Resumed));
    assert_eq!(bench.read(node, 0), ["v0#1", "v1#1", "v2#1"], "a session outlives its node");
    let over = bench.heal(1);
    let effect = over.effect.unwrap();
    assert!(effect.bit && effect.amount >= 1000 && effect.unit == "ms without service", "{effect:?}");
    bench.ok(node, Request::Connect { node, resume: true });
}

#[test]
fn a_paused_node_stands_still_and_goes_on() {
    if skip("a_paused_node_stands_still_and_goes_on") {
        return;
    }
    let _alone = alone();
    let mut bench = Bench::start("pause", ClientBehaviour::default());
    bench.connect(0, 0);
    bench.publish(0, 0, "v#1");
    let fault = bench.fault(1, FaultKind::Pause, Pick::OfClient(0), Shape::default(), 0);
    assert_eq!(fault.nodes, ["n1"]);
    bench.pause(200);
    let op = bench.submit(0, Request::Ping);
    assert!(matches!(bench.done(op), Response::Info { .. }), "no answer: unknown");
    assert_eq!(bench.states(0), [ConnectionState::Connected, ConnectionState::Lost]);
    let effect = bench.heal(1).effect.unwrap();
    assert!(effect.bit && effect.amount >= 1000, "{effect:?}");
}

#[test]
fn partitions_of_every_shape_drop_frames() {
    if skip("partitions_of_every_shape_drop_frames") {
        return;
    }
    let _alone = alone();
    let mut bench = Bench::start("cut", ClientBehaviour::default());
    let shapes = [Shape::Isolate, Shape::OneWayOut, Shape::OneWayIn, Shape::Minority, Shape::Clients];
    for (id, shape) in shapes.into_iter().enumerate() {
        // Earlier partitions cost clients their connections, and a link without traffic drops nothing.
        for client in 0..3 {
            bench.connect(client, client);
        }
        let pick = if id % 2 == 0 { Pick::Leader } else { Pick::Follower };
        let fault = bench.fault(id as u32, FaultKind::Partition, pick, shape, 0);
        assert_eq!(fault.stage, FaultStage::Start, "{fault:?}");
        assert!(fault.nodes.is_empty() && !fault.links.is_empty());
        bench.pause(2500);
        let over = bench.heal(id as u32);
        let effect = over.effect.unwrap();
        assert!(effect.bit && effect.unit == "frames dropped", "{shape:?}: {effect:?}");
        eprintln!("{shape:?}: {} frames, {}", effect.amount, over.detail);
    }
    for client in 0..3 {
        bench.connect(client, client);
        bench.ok(client, Request::Ping);
    }
}

#[test]
fn a_follower_that_is_cut_off_serves_stale_reads_to_the_careless_only() {
    if skip("a_follower_that_is_cut_off_serves_stale_reads_to_the_careless_only") {
        return;
    }
    let _alone = alone();
    for (synced_reads, stale) in [(false, true), (true, false)] {
        let behaviour = ClientBehaviour { synced_reads, ..ClientBehaviour::default() };
        let mut bench = Bench::start("stale", behaviour);
        let probe = bench.fault(1, FaultKind::Partition, Pick::Follower, Shape::Clients, 0);
        bench.heal(1);
        let name = probe.links[0].0.clone();
        let node = bench.node(&name);
        bench.connect(0, node);
        bench.connect(1, (node + 1) % 3);
        bench.publish(1, 0, "old#1");
        assert_eq!(bench.read(0, 0), ["old#1"]);
        bench.fault(2, FaultKind::Partition, Pick::Named(name), Shape::Isolate, 0);
        bench.pause(50);
        bench.publish(1, 0, "new#2");
        let answer = bench.call(0, Request::Read { data: 0 });
        let old = matches!(&answer, Response::Ok { read: Some(read) } if read.len() == 1 && &*read[0] == "old#1");
        assert_eq!(old, stale, "{answer:?}");
        assert!(bench.heal(2).effect.unwrap().bit);
    }
}

#[test]
fn a_clock_step_shows_in_the_nodes_own_log() {
    if skip("a_clock_step_shows_in_the_nodes_own_log") {
        return;
    }
    let _alone = alone();
    let mut bench = Bench::start("clock", ClientBehaviour::default());
    for (id, amount) in [(1, 60_000), (2, -45_000)] {
        let fault = bench.fault(id, FaultKind::ClockStep, Pick::Leader, Shape::default(), amount);
        assert_eq!(fault.stage, FaultStage::Start, "{fault:?}");
        bench.pause(500);
        let effect = bench.heal(id).effect.unwrap();
        assert!(effect.bit && (effect.amount - amount).abs() < 2000, "{effect:?}");
    }
}

#[test]
fn what_is_not_possible_is_missed() {
    if skip("what_is_not_possible_is_missed") {
        return;
    }
    let _alone = alone();
    let mut bench = Bench::start("missed", ClientBehaviour::default());
    let possible = [FaultKind::Kill, FaultKind::Pause, FaultKind::Partition, FaultKind::ClockStep];
    let kinds = FaultKind::PLANNED.into_iter().filter(|kind| !possible.contains(kind));
    for (id, kind) in kinds.enumerate() {
        let fault = bench.fault(100 + id as u32, kind, Pick::Any, Shape::default(), 10);
        assert_eq!(fault.stage, FaultStage::Missed);
        assert!(fault.detail.contains("cannot be injected into a real ensemble"), "{fault:?}");
        bench.world.end_fault(100 + id as u32);
    }
    let ring = bench.fault(7, FaultKind::Partition, Pick::Any, Shape::Ring, 0);
    assert!(ring.stage == FaultStage::Missed && ring.detail.contains("too few"), "{ring:?}");
    let fault = bench.fault(8, FaultKind::Kill, Pick::OfClient(5), Shape::default(), 0);
    assert!(fault.stage == FaultStage::Missed && fault.detail.contains("client 5"), "{fault:?}");
    let fault = bench.fault(9, FaultKind::Kill, Pick::Named("n7".into()), Shape::default(), 0);
    assert_eq!(fault.stage, FaultStage::Missed);
}
