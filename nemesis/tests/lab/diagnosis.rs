//! What `doctor` says, against what can be done.

use crate::runner::{Skip, Test, interfaces, lab, namespaces};
use history::FaultKind;
use nemesis::linux::{doctor, why_not};

pub const TESTS: &[Test] = &[
    ("diagnosis::leaves_nothing", leaves_nothing),
    ("diagnosis::agrees_with_the_lab", agrees_with_the_lab),
    ("diagnosis::nothing_without_a_reason", nothing_without_a_reason),
];

fn leaves_nothing() -> Result<(), Skip> {
    let before = (namespaces(), interfaces());
    let begin = std::time::Instant::now();
    let found = doctor();
    println!("      doctor took {:?}", begin.elapsed());
    for capability in &found {
        println!(
            "      {:11} {:5} {} {}",
            capability.name, capability.available, capability.mechanism, capability.note
        );
    }
    assert_eq!((namespaces(), interfaces()), before);
    Ok(())
}

fn agrees_with_the_lab() -> Result<(), Skip> {
    let lab = lab("doctor", &["n1", "n2"])?;
    let mut cut = lab.cut(&[("n1", "n2")]).unwrap();
    cut.lift().unwrap();
    for kind in [FaultKind::Kill, FaultKind::Pause, FaultKind::Partition] {
        assert_eq!(why_not(kind), None, "{kind:?}");
    }
    if cfg!(target_arch = "x86_64") {
        assert_eq!(why_not(FaultKind::ClockStep), None);
    }
    Ok(())
}

fn nothing_without_a_reason() -> Result<(), Skip> {
    for capability in doctor() {
        assert_eq!(capability.available, capability.note.is_empty(), "{capability:?}");
    }
    for kind in [FaultKind::Delay, FaultKind::Loss, FaultKind::ClockDrift, FaultKind::MasterLag] {
        assert!(why_not(kind).is_some_and(|why| !why.is_empty()), "{kind:?} cannot be injected");
    }
    Ok(())
}
