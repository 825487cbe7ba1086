//! A writer that is killed leaves a history that can be read.
#![allow(clippy::unwrap_used)]

mod common;

use common::{header, push};
use history::*;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const CHILD: &str = "UPHEAVAL_TEST_HISTORY_OF_CHILD";

/// Writes until it is killed, with a flush now and then.
fn write_for_ever(path: &Path) -> ! {
    let mut writer = Writer::create(path, &header()).unwrap();
    let snapshot = Snapshot { id: 0, data: 0, base: None, add: vec!["a#1".into()], remove: vec![] };
    writer.event(&Event::Snapshot(Box::new(snapshot))).unwrap();
    for time in 0.. {
        writer.event(&push(time, 0)).unwrap();
        if time % 97 == 0 {
            writer.flush().unwrap();
        }
    }
    unreachable!("it is killed before")
}

#[test]
fn what_was_flushed_survives_kill_9() {
    if let Some(path) = std::env::var_os(CHILD) {
        write_for_ever(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    for round in 0..5_u64 {
        let path = dir.path().join(format!("{round}.jsonl.zst"));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["what_was_flushed_survives_kill_9", "--exact"])
            .env(CHILD, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let written = || std::fs::metadata(&path).map_or(0, |file| file.len());
        let mut waits = 0;
        while written() < 20_000 {
            std::thread::sleep(Duration::from_millis(5));
            waits += 1;
            assert!(waits < 4_000, "the child writes nothing");
        }
        std::thread::sleep(Duration::from_millis(round * 7));
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();

        let loaded = read(&path).unwrap();
        assert!(loaded.events.len() > 1_000, "{} events", loaded.events.len());
        assert_eq!(loaded.closing, None);
        for (time, event) in loaded.events[1..].iter().enumerate() {
            assert_eq!(*event, push(time as u64, 0));
        }
        // A write that was cut is the only thing that may be wrong; whole frames end with the time of a flush.
        match loaded.damage {
            Some(damage) => assert!(damage.what.contains("ends within"), "{damage}"),
            None => assert_eq!((loaded.events.len() - 2) % 97, 0),
        }
    }
}
