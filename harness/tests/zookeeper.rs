//! A real three-node ZooKeeper ensemble through the whole program. Needs root, Java, ZooKeeper, nftables and iproute2;
//! skipped by name where one of them is missing (an error with `UPHEAVAL_REQUIRE_ALL`).
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, refused, run_json, upheaval};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Two cores carry one ensemble at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What others had on this machine before the first ensemble: not ours, and no test's business.
static BEFORE: LazyLock<BTreeSet<String>> = LazyLock::new(|| there().into_iter().collect());

fn ensemble(test: &str) -> Option<MutexGuard<'static, ()>> {
    LazyLock::force(&BEFORE);
    match systems::zookeeper::doctor() {
        Ok(()) => Some(ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)),
        Err(why) => {
            assert!(std::env::var_os("UPHEAVAL_REQUIRE_ALL").is_none(), "{test}: {why}");
            println!("skipped: {test}: {why}");
            None
        }
    }
}

fn leftovers() -> Vec<String> {
    there().into_iter().filter(|thing| !BEFORE.contains(thing)).collect()
}

/// Namespaces of labs, and processes of nodes and supervisors.
fn there() -> Vec<String> {
    let namespaces = Command::new("ip").args(["netns", "list"]).output().unwrap().stdout;
    let namespaces = String::from_utf8(namespaces).unwrap();
    let mut left: Vec<String> = namespaces.lines().map(|line| format!("namespace {line}")).collect();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(command) = std::fs::read(entry.path().join("cmdline")) else { continue };
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains("QuorumPeerMain") || command.starts_with("upheaval-supervisor") {
            left.push(format!("process {command}"));
        }
    }
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    left.extend(mounts.lines().filter(|line| line.contains("upheaval")).map(|line| format!("mount {line}")));
    left
}

fn nothing_left_within(patience: Duration) {
    let start = Instant::now();
    while !leftovers().is_empty() {
        assert!(start.elapsed() < patience, "left behind: {:#?}", leftovers());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn kinds(store: &Scratch) -> Vec<String> {
    let text = std::fs::read_to_string(store.0.join("runs/latest/verdict.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let checks = report["checks"].as_array().unwrap().clone();
    let examples = checks.iter().flat_map(|check| check["examples"].as_array().unwrap().clone());
    examples.map(|violation| violation["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_minute_of_churn_with_every_fault_passes() {
    let Some(_guard) = ensemble("a_minute_of_churn_with_every_fault_passes") else { return };
    let scratch = Scratch::new("zk-churn");
    let (code, summary) = run_json(&scratch.0, &["run", "zookeeper-churn", "--seed", "7"]);
    nothing_left_within(Duration::from_secs(2));
    assert_eq!(
        code,
        0,
        "{summary:#}\n{}",
        std::fs::read_to_string(scratch.0.join("runs/latest/verdict.json")).unwrap()
    );
    assert!(summary["counts"]["clients"].as_u64().unwrap() >= 200);
    assert!(summary["counts"]["data_ids"].as_u64().unwrap() >= 50);
    let faults = summary["faults"].as_array().unwrap();
    for kind in ["kill", "pause", "partition", "clock-step"] {
        assert!(faults.iter().any(|fault| fault["kind"] == kind), "{kind} is missing: {faults:#?}");
    }
    for node in ["n1", "n2", "n3"] {
        let log = std::fs::read_to_string(scratch.0.join(format!("runs/latest/nodes/{node}.log"))).unwrap();
        assert!(log.contains("LEADING") || log.contains("FOLLOWING"), "what {node} wrote is kept:\n{log}");
    }
    // The bounds are no wider than twice what was measured.
    let (code, _) = run_json(&scratch.0, &["check", "runs/latest", "--divide-bounds", "4"]);
    assert_eq!(code, 1, "with every bound divided by four the clean run is a violation");
}

/// Runs a careless client; it has to be caught within three seeds by this kind of violation.
fn is_caught(test: &str, scenario: &str, kind: &str) {
    let Some(_guard) = ensemble(test) else { return };
    let scratch = Scratch::new(scenario);
    let mut seen = Vec::new();
    for seed in ["1", "2", "3"] {
        let (code, _) = run_json(&scratch.0, &["run", scenario, "--seed", seed]);
        let found = kinds(&scratch);
        if code == 1 && found.iter().any(|found| found == kind) {
            return;
        }
        seen.push((code, found));
    }
    panic!("{scenario}: no {kind} within three seeds: {seen:?}");
}

#[test]
fn reads_without_sync_are_caught() {
    is_caught("reads_without_sync_are_caught", "zookeeper-unsynced", "stale");
}

#[test]
fn forgetting_to_register_again_is_caught() {
    is_caught("forgetting_to_register_again_is_caught", "zookeeper-forgetful", "incomplete");
}

#[test]
fn watching_after_reading_is_caught() {
    is_caught("watching_after_reading_is_caught", "zookeeper-late-watch", "stale");
}

#[test]
fn not_watching_again_is_caught() {
    is_caught("not_watching_again_is_caught", "zookeeper-no-rewatch", "stale");
}

/// Starts a run and waits until its history grows.
fn under_way(scratch: &Scratch) -> std::process::Child {
    let mut child = upheaval(&scratch.0)
        .args(["run", "zookeeper-smoke", "--seed", "5", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let grown = || {
        let runs = std::fs::read_dir(scratch.0.join("runs")).into_iter().flatten().flatten();
        let histories = runs.map(|run| run.path().join("history.jsonl.zst"));
        histories.into_iter().any(|path| std::fs::metadata(path).is_ok_and(|data| data.len() > 3_000))
    };
    for _ in 0..1_200 {
        if grown() {
            return child;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    panic!("the run does not begin: {:?}", child.wait());
}

#[test]
fn an_interrupt_heals_reports_and_leaves_nothing() {
    let Some(_guard) = ensemble("an_interrupt_heals_reports_and_leaves_nothing") else { return };
    let scratch = Scratch::new("zk-interrupt");
    let child = under_way(&scratch);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{summary:#}");
    assert_eq!(summary["verdict"], "inconclusive");
    nothing_left_within(Duration::from_secs(2));
}

#[test]
fn after_kill_9_the_supervisor_cleans_up_and_the_history_is_readable() {
    let Some(_guard) = ensemble("after_kill_9_the_supervisor_cleans_up_and_the_history_is_readable") else { return };
    let scratch = Scratch::new("zk-kill");
    let mut child = under_way(&scratch);
    child.kill().unwrap();
    child.wait().unwrap();
    nothing_left_within(Duration::from_secs(10));
    let run = std::fs::read_dir(scratch.0.join("runs")).unwrap().flatten().next().unwrap().path();
    let (code, stats) = run_json(&scratch.0, &["history", "stats", run.to_str().unwrap()]);
    assert!(stats["events"].as_u64().unwrap() > 50, "exit {code}: {stats:#}");
    let (code, _) = run_json(&scratch.0, &["check", run.to_str().unwrap()]);
    assert_eq!(code, 3, "a history without an end is never a pass");
}

#[test]
fn a_system_that_does_not_start_is_said_and_leaves_nothing() {
    let Some(_guard) = ensemble("a_system_that_does_not_start_is_said_and_leaves_nothing") else { return };
    let scratch = Scratch::new("zk-no-start");
    let no_java = ["run", "zookeeper-smoke", "--seed", "1", "--set", "zookeeper.java=/nowhere/java"];
    let (message, code) = refused(&scratch.0, &no_java);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("default-jre-headless"), "{message}");
    // A Java that ends at once.
    let broken = ["run", "zookeeper-smoke", "--seed", "1", "--set", "zookeeper.java=/bin/false"];
    let (message, code) = refused(&scratch.0, &broken);
    assert_eq!(code, 4, "{message}");
    assert!(message.contains("did not start"), "{message}");
    nothing_left_within(Duration::from_secs(2));
    let kept = std::fs::read_dir(scratch.0.join("runs")).into_iter().flatten().count();
    assert_eq!(kept, 0, "a run that recorded nothing leaves no folder");
}

#[test]
fn without_root_it_says_so() {
    let Some(_guard) = ensemble("without_root_it_says_so") else { return };
    let scratch = Scratch::new("zk-no-root");
    Command::new("chmod").args(["-R", "a+rwX", scratch.0.to_str().unwrap()]).status().unwrap();
    let program = scratch.0.join("upheaval");
    std::fs::copy(env!("CARGO_BIN_EXE_upheaval"), &program).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["run", "zookeeper-smoke", "--seed", "1"])
        .current_dir(&scratch.0)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("root"), "{message}");
}

#[test]
fn two_thousand_sessions_take_less_than_a_gibibyte() {
    let Some(_guard) = ensemble("two_thousand_sessions_take_less_than_a_gibibyte") else { return };
    let scratch = Scratch::new("zk-sessions");
    let (code, summary) = run_json(&scratch.0, &["run", "zookeeper-sessions", "--seed", "1"]);
    assert_eq!(code, 0, "{summary:#}");
    assert!(summary["counts"]["clients"].as_u64().unwrap() >= 2_000);
    assert!(summary["peak_bytes"].as_u64().unwrap() < 1 << 30, "{}", summary["peak_bytes"]);
}
