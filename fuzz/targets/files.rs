//! Files that people write: scenarios, suites of the gate, claims, plans.
#![no_main]

use harness::claims::file::ClaimFile;
use harness::gate::Suite;
use harness::plan::Plan;
use harness::scenario::Scenario;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match first % 4 {
        0 => drop(Scenario::parse("fuzzed", text, &[])),
        1 => drop(ClaimFile::parse("fuzzed", text)),
        2 => drop(Suite::parse("fuzzed", text)),
        _ => drop(serde_json::from_str::<Plan>(text).map(|plan| plan.check())),
    }
});
