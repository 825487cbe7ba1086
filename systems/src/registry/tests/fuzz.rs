//! Random requests under random faults; when all is over everyone sees what is held.

use super::driver::Driver;
use super::world;
use crate::registry::bugs::Bug;
use crate::world::{Request, World};
use history::{FaultKind, MILLI, SECOND};
use nemesis::{Pick, PlannedFault, Selector, Shape};
use simulation::Stream;

const DATA_IDS: u32 = 6;

fn random_fault(stream: &mut Stream, id: u32) -> PlannedFault {
    let kinds = [
        FaultKind::Kill,
        FaultKind::Pause,
        FaultKind::Partition,
        FaultKind::Delay,
        FaultKind::Loss,
        FaultKind::ClockStep,
        FaultKind::ClockDrift,
    ];
    let kind = kinds[stream.below(7) as usize];
    let role = [None, Some("session"), Some("data"), Some("meta")][stream.below(4) as usize].map(str::to_owned);
    let pick = [Pick::Any, Pick::Any, Pick::Leader, Pick::Follower][stream.below(4) as usize].clone();
    let shapes = [Shape::Isolate, Shape::OneWayIn, Shape::OneWayOut, Shape::Minority, Shape::Clients];
    let shape = shapes[stream.below(5) as usize];
    let amount = match kind {
        FaultKind::Delay => stream.between(20, 800) as i64,
        FaultKind::Loss => stream.between(50, 400) as i64,
        FaultKind::ClockStep => stream.between(0, 20_000) as i64 - 10_000,
        _ => stream.between(0, 100_000) as i64 - 50_000,
    };
    let target = Selector { role, pick, draw: stream.below(100) as u32 };
    let duration = stream.between(100, 5_000) * MILLI;
    PlannedFault { id, at: 0, duration, kind, target, shape, amount }
}

/// One random run; what is wrong with it.
pub fn run(seed: u64, bug: Option<Bug>) -> Vec<String> {
    let mut stream = Stream::new(seed, "fuzz", 0);
    let clients = 15;
    let mut driver = Driver::new(world(clients + 3, seed, bug), clients + 3);
    for id in 0..clients {
        driver.connect(id, SECOND);
        driver.clients[id as usize].subscribed.insert(9, id % DATA_IDS);
        driver.clients[id as usize].held.insert((id % DATA_IDS, 9), "first".into());
    }
    driver.run_until(2 * SECOND);
    let mut ends: Vec<(u64, u32)> = Vec::new();
    let mut faults = 0;
    for step in 0..200u64 {
        let now = 2 * SECOND + step * 50 * MILLI;
        if stream.chance(60) {
            let fault = random_fault(&mut stream, faults);
            faults += 1;
            driver.begin(&fault);
            ends.push((now + fault.duration, fault.id));
        }
        for (_, id) in ends.iter().filter(|(at, _)| *at <= now) {
            driver.world.end_fault(*id);
        }
        ends.retain(|(at, _)| *at > now);
        for _ in 0..stream.below(4) {
            driver.random(&mut stream, now, DATA_IDS);
        }
        if stream.chance(50) {
            driver.bring_back(now);
        }
        driver.run_until(now + 50 * MILLI);
    }
    for (_, id) in ends {
        driver.world.end_fault(id);
    }
    let now = driver.world.now();
    for client in &mut driver.clients {
        client.todo.retain(|(_, request)| {
            matches!(request, Request::Connect { .. } | Request::Subscribe { .. } | Request::Publish { .. })
        });
    }
    for id in clients..clients + 3 {
        driver.clients[id as usize].away = false;
        driver.connect(id, now);
    }
    judge(driver, faults)
}

fn judge(mut driver: Driver, faults: u32) -> Vec<String> {
    let contract = driver.world.info().contract.clone();
    let healed = driver.world.now() + 25 * SECOND;
    driver.run_until(healed);
    let mut wrong = driver.wrong.clone();
    for id in 0..faults {
        if !driver.serving.contains_key(&id) && !driver.missed.contains_key(&id) {
            wrong.push(format!("fault {id} never was over"));
        }
    }
    let end = healed + (contract.recovered_ms_max + contract.lease_ms_max) * MILLI;
    driver.run_until(end);
    wrong.extend(driver.differences());
    for id in driver.clients.len() - 3..driver.clients.len() {
        for data in 0..DATA_IDS {
            driver.ask(id as u32, end, Request::Read { data });
        }
    }
    driver.reads.clear();
    driver.run_until(end + SECOND);
    if driver.reads.len() != 3 * DATA_IDS as usize {
        wrong.push(format!("{} reads", driver.reads.len()));
    }
    for (_, _, data, content) in &driver.reads {
        if *content != driver.held(*data) {
            wrong.push(format!("read of {data}: {content:?} instead of {:?}", driver.held(*data)));
        }
    }
    wrong
}

#[test]
fn after_everything_everyone_sees_what_is_held() {
    for seed in 0..60 {
        let wrong = run(seed, None);
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
}

/// A fuzzer that finds nothing may be blind: these bugs leave traces at the end, and are found.
#[test]
fn planted_bugs_are_found() {
    for bug in [Bug::GhostIndexOverwritten, Bug::RepublishAppends, Bug::EmptyFirstFetch, Bug::AnswersInOrder] {
        assert!((0..40).any(|seed| !run(seed, Some(bug)).is_empty()), "{}", bug.name());
    }
}
