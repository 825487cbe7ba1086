//! Drives a world by hand: one call at a time, everything observed is kept.

use history::{ConnectionState, Fault, FaultKind, FaultStage, MILLI, SECOND};
use nemesis::{Pick, PlannedFault, Selector, Shape};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use systems::zookeeper::{ZooKeeperConfig, ZooKeeperWorld};
use systems::{Call, Happening, Observation, Request, Response, World};
use workloads::ClientBehaviour;

/// One ensemble at a time: several would only wait for each other's processors.
static ALONE: Mutex<()> = Mutex::new(());
static RUNS: AtomicU32 = AtomicU32::new(0);

/// Why this host cannot run an ensemble, if it cannot.
pub fn missing() -> Option<&'static str> {
    if !nix::unistd::geteuid().is_root() {
        return Some("needs root");
    }
    if !Path::new("/usr/share/java/zookeeper.jar").exists() || !Path::new("/usr/share/java/slf4j-simple.jar").exists() {
        return Some("needs the packages libzookeeper-java and libslf4j-java");
    }
    let java = std::process::Command::new("java").arg("-version").output();
    java.is_err().then_some("needs Java")
}

/// True, after saying so, if the test cannot run here.
pub fn skip(test: &str) -> bool {
    let why = missing();
    if let Some(why) = why {
        eprintln!("skipped: {test}: {why}");
    }
    why.is_some()
}

/// Waits until no other test has an ensemble.
pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name that no other run has.
pub fn run_id(test: &str) -> String {
    format!("test-{}-{}-{test}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed))
}

/// A short session makes tests short.
pub fn quick() -> ZooKeeperConfig {
    ZooKeeperConfig { tick_ms: 300, session_timeout_ms: 3000, slack_ms: 500, ..ZooKeeperConfig::default() }
}

pub struct Bench {
    pub world: ZooKeeperWorld,
    pub seen: Vec<Observation>,
    ops: u32,
}

impl Bench {
    pub fn start(test: &str, behaviour: ClientBehaviour) -> Bench {
        Bench::with(quick(), test, 10, 4, behaviour)
    }

    pub fn with(config: ZooKeeperConfig, test: &str, clients: u32, data: u32, behaviour: ClientBehaviour) -> Bench {
        Bench::on(ZooKeeperWorld::start(config, &run_id(test), None, clients, data, behaviour).unwrap())
    }

    pub fn on(world: ZooKeeperWorld) -> Bench {
        Bench { world, seen: Vec::new(), ops: 0 }
    }

    /// Submits without waiting; the number of the operation.
    pub fn submit(&mut self, client: u32, request: Request) -> u32 {
        self.ops += 1;
        self.world.submit(Call { op: self.ops, client, request });
        self.ops
    }

    /// Waits for the end of an operation.
    pub fn done(&mut self, op: u32) -> Response {
        let found = self.until(20_000, |what| match what {
            Happening::Done { op: other, response } if *other == op => Some(response.clone()),
            _ => None,
        });
        found.expect("an operation ends within 20 s")
    }

    /// Submits and waits.
    pub fn call(&mut self, client: u32, request: Request) -> Response {
        let op = self.submit(client, request);
        self.done(op)
    }

    /// As [`Bench::call`], and it has to end ok.
    pub fn ok(&mut self, client: u32, request: Request) -> Vec<String> {
        match self.call(client, request.clone()) {
            Response::Ok { read } => read.unwrap_or_default().iter().map(|value| value.to_string()).collect(),
            other => panic!("{request:?}: {other:?}"),
        }
    }

    pub fn connect(&mut self, client: u32, node: u32) {
        self.ok(client, Request::Connect { node, resume: false });
    }

    pub fn publish(&mut self, client: u32, data: u32, value: &str) {
        self.ok(client, Request::Publish { data, registration: 0, value: value.into(), previous: None });
    }

    pub fn read(&mut self, client: u32, data: u32) -> Vec<String> {
        self.ok(client, Request::Read { data })
    }

    /// Waits for something, also among what was seen before.
    pub fn until<T>(&mut self, patience_ms: u64, found: impl Fn(&Happening) -> Option<T>) -> Option<T> {
        let deadline = self.world.now() + patience_ms * MILLI;
        let mut looked = 0;
        loop {
            if let Some(found) = self.seen[looked..].iter().find_map(|seen| found(&seen.what)) {
                return Some(found);
            }
            looked = self.seen.len();
            if self.world.now() >= deadline {
                return None;
            }
            self.world.wait(deadline, &mut self.seen).unwrap();
        }
    }

    /// Lets time pass.
    pub fn pause(&mut self, ms: u64) {
        let deadline = self.world.now() + ms * MILLI;
        while self.world.now() < deadline {
            self.world.wait(deadline, &mut self.seen).unwrap();
        }
    }

    /// Waits for a push of exactly this content.
    pub fn pushed(&mut self, client: u32, patience_ms: u64, content: &[&str]) -> bool {
        let found = self.until(patience_ms, |what| match what {
            Happening::Push { client: other, elements, .. } if *other == client => {
                let elements: Vec<&str> = elements.iter().map(|value| &**value).collect();
                (elements == content).then_some(())
            }
            _ => None,
        });
        found.is_some()
    }

    /// All contents pushed to a client.
    pub fn pushes(&self, client: u32) -> Vec<Vec<Arc<str>>> {
        let pushes = self.seen.iter().filter_map(|seen| match &seen.what {
            Happening::Push { client: other, elements, .. } if *other == client => Some(elements.to_vec()),
            _ => None,
        });
        pushes.collect()
    }

    /// What became of a client's connection, in order.
    pub fn states(&self, client: u32) -> Vec<ConnectionState> {
        let states = self.seen.iter().filter_map(|seen| match &seen.what {
            Happening::Connection { client: other, state, .. } if *other == client => Some(*state),
            _ => None,
        });
        states.collect()
    }

    /// Begins a fault; where it hit.
    pub fn fault(&mut self, id: u32, kind: FaultKind, pick: Pick, shape: Shape, amount: i64) -> Fault {
        let target = Selector { role: None, pick, draw: 0 };
        let plan = PlannedFault { id, at: 0, duration: SECOND, kind, target, shape, amount };
        self.world.start_fault(&plan);
        self.stage(id, 10_000, |stage| matches!(stage, FaultStage::Start | FaultStage::Missed))
    }

    /// Ends a fault and waits until its target serves.
    pub fn heal(&mut self, id: u32) -> Fault {
        self.world.end_fault(id);
        self.stage(id, 60_000, |stage| stage == FaultStage::Serving)
    }

    fn stage(&mut self, id: u32, patience_ms: u64, wanted: impl Fn(FaultStage) -> bool) -> Fault {
        let found = self.until(patience_ms, |what| match what {
            Happening::Fault(fault) if fault.id == id && wanted(fault.stage) => Some(fault.clone()),
            _ => None,
        });
        *found.unwrap_or_else(|| panic!("fault {id} does not go on: {:?}", self.seen.last()))
    }

    /// The number of a node.
    pub fn node(&self, name: &str) -> u32 {
        self.world.info().nodes.iter().position(|node| node.name == name).unwrap() as u32
    }
}
