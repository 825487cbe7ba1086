//! `upheaval explore`: the same whatever the number of threads, resumable, honest about failures and interrupts.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, refused, run_json, upheaval};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;

/// What does not depend on the host.
fn lasting(mut found: Value) -> Value {
    for key in ["seeds_per_s", "events_per_s", "wall_ms", "jobs", "store", "seeds_resumed"] {
        assert!(found.as_object_mut().unwrap().remove(key).is_some(), "{key}");
    }
    found
}

fn explore(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    run_json(folder, &[&["explore", "swarm"], arguments].concat())
}

#[test]
fn the_number_of_threads_does_not_show() {
    let scratch = Scratch::new("explore-jobs");
    let (code, one) = explore(&scratch.0, &["--seeds", "0..40", "--jobs", "1", "--store", "one", "--twice", "500"]);
    let (_, two) = explore(&scratch.0, &["--seeds", "0..40", "--jobs", "3", "--store", "two", "--twice", "500"]);
    assert_eq!(code, 0, "{one:#}");
    assert_eq!(one["seeds_run"], 40);
    assert!(one["twice"].as_u64().unwrap() > 0 && one["steps"].as_u64().unwrap() > 10_000);
    for key in ["violations", "inconclusive", "errors", "failures", "coverage", "exit_code", "scenario", "verdict"] {
        assert!(one.get(key).is_some(), "{key}");
    }
    assert_eq!(lasting(one), lasting(two));
}

#[test]
fn the_same_command_goes_on_where_it_stopped() {
    let scratch = Scratch::new("explore-resume");
    let (_, first) = explore(&scratch.0, &["--seeds", "5..15"]);
    let folder = scratch.0.join(first["store"].as_str().unwrap());
    // A killed program leaves half a line.
    let results = folder.join("results.jsonl");
    let mut text = std::fs::read(&results).unwrap();
    assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 11);
    text.truncate(text.len() - 20);
    std::fs::write(&results, text).unwrap();
    let (_, more) = explore(&scratch.0, &["--seeds", "0..20"]);
    assert_eq!((&more["seeds_run"], &more["seeds_resumed"]), (&20.into(), &9.into()));
    let (_, fresh) = explore(&scratch.0, &["--seeds", "0..20", "--store", "fresh"]);
    assert_eq!(lasting(more), lasting(fresh));
    let page = std::fs::read_to_string(folder.join("index.html")).unwrap();
    assert!(page.contains("upheaval exploration") && !page.contains("http://"));
    // Another bug is another exploration.
    let (_, bug) = explore(&scratch.0, &["--seeds", "5..7", "--bug", "version-reset"]);
    assert_eq!((&bug["seeds_resumed"], &bug["bug"]), (&0.into(), &"version-reset".into()));
}

#[test]
fn a_planted_bug_is_found_grouped_and_replayed() {
    let scratch = Scratch::new("explore-bug");
    let hunt = |jobs: &str, store: &str| {
        let arguments = ["explore", "registry-churn", "--bug", "republish-appends", "--seeds", "0..30"];
        run_json(&scratch.0, &[&arguments[..], &["--until-failure", "--jobs", jobs, "--store", store]].concat())
    };
    let (code, found) = hunt("1", "one");
    assert_eq!((code, &found["exit_code"]), (1, &1.into()), "{found:#}");
    assert_eq!(lasting(found.clone()), lasting(hunt("2", "two").1));
    let failure = &found["failures"][0];
    assert_eq!(found["violations"], 1);
    let replay: Vec<&str> = failure["replay"].as_str().unwrap().split(' ').skip(1).collect();
    let (code, again) = run_json(&scratch.0, &replay);
    assert_eq!((code, &again["verdict"]), (1, &"violation".into()));
    assert_eq!(again["seed"], failure["cheapest_seed"]);
}

#[test]
fn an_interrupt_ends_it_with_what_was_found_so_far() {
    let scratch = Scratch::new("explore-interrupt");
    let mut command = upheaval(&scratch.0);
    command.args(["explore", "swarm", "--seeds", "0..100000000", "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let some_results = || {
        let folders = std::fs::read_dir(scratch.0.join("runs")).ok()?;
        let results = folders.flatten().next()?.path().join("results.jsonl");
        Some(std::fs::read_to_string(results).ok()?.lines().count() > 3)
    };
    for _ in 0..600 {
        if some_results() == Some(true) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &found["interrupted"]), (Some(3), &true.into()), "{found:#}");
    assert!(found["seeds_run"].as_u64().unwrap() > 0);
}

#[test]
fn what_cannot_be_explored_is_refused() {
    let scratch = Scratch::new("explore-refused");
    for (arguments, word) in [
        (vec!["zookeeper-smoke"], "only simulations can be explored"),
        (vec!["swarm", "--seeds", "5..5"], "A..B"),
        (vec!["swarm", "--bug", "nonsense"], "no such bug"),
        (vec!["swarm", "--time", "ten"], "for example 10m"),
        (vec!["swarms"], "did you mean `swarm`"),
    ] {
        let (error, code) = refused(&scratch.0, &[&["explore"], arguments.as_slice()].concat());
        assert!(code == 2 && error.contains(word), "{arguments:?}: {code} {error}");
    }
}
