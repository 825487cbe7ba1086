//! Two days in virtual time: no false alarm, memory flat, caps kept; and faults are noticed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod support;

use checkers::{Options, Verdict};
use history::SECOND;
use probe::finding::Kind;
use support::{Bench, CONFIG, Fault, resident};

const HOUR: u64 = 3_600 * SECOND;

#[test]
fn two_days_without_a_false_alarm_in_flat_memory() {
    let mut bench = Bench::new(&CONFIG.replace("change_ms = 1000", "change_ms = 2000\nping_ms = 2000"));
    bench.run(HOUR);
    let (memory, remembered) = (resident(), bench.engine.remembered());
    let began = std::time::Instant::now();
    bench.run(48 * HOUR);
    let grown = resident().saturating_sub(memory);
    println!(
        "48 h in {} s: {} operations, {} MiB, grown by {} KiB, {} things remembered",
        began.elapsed().as_secs(),
        bench.registry.operations,
        resident() >> 20,
        grown >> 10,
        bench.engine.remembered()
    );
    assert_eq!(bench.incidents(), [""; 0]);
    assert!(resident() < 256 << 20 && grown < 4 << 20, "{grown} bytes more after 48 hours");
    assert!(bench.engine.remembered() < 3 * remembered, "{remembered} -> {}", bench.engine.remembered());
    let counts = bench.engine.counts();
    assert!(counts.views >= 10 && counts.expected > 50 && counts.shown == counts.expected, "{counts:?}");
    // 3 changes and at most 12 pings every two seconds, and reconnects.
    let per_s = bench.registry.operations / (48 * 3_600);
    assert!((3..10).contains(&per_s), "{per_s} operations a second");
}

#[test]
fn each_fault_is_noticed_at_once_and_the_right_server_named() {
    type Make = fn(&mut Bench);
    let forget: Make = |bench| {
        bench.registry.faults[1].forgets = 1;
        bench.registry.touch();
    };
    let cases: [(&str, Kind, Option<&str>, Make); 7] = [
        ("killed", Kind::LostConnection, Some("n2:2181"), |bench| {
            let mut out = Vec::new();
            bench.registry.kill(1, &mut out);
            bench.see(out);
        }),
        ("cut off", Kind::Late, Some("n3:2181"), |bench| bench.registry.faults[2].cut = true),
        ("deleted behind its back", Kind::Incomplete, None, |bench| bench.registry.delete_behind_its_back(5)),
        ("forgetful", Kind::Incomplete, Some("n2:2181"), forget),
        ("slow", Kind::Late, Some("n1:2181"), |bench| bench.registry.faults[0].slow = 3 * SECOND),
        ("foreign", Kind::WrongContent, None, |bench| {
            bench.registry.extra.push((0, "<script>alert(1)</script>".into()));
            bench.registry.touch();
        }),
        ("all down", Kind::Down, None, |bench| {
            for server in 0..3 {
                let mut out = Vec::new();
                bench.registry.kill(server, &mut out);
                bench.see(out);
            }
        }),
    ];
    for (what, kind, suspect, make) in cases {
        let mut bench = Bench::new(CONFIG);
        bench.run(120 * SECOND);
        assert_eq!(bench.incidents(), [""; 0], "{what}");
        make(&mut bench);
        let took = bench.until_open(kind, 10 * SECOND);
        assert!(took.is_some_and(|took| took < 5 * SECOND), "{what}: {took:?} {:?}", bench.incidents());
        let now = bench.registry.now;
        bench.run(now + SECOND);
        let one = bench.engine.book().all().find(|one| one.kind == kind).unwrap();
        assert_eq!(one.suspect.as_deref(), suspect, "{what}: {one:?}");
        assert!(!one.why.is_empty(), "{what}");
    }
}

#[test]
fn a_ghost_is_one_only_after_the_objective() {
    let mut bench = Bench::new(CONFIG);
    bench.run(60 * SECOND);
    // What the changer of n1 published some time ago comes back.
    bench.registry.extra.push((0, probe::value::make("it", 2, 12, 48)));
    bench.registry.touch();
    assert!(bench.until_open(Kind::Ghost, 5 * SECOND).is_some(), "{:?}", bench.incidents());
    bench.registry.extra.clear();
    bench.registry.touch();
    let now = bench.registry.now;
    bench.run(now + 10 * SECOND);
    assert_eq!(bench.engine.book().open()[&Kind::Ghost], 0, "it is closed when it is over");
}

/// What the checkers find in the window; that they cannot judge it is a finding, too.
fn violations(bench: &Bench) -> Vec<String> {
    let (_, events) = bench.engine.flight().history();
    let report = checkers::check(&bench.engine.header(), &events, &Options::default());
    let wrong =
        report.checks.iter().filter(|check| check.violations > 0 || check.checked == 0 && check.reason.is_some());
    wrong.map(|check| format!("{}: {:?} {:?}", check.checker, check.reason, check.examples.first())).collect()
}

#[test]
fn an_hour_without_a_registry_is_one_incident_each_and_unknown() {
    let mut bench = Bench::new(CONFIG);
    bench.run(60 * SECOND);
    for server in 0..3 {
        let mut out = Vec::new();
        bench.registry.kill(server, &mut out);
        bench.see(out);
    }
    let operations = bench.registry.operations;
    bench.run(HOUR);
    let attempts = bench.registry.operations - operations;
    assert!(attempts < 12 * 3_600 / 3, "{attempts} attempts in an hour: it backs off");
    let text = bench.engine.figures.text();
    assert!(text.contains("upheaval_probe_completeness_ratio NaN"), "unknown is not wrong\n{text}");
    assert!(text.contains("upheaval_probe_judged_ratio 0"), "{text}");
    assert_eq!(bench.engine.book().all().count(), 4, "down, and one lost-connection a server: {:?}", bench.incidents());
    (0..3).for_each(|server| bench.registry.heal(server));
    let now = bench.registry.now;
    bench.run(now + 60 * SECOND);
    assert!(bench.engine.book().all().all(|one| !one.is_open()), "{:?}", bench.incidents());
    // Leases stood still with the registry, so what was published before the outage is shown for a while after it.
    assert_eq!(violations(&bench), Vec::<String>::new());
    let now = bench.registry.now;
    bench.run(now + HOUR);
    assert_eq!(bench.engine.book().all().count(), 4, "and calm again: {:?}", bench.incidents());
}

#[test]
fn its_own_standstill_is_nobodys_fault() {
    let mut bench = Bench::new(CONFIG);
    bench.run(60 * SECOND);
    // Nobody asks the engine for 20 s, and then everything that waited comes at once.
    bench.registry.now += 20 * SECOND;
    let now = bench.registry.now;
    bench.run(now + 120 * SECOND);
    assert_eq!(bench.incidents(), [""; 0]);
    assert!(bench.engine.figures.text().contains("upheaval_probe_lag_total 1"));
}

#[test]
fn the_window_is_a_history_that_the_checkers_judge_alike() {
    let mut bench = Bench::new(CONFIG);
    bench.run(600 * SECOND);
    let check = |bench: &Bench| {
        let (_, events) = bench.engine.flight().history();
        checkers::check(&bench.engine.header(), &events, &Options::default())
    };
    let calm = check(&bench);
    let found: u64 = calm.checks.iter().map(|check| check.violations).sum();
    assert_eq!(found, 0, "{:#?}", calm.checks.iter().flat_map(|c| c.examples.first()).collect::<Vec<_>>());
    bench.registry.delete_behind_its_back(5);
    let now = bench.registry.now;
    bench.run(now + 5 * SECOND);
    let report = check(&bench);
    assert_eq!(report.verdict, Verdict::Violation);
    let incomplete = report.checks.iter().find(|check| check.checker == "completeness").unwrap();
    assert!(incomplete.violations > 0 && incomplete.examples[0].missing[0].starts_with("it.c5#"), "{report:#?}");
}

#[test]
fn what_canaries_tell_in_another_order_than_they_saw_it_damages_no_history() {
    let mut bench = Bench::new(CONFIG);
    bench.run(60 * SECOND);
    let mut out = Vec::new();
    bench.registry.kill(1, &mut out);
    let count = out.len() as u64;
    assert!(count > 1);
    for (n, one) in (0..).zip(&mut out) {
        one.time += count - n;
    }
    bench.see(out);
    let now = bench.registry.now;
    bench.run(now + 5 * SECOND);
    assert_eq!(violations(&bench), Vec::<String>::new());
}

#[test]
fn the_recorder_is_bounded() {
    let mut bench = Bench::new(&format!("{CONFIG}[evidence]\nmemory_bytes = 1048576\n"));
    bench.registry.extra.extend((0..500).map(|n| (0, format!("stranger-{n}-{}", "x".repeat(900)))));
    bench.registry.touch();
    bench.run(600 * SECOND);
    let (_, bytes) = bench.engine.flight().size();
    assert!(bytes <= 1 << 20, "{bytes}");
    assert!(bench.engine.book().all().count() < 20, "a hostile content is one incident, not five hundred");
}

#[test]
fn a_reload_keeps_the_window_and_the_namespace() {
    let mut bench = Bench::new(CONFIG);
    bench.run(120 * SECOND);
    let (events, _) = bench.engine.flight().size();
    let text = CONFIG.replace("converge_ms = 500", "converge_ms = 5000").replace("/upheaval-probe", "/another");
    let kept = bench.engine.reload(120 * SECOND, probe::config::Config::parse("test", &text).unwrap());
    assert_eq!(kept, ["registry"]);
    assert_eq!(bench.engine.flight().size().0, events);
    bench.registry.faults[0] = Fault { slow: 3 * SECOND, ..Fault::default() };
    bench.run(150 * SECOND);
    assert_eq!(bench.engine.book().open()[&Kind::Late], 0, "3 s are within the new objective: {:?}", bench.incidents());
}
