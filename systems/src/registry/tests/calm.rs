//! Without faults.

use super::driver::Driver;
use super::world;
use crate::world::{Request, World};
use history::{MILLI, Nanos, SECOND};
use simulation::Stream;

fn connected(clients: u32, seed: u64) -> Driver {
    let mut driver = Driver::new(world(clients, seed, None), clients);
    for id in 0..clients {
        driver.connect(id, SECOND + u64::from(id) * MILLI);
    }
    driver.run_until(2 * SECOND);
    driver
}

/// From each acknowledged publish until each of 20 subscribers sees it.
fn slowest(seed: u64) -> Nanos {
    let mut driver = connected(40, seed);
    let mut stream = Stream::new(seed, "calm", 0);
    for id in 20..40 {
        driver.ask(id, 2 * SECOND, Request::Subscribe { data: id % 4, subscription: 0 });
    }
    driver.run_until(3 * SECOND);
    let mut slowest = 0;
    for _ in 0..60 {
        let now = driver.world.now();
        let data = stream.below(4) as u32;
        let id = stream.below(20) as u32;
        driver.publish(id, now, data, 0);
        // Others change the same dataId around it, so that notices, fetches and pushes collide.
        for _ in 0..stream.below(30) {
            let other = (id + 1 + stream.below(18) as u32) % 20;
            driver.publish(other, now + stream.below(150) * MILLI, data, 1);
        }
        let end = now + 400 * MILLI;
        while driver.world.now() < end {
            let at = driver.world.now() + MILLI;
            driver.run_until(at);
            let client = &driver.clients[id as usize];
            let Some(acked) = client.acked.get(&(data, 0)) else { continue };
            let value = &client.held[&(data, 0)];
            let views = driver.clients.iter().filter(|c| c.subscribed.get(&0) == Some(&data));
            if views.clone().any(|c| !c.views.get(&0).is_some_and(|v| v.content.contains(value))) {
                slowest = slowest.max(at - acked);
            }
        }
    }
    assert_eq!(driver.lost, 0);
    assert!(driver.wrong.is_empty(), "{:?}", driver.wrong);
    slowest
}

#[test]
fn every_publish_is_seen_within_the_contract_and_the_contract_is_not_slack() {
    let promised = world(1, 0, None).info().contract.visible_ms_max * MILLI;
    let slowest = (0..5).map(slowest).max().unwrap();
    assert!(slowest <= promised, "{slowest} of {promised}");
    assert!(slowest * 2 >= promised, "{slowest} of {promised}");
}

#[test]
fn a_read_shows_what_was_acknowledged_before() {
    let mut driver = connected(2, 7);
    for round in 0..50 {
        let now = driver.world.now();
        driver.publish(0, now, 3, 0);
        while !driver.clients[0].acked.contains_key(&(3, 0)) {
            let at = driver.world.now() + MILLI / 4;
            driver.run_until(at);
        }
        let now = driver.world.now();
        driver.ask(1, now, Request::Read { data: 3 });
        driver.run_until(now + 20 * MILLI);
        assert_eq!(driver.reads.len(), round + 1);
        assert_eq!(driver.reads[round].3, driver.held(3));
        driver.clients[0].acked.clear();
    }
}

#[test]
fn same_seed_same_observations_and_another_seed_others() {
    let log = |seed| {
        let mut driver = Driver::new(world(20, seed, None), 20);
        driver.keep_log = true;
        let mut stream = Stream::new(11, "same", 0);
        for id in 0..20 {
            driver.connect(id, SECOND);
        }
        for step in 0..1_000u64 {
            let now = 2 * SECOND + step * 4 * MILLI;
            driver.run_until(now);
            driver.random(&mut stream, now, 5);
            driver.bring_back(now);
        }
        driver.log
    };
    let first = log(1);
    assert!(first.len() > 500);
    assert_eq!(first, log(1));
    assert_ne!(first, log(2));
}

#[test]
fn a_clean_close_takes_everything_back_before_it_is_confirmed() {
    let mut driver = connected(2, 3);
    driver.publish(0, 2 * SECOND, 1, 0);
    driver.publish(0, 2 * SECOND, 2, 1);
    driver.run_until(2 * SECOND + 100 * MILLI);
    driver.ask(0, driver.world.now(), Request::Close);
    while !driver.clients[0].away {
        let at = driver.world.now() + MILLI / 4;
        driver.run_until(at);
    }
    for data in [1, 2] {
        driver.ask(1, driver.world.now(), Request::Read { data });
    }
    driver.run_until(3 * SECOND);
    assert_eq!(driver.reads.len(), 2);
    assert!(driver.reads.iter().all(|(_, _, _, content)| content.is_empty()));
}

#[test]
fn who_goes_without_a_word_is_gone_when_the_lease_is_over() {
    let mut driver = connected(2, 4);
    driver.publish(0, 2 * SECOND, 1, 0);
    driver.ask(1, 2 * SECOND, Request::Subscribe { data: 1, subscription: 0 });
    driver.run_until(3 * SECOND);
    assert_eq!(driver.clients[1].views[&0].content.len(), 1);
    driver.ask(0, driver.world.now(), Request::Vanish);
    driver.run_until(3 * SECOND + MILLI);
    driver.clients[0].todo.clear();
    let contract = driver.world.info().contract.clone();
    driver.run_until(5 * SECOND);
    assert_eq!(driver.clients[1].views[&0].content.len(), 1, "the session node has not noticed yet");
    driver.run_until(3 * SECOND + (contract.lease_ms_max + contract.visible_ms_max) * MILLI);
    assert!(driver.clients[1].views[&0].content.is_empty());
}

#[test]
fn coming_back_elsewhere_survives_the_late_clean_up() {
    let mut driver = connected(2, 5);
    driver.publish(0, 2 * SECOND, 1, 0);
    driver.ask(1, 2 * SECOND, Request::Subscribe { data: 1, subscription: 0 });
    driver.ask(0, 3 * SECOND, Request::Vanish);
    driver.run_until(4 * SECOND);
    let held = driver.held(1);
    assert!(held[0].ends_with("#2"), "registered again with a new value");
    for tenth in 0..80 {
        driver.run_until(4 * SECOND + tenth * 100 * MILLI);
        assert_eq!(driver.clients[1].views[&0].content, held);
    }
}
