//! Two thousand sessions from one process.

use super::bench::{Bench, alone, skip};
use history::ConnectionState;
use systems::zookeeper::ZooKeeperConfig;
use systems::{Request, Response, World};
use workloads::ClientBehaviour;

const CLIENTS: u32 = 2000;
const DATA_IDS: u32 = 20;
/// Subscribers of the hot dataId, which a tenth of all clients publish on.
const WATCHERS: u32 = 50;
const KIB_MAX: u64 = 1 << 20;

/// The most memory that this process ever used.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

fn all(bench: &mut Bench, request: impl Fn(u32) -> Request) -> u32 {
    let ops: Vec<u32> = (0..CLIENTS).map(|client| bench.submit(client, request(client))).collect();
    ops.into_iter().filter(|op| matches!(bench.done(*op), Response::Ok { .. })).count() as u32
}

#[test]
fn two_thousand_sessions_fit() {
    if skip("two_thousand_sessions_fit") {
        return;
    }
    let _alone = alone();
    // All at once on a busy machine: what is tested is that it works, not how fast.
    let config = ZooKeeperConfig { session_timeout_ms: 20_000, ..ZooKeeperConfig::default() };
    let mut bench = Bench::with(config, "many", CLIENTS, DATA_IDS, ClientBehaviour::default());
    assert_eq!(all(&mut bench, |client| Request::Connect { node: client % 3, resume: false }), CLIENTS);
    for client in 0..WATCHERS {
        bench.ok(client, Request::Subscribe { data: 0, subscription: 0 });
    }
    let data = |client: u32| if client.is_multiple_of(10) { 0 } else { client % DATA_IDS };
    let value = |client: u32| format!("10.0.{}.{}:9000#1", client / 256, client % 256).into();
    let publish =
        |client| Request::Publish { data: data(client), registration: 0, value: value(client), previous: None };
    assert_eq!(all(&mut bench, publish), CLIENTS);
    assert_eq!(all(&mut bench, |_| Request::Ping), CLIENTS);
    let hot = (0..CLIENTS).filter(|client| data(*client) == 0).count();
    let whole = bench.until(10_000, |what| match what {
        systems::Happening::Push { client: 3, elements, .. } if elements.len() == hot => Some(()),
        _ => None,
    });
    assert!(whole.is_some(), "{hot} publishers are seen");
    let lost = (0..CLIENTS).filter(|client| bench.states(*client) != [ConnectionState::Connected]).count();
    assert_eq!(lost, 0);
    eprintln!(
        "{} observations, {} bytes, peak {} MiB",
        bench.seen.len(),
        bench.world.bytes_received(),
        peak_kib() >> 10
    );
    assert!(peak_kib() < KIB_MAX);
}
