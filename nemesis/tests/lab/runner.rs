//! Runs the tests one after the other, as the usual harness would, with `skipped` as a third outcome.

use nemesis::linux::{Lab, LabError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One test: passes, panics, or says why it cannot run here.
pub type Test = (&'static str, fn() -> Result<(), Skip>);

/// Why a test cannot run here.
pub struct Skip(pub String);

/// Runs all tests that the arguments ask for; the exit code.
pub fn run(tests: &[Test]) -> i32 {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == "hold") {
        return super::supervision::hold(&args[1..]);
    }
    if args.iter().any(|arg| arg == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return 0;
    }
    let state = state_folder();
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("UPHEAVAL_STATE_DIR", &state) };
    let filters: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let mut failed = Vec::new();
    for (name, test) in tests {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        match catch_unwind(AssertUnwindSafe(test)) {
            Ok(Ok(())) => println!("test {name} ... ok"),
            Ok(Err(Skip(why))) => println!("skipped: {name}: {why}"),
            Err(_) => failed.push(name),
        }
    }
    // A test that failed half-way may have left something; without its records nobody could find it.
    let left = nemesis::linux::sweep();
    left.iter().for_each(|swept| println!("      left by a failed test: {swept:?}"));
    if left.iter().all(|swept| swept.outcome.is_ok()) {
        let _ = std::fs::remove_dir_all(&state);
    }
    failed.iter().for_each(|name| println!("test {name} ... FAILED"));
    i32::from(!failed.is_empty())
}

/// A state folder for these tests alone: real runs next to them are not swept.
pub fn state_folder() -> PathBuf {
    std::env::temp_dir().join(format!("upheaval-lab-tests-{}", std::process::id()))
}

/// Names a run of this test program.
pub fn run_name(test: &str) -> String {
    format!("test-{}-{test}", std::process::id())
}

/// Makes a lab, or skips where none can be made.
pub fn lab(test: &str, hosts: &[&str]) -> Result<Lab, Skip> {
    match Lab::create(&run_name(test), hosts) {
        Ok(lab) => Ok(lab),
        Err(error @ (LabError::NotRoot | LabError::MissingTool { .. })) => Err(Skip(error.to_string())),
        Err(error) => panic!("{error}"),
    }
}

/// Waits until something is true.
pub fn eventually(what: &str, check: impl FnMut() -> bool) {
    within(Duration::from_secs(20), what, check);
}

/// Waits until something is true, for so long at most.
pub fn within(patience: Duration, what: &str, mut check: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !check() {
        assert!(begin.elapsed() < patience, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Names of the namespaces of this machine.
pub fn namespaces() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/run/netns") else { return Vec::new() };
    let mut names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Names of the interfaces of the root namespace.
pub fn interfaces() -> Vec<String> {
    let text = std::fs::read_to_string("/proc/net/dev").unwrap();
    text.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

/// Whether a process runs (dead ones that nobody reaped do not).
pub fn runs(pid: i32) -> bool {
    let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !matches!(text[text.rfind(')').unwrap() + 2..].chars().next(), Some('Z' | 'X'))
}
