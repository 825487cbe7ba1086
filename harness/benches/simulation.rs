//! Speed of whole simulations: events (calls of a node's `step`) a second with and without history and checkers, cost per
//! event against the number of clients, and the large shapes. Prints what it measures; asserts that the work was done.
//!
//! Each part runs in a process of its own, so that each has its own peak of memory. `cargo bench --bench simulation --
//! headline` runs one part.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod shapes;

use checkers::{Options, Report, Verdict, check_joined};
use harness::master::Master;
use harness::observer::Observers;
use harness::plan::Plan;
use harness::recorder::Recorder;
use harness::recording::Recording;
use harness::scenario::Scenario;
use harness::verdict::peak_bytes;
use harness::{attempt, run, worlds};
use history::{Event, Header, Writer};
use shapes::Shape;
use std::fs::File;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

type Part = (&'static str, fn());

const PARTS: [Part; 7] = [
    ("1000-clients", || rates(&Shape::of(1_000, 600))),
    ("100000-clients", || rates(&Shape::of(100_000, 10))),
    ("curve", curve),
    ("default-minute", default_minute),
    ("headline", || large("headline: 100,000 clients, one minute", &Shape::of(100_000, 60))),
    ("hot", || large("one dataId of 7,000 publishers with 20,000 subscribers, one minute", &Shape::hot())),
    ("off", || println!("{:?}", off(&Shape::of(100_000, 30).plan()))),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [one] = wanted.as_slice()
        && let Some((_, part)) = PARTS.iter().find(|(name, _)| name == one)
    {
        return part();
    }
    for (name, _) in PARTS.iter().filter(|(name, _)| *name != "off") {
        let status = Command::new(std::env::current_exe().unwrap()).arg(name).status().unwrap();
        assert!(status.success(), "{name} failed");
    }
}

/// Time on the wall, and on this thread's core: they differ where other processes want the core too.
#[derive(Clone, Copy, Debug)]
struct Taken {
    wall: Duration,
    core: Duration,
}

struct Watch(Instant, Duration);

impl Watch {
    fn start() -> Watch {
        Watch(Instant::now(), on_core())
    }

    fn taken(&self) -> Taken {
        Taken { wall: self.0.elapsed(), core: on_core() - self.1 }
    }
}

/// What this thread has had of a core so far, as Linux counts it.
fn on_core() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// Steps, time of the master's loop alone.
fn off(plan: &Plan) -> (u64, Taken) {
    let mut world = worlds::start(plan, "bench", None).unwrap();
    let (_, contract) = run::header(plan, world.info()).unwrap();
    let (mut observers, stop) = (Observers::default(), AtomicBool::new(false));
    let before = world.steps();
    let watch = Watch::start();
    Master::new(world.as_mut(), plan, contract, Recording::off(), &mut observers, &stop).run().unwrap();
    (world.steps() - before, watch.taken())
}

struct Full {
    header: Header,
    events: Vec<Event>,
    report: Report,
    steps: u64,
    simulated: Taken,
    recorded: Duration,
    checked: Duration,
}

/// With the history written to disk on the second core, and checked on both.
fn full(plan: &Plan) -> Full {
    let mut world = worlds::start(plan, "bench", None).unwrap();
    let (header, contract) = run::header(plan, world.info()).unwrap();
    let (mut observers, stop) = (Observers::default(), AtomicBool::new(false));
    let path = std::env::temp_dir().join(format!("upheaval-bench-{}.jsonl.zst", std::process::id()));
    let writer: Writer<File> = Writer::create(&path, &header).unwrap();
    let before = world.steps();
    let watch = Watch::start();
    let (recorder, recording) = Recorder::start(writer);
    Master::new(world.as_mut(), plan, contract, recording, &mut observers, &stop).run().unwrap();
    let simulated = watch.taken();
    let steps = world.steps() - before;
    drop(world);
    let mut recorded = recorder.finish().unwrap();
    recorded.close().unwrap();
    let written = watch.0.elapsed();
    let options = Options { threads: 2, ..Options::default() };
    let report = check_joined(&header, &recorded.joined, &recorded.events, &options);
    let checked = watch.0.elapsed();
    std::fs::remove_file(path).unwrap();
    assert_eq!(report.verdict, Verdict::Pass, "{:?} {:?}", report.reasons, report.checks);
    let events = recorded.events;
    Full { header, events, report, steps, simulated, recorded: written - simulated.wall, checked: checked - written }
}

fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64() / 1e6
}

fn rates(shape: &Shape) {
    let plan = shape.plan();
    let (steps, Taken { wall, core }) = off(&plan);
    println!(
        "{} clients, history and checkers off: {:.2} M events/s ({steps} events in {wall:.2?}); \
         {:.2} M for each second on the core ({core:.2?})",
        shape.clients,
        per_second(steps, wall),
        per_second(steps, core)
    );
    let full = full(&plan);
    let wall = full.simulated.wall + full.recorded + full.checked;
    println!(
        "{} clients, both on: {:.2} M events/s ({} events in {wall:.2?})",
        shape.clients,
        per_second(full.steps, wall),
        full.steps
    );
    tell(&full);
}

fn curve() {
    for clients in [1_000, 3_162, 10_000, 31_623, 100_000] {
        let (steps, Taken { wall, core }) = off(&Shape::of(clients, 1_000_000 / u64::from(clients)).plan());
        let nanos = |time: Duration| time.as_nanos() as f64 / steps as f64;
        println!(
            "curve: {clients:>6} clients: {:.0} ns an event, {:.0} ns on the core ({steps} events)",
            nanos(wall),
            nanos(core)
        );
    }
}

/// So many minutes are simulated after the first.
const MINUTES: usize = 10;

/// A run that is over after a minute: warm-up, 50 s of chaos, settling and the final reads.
fn default_minute() {
    let sets = ["workload.clients=200".to_owned(), "time.chaos_ms=50000".to_owned(), "faults.kinds=[]".to_owned()];
    let (scenario, _) = Scenario::load("quickstart", &sets).unwrap();
    let plan = Plan::draw(&scenario, 7, None);
    let (steps, first) = off(&plan);
    // As `explore` does it: one run after the other in a process that is warm.
    let mut more: Vec<Duration> = (0..MINUTES).map(|_| off(&plan).1.core).collect();
    more.sort_unstable();
    let wall = Instant::now();
    let attempt = attempt::attempt(&plan, &Options::default(), false).unwrap();
    let minute = attempt.end as f64 / 1e9;
    assert!((60.0..61.0).contains(&minute), "{minute} s");
    println!(
        "one minute of quickstart with 200 clients, no faults ({minute:.2} s), simulated only ({steps} events): {:.0?} on the core ({:.0?} by the wall); \
         {MINUTES} more in the same process: {:.0?} to {:.0?} on the core, median {:.0?}; {:.0?} with history in memory ({} events) and checked",
        first.core,
        first.wall,
        more[0],
        more[MINUTES - 1],
        more[MINUTES / 2],
        wall.elapsed(),
        attempt.events.len()
    );
}

fn large(what: &str, shape: &Shape) {
    let full = full(&shape.plan());
    let wall = full.simulated.wall + full.recorded + full.checked;
    println!("{what}: {wall:.2?} wall, {:.2} M events/s", per_second(full.steps, wall));
    tell(&full);
}

fn tell(full: &Full) {
    let pushes = full.events.iter().filter(|event| matches!(event, Event::Push(_))).count();
    let delay = full.report.convergence.as_ref().unwrap();
    assert!(pushes > 0 && full.header.clients > 0);
    println!(
        "    simulated in {:.2?} ({:.2?} on the core), rest of the recording {:.2?}, checked in {:.2?}; {} events in the history, {pushes} pushes; \
         from a change to its push p50 {} ms, p999 {} ms; peak memory {} MiB",
        full.simulated.wall,
        full.simulated.core,
        full.recorded,
        full.checked,
        full.events.len(),
        delay.all.p50 / 1_000_000,
        delay.all.p999 / 1_000_000,
        peak_bytes().unwrap_or(0) >> 20
    );
}
