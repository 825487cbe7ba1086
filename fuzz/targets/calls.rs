//! Jepsen's histories (EDN, JSON, logs): read, written again, judged within limits.
#![no_main]

use history::calls::{Format, read_from, write_edn};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let format = [Format::Edn, Format::Json, Format::Log][usize::from(*first) % 3];
    let Ok(calls) = read_from(text, format, Path::new("fuzzed")) else { return };
    let mut edn = Vec::new();
    write_edn(&calls, &mut edn).expect("a vector can always be written");
    let again = read_from(edn.as_slice(), Format::Edn, Path::new("written")).expect("what was written can be read");
    assert_eq!(calls.calls.len(), again.calls.len());
});
