//! The whole ensemble is down for `UPHEAVAL_DOWN_S`, 15 s if not given: the probe lives, says what it cannot know, does not grow, and
//! is back by itself, with nothing of what it published before left twice.

use super::{Probe, blocking, children, firing, first_data_id, get, metric, opened, other, prometheus, within};
use crate::HTTP;
use crate::ensemble::Ensemble;
use std::fs;
use std::time::{Duration, Instant};

/// Memory in KiB, open files and threads of the probe.
fn held(probe: &Probe) -> [u64; 3] {
    let id = probe.0.id();
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("the probe lives");
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    [number("VmRSS"), fs::read_dir(format!("/proc/{id}/fd")).unwrap().count() as u64, number("Threads")]
}

/// The names of all values under the probe's first dataId.
fn values() -> Vec<String> {
    blocking(async {
        let mut connection = other("10.99.0.1:2181").await.unwrap();
        let path = first_data_id(&mut connection).await;
        children(&mut connection, &path).await
    })
}

fn open(kind: &str) -> f64 {
    metric(&format!("upheaval_probe_incidents_open{{kind=\"{kind}\"}}"))
}

#[test]
fn an_outage_of_the_whole_registry_is_survived() {
    let Some(mut ensemble) = Ensemble::start("outage") else { return };
    let folder = ensemble.folder.clone();
    let mut probe = Probe::start(&folder, "");
    let _prometheus = prometheus(&folder);
    std::thread::sleep(Duration::from_secs(10));
    let published = values().len();
    assert_eq!(opened("down"), 0.0);

    (1..=3).for_each(|id| ensemble.kill(id));
    let took = within("the outage", 15, || open("down") == 1.0);
    println!("down: noticed in {took:?}");
    within("the alert", 30, || firing("UpheavalProbeRegistryDown"));
    let for_s = std::env::var("UPHEAVAL_DOWN_S").ok().and_then(|s| s.parse().ok()).unwrap_or(15);
    let began = Instant::now();
    let (mut first, mut most) = (None::<[u64; 3]>, [0; 3]);
    while began.elapsed().as_secs() < for_s {
        std::thread::sleep(Duration::from_secs((for_s / 60).max(1)));
        let now = held(&probe);
        // What it holds after a tenth of the outage (the window of three minutes has run empty by then) is what it may hold.
        if began.elapsed().as_secs() * 10 >= for_s {
            first.get_or_insert(now);
            most = std::array::from_fn(|n| most[n].max(now[n]));
        }
        assert_eq!((open("down"), opened("down")), (1.0, 1.0), "one incident, and it stays open");
        assert!(metric("upheaval_probe_completeness_ratio").is_nan(), "what cannot be seen is neither right nor wrong");
        assert_eq!(metric("upheaval_probe_judged_ratio"), 0.0);
        assert!(get(HTTP, "/healthz").starts_with("HTTP/1.1 200"), "the probe itself is well");
        assert!(get(HTTP, "/readyz").starts_with("HTTP/1.1 503"));
        assert!(get(HTTP, "/").contains("is unknown"), "{}", get(HTTP, "/"));
    }
    let first = first.unwrap();
    println!("down for {for_s} s: [KiB, files, threads] {first:?} at a tenth of it, at most {most:?} after");
    assert!(most[0] < first[0] + 4_096 && most[1] < first[1] + 16 && most[2] < first[2] + 4, "{first:?} {most:?}");

    (1..=3).for_each(|id| ensemble.restart(id));
    let took = within("it is connected again", 120, || {
        get(HTTP, "/readyz").starts_with("HTTP/1.1 200") && open("down") == 0.0
    });
    println!("back: noticed {took:?} after the servers were started");
    within("everything is judged and right", 60, || {
        metric("upheaval_probe_completeness_ratio") == 1.0 && metric("upheaval_probe_judged_ratio") == 1.0
    });
    within("no alert", 60, || !firing("UpheavalProbeRegistryDown"));
    // Values of sessions before the outage end with these; what is there is what it publishes now.
    within("nothing is there twice", 30, || values().len() == published);
    std::thread::sleep(Duration::from_secs(10));
    for kind in ["down", "incomplete", "ghost", "wrong-content", "late", "silence", "lost-connection"] {
        assert_eq!(open(kind), 0.0, "{kind}\n{}", get(HTTP, "/"));
    }
    let told = get(HTTP, "/metrics");
    let told: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with("upheaval_probe_incidents_total") && !line.ends_with(" 0"))
        .collect();
    println!("incidents: {told:?}");
    assert_eq!(told.len(), 2, "down, and the connections that were lost: {told:?}");
    // What was saved is a history that the checkers can judge, and in which the registry did nothing wrong.
    for (place, verdict) in super::verdicts(&folder) {
        let checks = verdict["checks"].as_array().unwrap();
        assert!(checks.iter().any(|check| check["checked"].as_u64() > Some(0)), "{place}: {verdict}");
        assert_ne!(verdict["verdict"], "violation", "{place}: {verdict}");
    }
    probe.signal("-TERM");
    assert_eq!(probe.0.wait().unwrap().code(), Some(0), "{}", fs::read_to_string(folder.join("probe.log")).unwrap());
    within("nothing is left", 20, || super::left() == 0);
}
