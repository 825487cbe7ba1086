//! Small literal histories, and a rich one, for the tests and the preview.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its own part")]

pub mod rich;
pub mod told;

use checkers::verdict::Distribution;
use checkers::{CheckResult, Convergence, Figure, Kind, Report, Sample, TrailEntry, Verdict, Violation};
use history::{
    Connection, ConnectionState, Contract, Effect, Event, Fault, FaultKind, FaultStage, Function, Header, Keeper,
    MILLI, Nanos, Node, Operation, Outcome, Phase, PhaseName, Push, Snapshot, SystemName,
};
use reports::{Run, RunFacts};
use std::collections::BTreeMap;

/// Owns what a [`Run`] borrows.
#[derive(Clone, Debug)]
pub struct Sample1 {
    pub header: Header,
    pub events: Vec<Event>,
    pub report: Report,
    pub facts: RunFacts,
}

impl Sample1 {
    pub fn run(&self) -> Run<'_> {
        Run { header: &self.header, events: &self.events, report: &self.report, facts: &self.facts }
    }
}

pub fn contract() -> Contract {
    Contract {
        visible_ms_max: 500,
        recovered_ms_max: 6_000,
        lease_ms_min: 4_000,
        lease_ms_max: 8_000,
        node_lease_ms_min: None,
        lease_restarts_on_keeper_change: true,
        lease_keeper: Keeper::AnyNode,
        survives_node_loss: true,
        atomic_snapshots: true,
        atomic_replace: true,
        monotonic_pushes: true,
        monotonic_versions: true,
        stale_writes_rejected: true,
        memory: None,
        staleness_ms_max: Some(6_000),
        first_push_may_be_empty: false,
        in_flight_ms_max: 1_000,
        reregister_ms_max: None,
        linearizable_reads: false,
        calibrated: false,
    }
}

pub fn header() -> Header {
    let node = |name: &str| Node { name: name.to_owned(), role: "server".to_owned(), serves_clients: true };
    Header {
        schema: 1,
        scenario: "zookeeper-churn".to_owned(),
        seed: 7,
        program: "upheaval 0.1.0".to_owned(),
        plan_hash: "6c1f0942aa".to_owned(),
        system: SystemName {
            name: "zookeeper".to_owned(),
            version: "3.8.0".to_owned(),
            client: "zookeeper-client 0.11.2".to_owned(),
        },
        virtual_time: false,
        nodes: vec![node("n1"), node("n2"), node("n3")],
        data_ids: vec!["orders/checkout".to_owned(), "stock/levels".to_owned()],
        clients: 18,
        pinned: vec![3],
        contract: contract(),
        final_reads: 6,
        bug: None,
    }
}

pub fn facts() -> RunFacts {
    RunFacts {
        run: Some("2026-11-22-0712-zookeeper-churn-7".to_owned()),
        replay: Some("upheaval replay runs/2026-11-22-0712-zookeeper-churn-7".to_owned()),
        shrink: Some("upheaval shrink runs/2026-11-22-0712-zookeeper-churn-7".to_owned()),
        wall_ms: Some(81_000),
        virtual_ms: Some(60_000),
        plan_hash: None,
        history_hash: Some("f00dfeed".to_owned()),
        drawn: vec![("kill".to_owned(), "on".to_owned()), ("partition".to_owned(), "one-way".to_owned())],
        store: Some("runs/2026-11-22-0712-zookeeper-churn-7".to_owned()),
        node_logs: ["n1", "n2", "n3"].map(|node| format!("nodes/{node}.log")).to_vec(),
        peak_bytes: Some(48_234_496),
        tale: None,
    }
}

pub fn ms(time: u64) -> Nanos {
    time * MILLI
}

#[allow(clippy::too_many_arguments)]
pub fn operation(time: Nanos, outcome: Outcome, op: u32, client: u32, f: Function, value: Option<&str>) -> Event {
    let subscription = matches!(f, Function::Subscribe | Function::Unsubscribe).then_some(0);
    let registration = matches!(f, Function::Publish | Function::Unpublish).then_some(0);
    Event::Op(Box::new(Operation {
        time,
        outcome,
        op,
        process: client,
        client,
        f,
        data: Some(0),
        registration,
        subscription,
        value: value.map(str::to_owned),
        session: Some(client),
        node: Some(client % 3),
        snapshot: None,
        late_ns: 0,
        reaction: false,
        error: None,
    }))
}

pub fn connection(time: Nanos, client: u32, state: ConnectionState) -> Event {
    Event::Connection(Box::new(Connection {
        time,
        client,
        session: client,
        state,
        node: Some(client % 3),
        name: None,
        reason: None,
    }))
}

pub fn push(time: Nanos, client: u32, data: u32, snapshot: u32) -> Event {
    Event::Push(Push {
        time,
        client,
        session: client,
        subscription: 0,
        data,
        snapshot,
        version: Some(81),
        node: Some(client % 3),
    })
}

pub fn snapshot(id: u32, data: u32, base: Option<u32>, add: &[&str], remove: &[&str]) -> Event {
    let own = |list: &[&str]| list.iter().map(|value| (*value).to_owned()).collect();
    Event::Snapshot(Box::new(Snapshot { id, data, base, add: own(add), remove: own(remove) }))
}

pub fn phase(time: Nanos, name: PhaseName) -> Event {
    Event::Phase(Phase { time, name })
}

pub fn fault(
    time: Nanos,
    id: u32,
    stage: FaultStage,
    kind: FaultKind,
    node: &str,
    effect: Option<(bool, i64, &str)>,
) -> Event {
    let links = if kind == FaultKind::Partition { vec![(node.to_owned(), "n3".to_owned())] } else { Vec::new() };
    let nodes = if kind == FaultKind::Partition { Vec::new() } else { vec![node.to_owned()] };
    Event::Fault(Box::new(Fault {
        time,
        id,
        stage,
        kind,
        nodes,
        links,
        clients: Vec::new(),
        detail: if stage == FaultStage::Missed { "no node matched".to_owned() } else { format!("fault on {node}") },
        effect: effect.map(|(bit, amount, unit)| Effect { bit, amount, unit: unit.to_owned() }),
    }))
}

pub fn check(checker: &str, verdict: Verdict, checked: u64, unit: &str, judged_permille: i64) -> CheckResult {
    CheckResult {
        checker: checker.to_owned(),
        verdict,
        checked,
        unit: unit.to_owned(),
        violations: 0,
        examples: Vec::new(),
        figures: BTreeMap::from([("judged_permille".to_owned(), Figure::Whole(judged_permille))]),
        reason: None,
    }
}

pub fn distribution(count: u64, quantiles_ms: [u64; 5], max_at_ms: u64) -> Distribution {
    let [p50, p90, p99, p999, max] = quantiles_ms.map(ms);
    Distribution { count, p50, p90, p99, p999, max, max_at: ms(max_at_ms) }
}

/// Two clients, one kill, one partition that bit, one change seen late while n2 was down.
pub fn pass() -> Sample1 {
    let events = vec![
        phase(0, PhaseName::WarmUp),
        connection(ms(10), 3, ConnectionState::Connected),
        connection(ms(12), 17, ConnectionState::Connected),
        operation(ms(2_100), Outcome::Invoke, 1, 3, Function::Publish, Some("10.0.0.3:9000#4")),
        operation(ms(2_113), Outcome::Ok, 1, 3, Function::Publish, Some("10.0.0.3:9000#4")),
        operation(ms(2_200), Outcome::Invoke, 2, 17, Function::Subscribe, None),
        snapshot(0, 0, None, &["10.0.0.3:9000#4"], &[]),
        push(ms(2_205), 17, 0, 0),
        operation(ms(2_206), Outcome::Ok, 2, 17, Function::Subscribe, None),
        phase(ms(3_000), PhaseName::Chaos),
        fault(ms(31_200), 0, FaultStage::Start, FaultKind::Kill, "n2", None),
        operation(ms(31_300), Outcome::Invoke, 3, 4, Function::Publish, Some("10.0.0.4:9000#1")),
        operation(ms(31_310), Outcome::Ok, 3, 4, Function::Publish, Some("10.0.0.4:9000#1")),
        fault(ms(33_200), 0, FaultStage::End, FaultKind::Kill, "n2", None),
        snapshot(1, 0, Some(0), &["10.0.0.4:9000#1"], &[]),
        push(ms(34_210), 17, 0, 1),
        fault(ms(34_500), 0, FaultStage::Serving, FaultKind::Kill, "n2", Some((true, 620, "ms without service"))),
        fault(ms(40_000), 1, FaultStage::Start, FaultKind::Partition, "n1", None),
        fault(ms(42_000), 1, FaultStage::End, FaultKind::Partition, "n1", None),
        fault(ms(42_100), 1, FaultStage::Serving, FaultKind::Partition, "n1", Some((true, 1_204, "frames dropped"))),
        phase(ms(60_000), PhaseName::End),
    ];
    let under = BTreeMap::from([(0, distribution(12, [40, 900, 2_900, 2_900, 2_900], 34_210))]);
    let report = Report {
        verdict: Verdict::Pass,
        checks: vec![
            check("convergence", Verdict::Pass, 8_412, "changes", 924),
            check("completeness", Verdict::Pass, 61_230, "pushes", 1_000),
            check("ghosts", Verdict::Pass, 61_230, "pushes", 1_000),
            check("order", Verdict::Pass, 61_230, "pushes", 1_000),
        ],
        reasons: Vec::new(),
        convergence: Some(Convergence {
            samples: 8_412,
            coalesced: 12,
            unfinished: 3,
            all: distribution(8_412, [6, 11, 41, 620, 2_900], 34_210),
            calm: distribution(8_400, [6, 10, 22, 61, 240], 12_000),
            under_fault: under,
            series: vec![
                Sample { at: ms(2_113), took: ms(92) },
                Sample { at: ms(20_000), took: ms(6) },
                Sample { at: ms(31_310), took: ms(2_900) },
            ],
        }),
        suspect: None,
    };
    Sample1 { header: header(), events, report, facts: facts() }
}

/// A node that clients blame.
fn suspect() -> checkers::suspect::Suspect {
    checkers::suspect::Suspect {
        node: "n2".to_owned(),
        role: "server".to_owned(),
        confidence: 0.93,
        from_ms: 31_000,
        until_ms: 34_500,
        score: 14.2,
        reasoning: "writes: 812 ms (p90 2.0 s), against 6.1 ms (p90 9.8 ms) through its peers".to_owned(),
        runners_up: vec![checkers::suspect::Rival {
            node: "n1".to_owned(),
            role: "server".to_owned(),
            score: 3.4,
            left: 1.2,
        }],
    }
}

/// As [`pass`], but the second push lacks the pinned publisher.
pub fn violation() -> Sample1 {
    let mut sample = pass();
    for event in &mut sample.events {
        if let Event::Snapshot(snapshot) = event
            && snapshot.id == 1
        {
            snapshot.remove = vec!["10.0.0.3:9000#4".to_owned()];
        }
    }
    sample.report.suspect = Some(suspect());
    let own = |list: &[&str]| list.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let entry = |time, end, what: &str, value: Option<&str>, outcome: Option<&str>| TrailEntry {
        time,
        end,
        client: 3,
        registration: value.map(|_| 0),
        what: what.to_owned(),
        value: value.map(str::to_owned),
        outcome: outcome.map(str::to_owned),
        node: Some(0),
    };
    let violation = Violation {
        kind: Kind::Incomplete,
        time: ms(34_210),
        client: Some(17),
        subscription: Some(0),
        node: Some(2),
        data: 0,
        snapshot: Some(1),
        version: Some(81),
        expected: own(&["10.0.0.3:9000#4", "10.0.0.4:9000#1"]),
        shown: own(&["10.0.0.4:9000#1"]),
        missing: own(&["10.0.0.3:9000#4"]),
        extra: Vec::new(),
        sentence: "got 1 of 2 addresses that had to be there".to_owned(),
        explained: "by no instant in the last 500 ms".to_owned(),
        trail: vec![
            entry(ms(10), None, "connected", None, None),
            entry(ms(2_100), Some(ms(2_113)), "publish", Some("10.0.0.3:9000#4"), Some("ok")),
        ],
        faults: vec![0],
        role: "pinned".to_owned(),
    };
    sample.report.verdict = Verdict::Violation;
    let check = &mut sample.report.checks[1];
    check.verdict = Verdict::Violation;
    check.violations = 2;
    check.examples = vec![violation];
    sample
}

/// No fault took effect.
pub fn inconclusive() -> Sample1 {
    let mut sample = pass();
    sample.events.retain(|event| !matches!(event, Event::Fault(_)));
    sample.events.push(fault(ms(31_200), 0, FaultStage::Missed, FaultKind::Kill, "n2", None));
    sample.report.verdict = Verdict::Inconclusive;
    sample.report.reasons =
        vec!["no fault took effect".to_owned(), "convergence: 24.1 % judged, at least 30 % are needed".to_owned()];
    let check = &mut sample.report.checks[0];
    check.verdict = Verdict::Inconclusive;
    check.reason = Some("24.1 % judged, at least 30 % are needed".to_owned());
    check.figures.insert("judged_permille".to_owned(), Figure::Whole(241));
    sample
}

/// A name that would like to be a script.
pub const PAYLOAD: &str =
    "\"><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">'\u{1b}[31m\u{202e}&";

/// What a bare `check HISTORY` knows: a hostile history and nothing else.
pub fn hostile() -> Sample1 {
    let mut sample = violation();
    let payload = PAYLOAD;
    sample.header.data_ids[0] = payload.to_owned();
    sample.header.scenario = payload.to_owned();
    sample.header.system.name = payload.to_owned();
    sample.header.nodes[0].name = payload.to_owned();
    sample.header.nodes[2].role = payload.to_owned();
    sample.header.bug = Some(payload.to_owned());
    sample.facts = RunFacts {
        replay: Some(payload.to_owned()),
        drawn: vec![(payload.to_owned(), payload.to_owned())],
        ..RunFacts::default()
    };
    for check in &mut sample.report.checks {
        check.reason = Some(payload.to_owned());
        check.unit = payload.to_owned();
        check.figures.insert(format!("{payload}_ms"), Figure::Whole(4));
        for violation in &mut check.examples {
            violation.sentence = payload.to_owned();
            violation.explained = payload.to_owned();
            violation.role = payload.to_owned();
            violation.extra = vec![payload.to_owned()];
            violation.shown.push(payload.to_owned());
            for entry in &mut violation.trail {
                entry.what = payload.to_owned();
                entry.value = Some(payload.to_owned());
                entry.outcome = Some(payload.to_owned());
            }
        }
    }
    for event in &mut sample.events {
        if let Event::Fault(fault) = event {
            fault.nodes = vec![payload.to_owned()];
            fault.detail = payload.to_owned();
            if let Some(effect) = &mut fault.effect {
                effect.unit = payload.to_owned();
            }
        }
    }
    sample
}
