//! A probe cannot inject faults: the code that can is nowhere in what it is built from, neither in its own program nor through a
//! feature or a build script.
#![allow(clippy::unwrap_used)]

use std::process::Command;

fn built_from(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--all-features", "--target", "all", "--edges", "normal,build", "--prefix", "none"])
        .args(["--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<String> = text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_injectors_are_not_among_its_dependencies() {
    let probe = built_from("upheaval-probe");
    for needed in ["upheaval-checkers", "upheaval-history", "upheaval-reports", "upheaval-wire"] {
        assert!(probe.iter().any(|name| name == needed), "{needed}: {probe:?}");
    }
    for barred in ["upheaval-nemesis", "upheaval-systems", "upheaval-simulation", "upheaval"] {
        assert!(!probe.iter().any(|name| name == barred), "{barred} is built into the probe: {probe:?}");
    }
    // The same look finds them where they are.
    let harness = built_from("upheaval");
    assert!(harness.iter().any(|name| name == "upheaval-nemesis"), "{harness:?}");
}
