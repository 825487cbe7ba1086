//! Rich sample data: 60 s, 200 clients, 50 dataIds, 12 faults, all drawn from one small generator.

use super::{Sample1, check, connection, facts, header, ms, phase};
use checkers::verdict::Distribution;
use checkers::{Convergence, Figure, Kind, Report, Sample, TrailEntry, Verdict, Violation};
use history::{
    ConnectionState, Effect, Event, Fault, FaultKind, FaultStage, Function, MILLI, Operation, Outcome, PhaseName, Push,
    Snapshot,
};
use std::collections::BTreeMap;

/// Numbers that look random enough for a picture.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.0) * u128::from(bound)) >> 64) as u64
    }
}

/// Kind, node, start, injector's end, over, effect.
type Planned = (FaultKind, &'static str, u64, u64, u64, i64, &'static str);

const FAULTS: [Planned; 12] = [
    (FaultKind::Kill, "n2", 7_200, 9_200, 9_900, 620, "ms without service"),
    (FaultKind::Partition, "n1", 11_500, 13_500, 13_640, 1_204, "frames dropped"),
    (FaultKind::Pause, "n3", 15_100, 17_000, 17_300, 2_410, "ms without service"),
    (FaultKind::ClockStep, "n1", 19_000, 22_000, 22_000, 1_500, "ms of clock error"),
    (FaultKind::Kill, "n1", 24_300, 25_900, 26_800, 540, "ms without service"),
    (FaultKind::Partition, "n2", 28_000, 31_000, 31_200, 3_310, "frames dropped"),
    (FaultKind::Kill, "n3", 31_204, 33_200, 33_900, 2_870, "ms without service"),
    (FaultKind::ClockStep, "n3", 36_000, 38_500, 38_500, -900, "ms of clock error"),
    (FaultKind::Pause, "n2", 39_400, 41_000, 41_200, 1_640, "ms without service"),
    (FaultKind::Partition, "n3", 44_000, 46_000, 46_100, 977, "frames dropped"),
    (FaultKind::Kill, "n1", 48_100, 50_000, 50_900, 700, "ms without service"),
    (FaultKind::Pause, "n1", 53_000, 54_000, 54_050, 0, "ms without service"),
];

/// A run that passes. `pushes` are spread over its 60 seconds.
pub fn pass(pushes: u64) -> Sample1 {
    let mut draws = Draws(7);
    let mut header = header();
    header.clients = 200;
    header.pinned = (0..20).collect();
    header.data_ids = (0..50)
        .map(|i| {
            format!(
                "{}/{}",
                ["orders", "stock", "users", "billing", "search"][i % 5],
                ["checkout", "levels", "profile", "invoice", "query", "v2", "batch", "edge", "audit", "cache"][i / 5]
            )
        })
        .collect();
    let mut events = Vec::new();
    for client in 0..200 {
        events.push(connection(ms(100 + 12 * u64::from(client)), client, ConnectionState::Connected));
    }
    for (time, name) in [
        (0, PhaseName::WarmUp),
        (4_000, PhaseName::Chaos),
        (56_000, PhaseName::Heal),
        (56_400, PhaseName::Settle),
        (59_000, PhaseName::Final),
        (60_000, PhaseName::End),
    ] {
        events.push(phase(ms(time), name));
    }
    faults(&mut events, &mut draws);
    operations(&mut events, &mut draws, 8_412);
    events.push(Event::Snapshot(Box::new(Snapshot {
        id: 0,
        data: 0,
        base: None,
        add: elements(40),
        remove: Vec::new(),
    })));
    for _ in 0..pushes {
        let time = ms(2_000) + draws.below(57_000 * MILLI);
        let client = 20 + draws.below(180) as u32;
        events.push(Event::Push(Push {
            time,
            client,
            session: client,
            subscription: 0,
            data: 1,
            snapshot: 0,
            version: Some(time / MILLI),
            node: Some(client % 3),
        }));
    }
    // Snapshots belong to the event after them; at the front they belong to all.
    events.sort_by_key(|event| event.time().unwrap_or(0));
    let convergence = convergence(&mut draws);
    let mut checks = vec![
        check("convergence", Verdict::Pass, 8_412, "changes", 924),
        check("completeness", Verdict::Pass, pushes, "pushes", 951),
        check("ghosts", Verdict::Pass, pushes, "pushes", 951),
        check("order", Verdict::Pass, pushes, "pushes", 1_000),
    ];
    for (name, number) in [("p50_ms", 6), ("p99_ms", 41), ("coalesced", 312)] {
        checks[0].figures.insert(name.to_owned(), Figure::Whole(number));
    }
    checks[1].figures.insert("pinned_must_permille".to_owned(), Figure::Whole(884));
    checks[1].figures.insert("pinned_publishers".to_owned(), Figure::Whole(20));
    let report =
        Report { verdict: Verdict::Pass, checks, reasons: Vec::new(), convergence: Some(convergence), suspect: None };
    let mut facts = facts();
    facts.drawn = [
        ("faults", "kill, pause, partition one-way, clock step"),
        ("hot dataId", "orders/checkout"),
        ("vanish", "3 % of departures"),
        ("storm", "none"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    facts.shrink = Some("upheaval shrink runs/2026-11-22-0712-zookeeper-churn-7".to_owned());
    Sample1 { header, events, report, facts }
}

fn faults(events: &mut Vec<Event>, draws: &mut Draws) {
    for (id, (kind, node, start, end, over, amount, unit)) in FAULTS.into_iter().enumerate() {
        let cut = kind == FaultKind::Partition;
        let step = |time, stage, effect| {
            Event::Fault(Box::new(Fault {
                time: ms(time),
                id: id as u32,
                stage,
                kind,
                nodes: if cut { Vec::new() } else { vec![node.to_owned()] },
                links: if cut {
                    vec![(node.to_owned(), if node == "n3" { "n1" } else { "n3" }.to_owned())]
                } else {
                    Vec::new()
                },
                clients: Vec::new(),
                detail: format!("{kind:?} of {node}"),
                effect,
            }))
        };
        events.push(step(start, FaultStage::Start, None));
        events.push(step(end, FaultStage::End, None));
        events.push(step(over, FaultStage::Serving, Some(Effect { bit: amount != 0, amount, unit: unit.to_owned() })));
        if matches!(kind, FaultKind::Kill | FaultKind::Pause) {
            for client in (0..200u32).filter(|client| client % 3 == id as u32 % 3) {
                let lost = ms(start) + draws.below(200 * MILLI);
                events.push(connection(lost, client, ConnectionState::Lost));
                events.push(connection(lost + ms(300) + draws.below(1_400 * MILLI), client, ConnectionState::Resumed));
            }
        }
    }
}

fn operations(events: &mut Vec<Event>, draws: &mut Draws, count: u32) {
    let functions = [
        Function::Publish,
        Function::Publish,
        Function::Publish,
        Function::Unpublish,
        Function::Subscribe,
        Function::Read,
        Function::Ping,
        Function::Ping,
        Function::Connect,
        Function::Close,
    ];
    for op in 0..count {
        let client = 20 + draws.below(180) as u32;
        let f = functions[draws.below(10) as usize];
        let time = ms(1_000) + draws.below(55_000 * MILLI);
        let took = ms(1) + draws.below(9 * MILLI) * if draws.below(40) == 0 { 60 } else { 1 };
        let outcome = match draws.below(60) {
            0 => Outcome::Info,
            1 | 2 => Outcome::Fail,
            _ => Outcome::Ok,
        };
        for (time, outcome) in [(time, Outcome::Invoke), (time + took, outcome)] {
            events.push(Event::Op(Box::new(Operation {
                time,
                outcome,
                op,
                process: client,
                client,
                f,
                data: Some(1 + draws.below(49) as u32),
                registration: (f == Function::Publish).then_some(0),
                subscription: None,
                value: (f == Function::Publish).then(|| format!("10.0.1.{client}:9000#{op}")),
                session: Some(client),
                node: Some(client % 3),
                snapshot: None,
                late_ns: 0,
                reaction: false,
                error: None,
            })));
        }
    }
}

/// Addresses `10.0.0.0:9000#1` ...
fn elements(count: u32) -> Vec<String> {
    (0..count).map(|client| format!("10.0.0.{client}:{}#1", 9_000 + client % 7)).collect()
}

fn convergence(draws: &mut Draws) -> Convergence {
    let mut series: Vec<Sample> = (0..4_000)
        .map(|_| {
            let at = ms(2_000) + draws.below(55_000 * MILLI);
            let product = (1 + draws.below(30)) * (1 + draws.below(30)) * (1 + draws.below(30));
            let mut took = 1_500_000 + product * 1_700;
            for (kind, _, start, _, over, ..) in FAULTS {
                if kind != FaultKind::ClockStep && (ms(start)..ms(over)).contains(&at) && draws.below(4) == 0 {
                    took += draws.below(ms(over) - at + ms(300));
                }
            }
            Sample { at, took }
        })
        .collect();
    series.push(Sample { at: ms(31_310), took: ms(2_900) });
    series.sort_by_key(|sample| sample.at);
    let all = of(series.iter());
    let is_calm = |sample: &&Sample| !FAULTS.iter().any(|fault| (ms(fault.2)..ms(fault.4)).contains(&sample.at));
    let under_fault = FAULTS
        .iter()
        .enumerate()
        .map(|(id, fault)| {
            let under = of(series.iter().filter(|sample| (ms(fault.2)..ms(fault.4)).contains(&sample.at)));
            (id as u32, under)
        })
        .filter(|(_, under)| under.count > 0)
        .collect::<BTreeMap<u32, Distribution>>();
    Convergence {
        samples: 8_412,
        coalesced: 312,
        unfinished: 4,
        all,
        calm: of(series.iter().filter(is_calm)),
        under_fault,
        series,
    }
}

fn of<'a>(samples: impl Iterator<Item = &'a Sample>) -> Distribution {
    let mut samples: Vec<&Sample> = samples.collect();
    samples.sort_by_key(|sample| sample.took);
    let at = |permille: usize| {
        samples.get((samples.len() * permille / 1_000).min(samples.len().max(1) - 1)).map_or(0, |sample| sample.took)
    };
    let last = samples.last().copied().copied().unwrap_or(Sample { at: 0, took: 0 });
    Distribution {
        count: samples.len() as u64,
        p50: at(500),
        p90: at(900),
        p99: at(990),
        p999: at(999),
        max: last.took,
        max_at: last.at + last.took,
    }
}

/// The same run with three violations: a pinned publisher missing, a ghost, many missing at once.
pub fn violations() -> Sample1 {
    let mut sample = pass(20_000);
    subscriber(&mut sample.events);
    let examples = [incomplete(), many(), ghost()];
    let [incomplete, many, ghost] = examples;
    sample.report.verdict = Verdict::Violation;
    for (index, violations, examples) in [(1, 41, vec![incomplete, many]), (2, 1, vec![ghost])] {
        let check = &mut sample.report.checks[index];
        check.verdict = Verdict::Violation;
        check.violations = violations;
        check.examples = examples;
    }
    sample
}

/// Subscriber c117 of dataId 0 and the publishers that it sees.
fn subscriber(events: &mut Vec<Event>) {
    let mut snapshot = 1;
    let mut extra = Vec::new();
    let all = elements(40);
    let mut show = |time: u64, base: Option<u32>, add: Vec<String>, remove: Vec<String>| {
        extra.push((ms(time), Event::Snapshot(Box::new(Snapshot { id: snapshot, data: 0, base, add, remove }))));
        extra.push((
            ms(time),
            Event::Push(Push {
                time: ms(time),
                client: 117,
                session: 117,
                subscription: 0,
                data: 0,
                snapshot,
                version: Some(u64::from(snapshot)),
                node: Some(1),
            }),
        ));
        snapshot += 1;
    };
    show(4_100, None, all[..30].to_vec(), Vec::new());
    show(6_000, Some(1), all[30..].to_vec(), Vec::new());
    show(9_300, Some(2), vec!["10.0.0.60:9004#1".to_owned()], Vec::new());
    show(12_481, Some(3), Vec::new(), vec![all[3].clone()]);
    show(12_902, Some(4), vec![all[3].clone()], Vec::new());
    show(14_000, Some(5), vec!["10.0.0.60:9004#2".to_owned()], vec!["10.0.0.60:9004#1".to_owned()]);
    show(33_050, Some(6), Vec::new(), all[10..35].to_vec());
    show(33_400, Some(7), all[10..35].to_vec(), Vec::new());
    let publishes = [
        (3u32, all[3].clone(), 2_105),
        (60, "10.0.0.60:9004#1".to_owned(), 9_200),
        (60, "10.0.0.60:9004#2".to_owned(), 13_700),
    ]
    .into_iter()
    .chain((10..35).map(|client| (client, all[client as usize].clone(), 1_400 + 60 * u64::from(client))));
    for (op, (client, value, from)) in publishes.enumerate() {
        for (time, outcome) in [(from, Outcome::Invoke), (from + 8, Outcome::Ok)] {
            extra.push((
                ms(time),
                super::operation(ms(time), outcome, 90_000 + op as u32, client, Function::Publish, Some(&value)),
            ));
        }
    }
    for (time, event) in extra {
        let place = events.partition_point(|event| event.time().unwrap_or(0) <= time);
        events.insert(place, event);
    }
}

fn step(
    client: u32,
    time: u64,
    end: Option<u64>,
    what: &str,
    value: Option<String>,
    outcome: Option<&str>,
) -> TrailEntry {
    TrailEntry {
        time: ms(time),
        end: end.map(ms),
        client,
        registration: matches!(what, "publish" | "unpublish").then_some(0),
        what: what.to_owned(),
        value,
        outcome: outcome.map(str::to_owned),
        node: Some(client % 3),
    }
}

fn base(kind: Kind, time: u64, sentence: &str) -> Violation {
    Violation {
        kind,
        time: ms(time),
        client: Some(117),
        subscription: Some(0),
        node: Some(1),
        data: 0,
        snapshot: None,
        version: Some(time),
        expected: elements(40),
        shown: elements(40),
        missing: Vec::new(),
        extra: Vec::new(),
        sentence: sentence.to_owned(),
        explained: "by no instant in the last 500 ms: it was there all along".to_owned(),
        trail: Vec::new(),
        faults: vec![1],
        role: "pinned".to_owned(),
    }
}

fn incomplete() -> Violation {
    let mut v = base(
        Kind::Incomplete,
        12_481,
        "c117 got 39 of 40 addresses of orders/checkout: pinned publisher c3/0 is missing although it was there all along",
    );
    let value = elements(40)[3].clone();
    v.shown.retain(|shown| *shown != value);
    v.missing = vec![value.clone()];
    v.trail = vec![
        step(3, 136, None, "connected", None, None),
        step(3, 2_105, Some(2_113), "publish", Some(value), Some("ok")),
    ];
    v
}

fn ghost() -> Violation {
    let mut v =
        base(Kind::Ghost, 26_900, "10.0.0.60:9004#2 is still shown 6.9 s after its lease was over at the latest");
    let value = "10.0.0.60:9004#2".to_owned();
    v.shown.push(value.clone());
    v.extra = vec![value.clone()];
    v.trail = vec![
        step(60, 9_100, None, "connected", None, None),
        step(60, 9_200, Some(9_208), "publish", Some("10.0.0.60:9004#1".to_owned()), Some("ok")),
        step(60, 11_600, None, "lost", None, None),
        step(60, 12_350, None, "resumed", None, None),
        step(60, 13_700, Some(13_990), "publish", Some(value), Some("ok")),
        step(60, 15_300, None, "lost", None, None),
    ];
    v.explained = "by no instant in the last 500 ms: absent since 23.300 s".to_owned();
    v.faults = vec![4];
    v.role = "vanished".to_owned();
    v
}

fn many() -> Violation {
    let mut v = base(
        Kind::Incomplete,
        33_050,
        "c117 got 15 of 40 addresses of orders/checkout; 25 publishers that were there all along are missing",
    );
    let all = elements(40);
    v.missing = all[10..35].to_vec();
    v.shown = [&all[..10], &all[35..]].concat();
    for client in 10..35u32 {
        let begin = 400 + 60 * u64::from(client);
        v.trail.push(step(client, begin, None, "connected", None, None));
        v.trail.push(step(
            client,
            begin + 1_000,
            Some(begin + 1_012),
            "publish",
            Some(format!("10.0.0.{client}:{}#1", 9_000 + client % 7)),
            Some("ok"),
        ));
        if client % 3 == 0 {
            v.trail.push(step(client, 31_250 + u64::from(client), None, "lost", None, None));
            v.trail.push(step(client, 32_000 + 9 * u64::from(client), None, "resumed", None, None));
        }
        if client % 5 == 0 {
            v.trail.push(step(
                client,
                32_500,
                Some(32_900),
                "publish",
                Some(format!("10.0.0.{client}:{}#2", 9_000 + client % 7)),
                Some("info"),
            ));
        }
    }
    v.trail.sort_by_key(|entry| entry.time);
    v.faults = vec![5, 6];
    v
}
