//! Jepsen's histories (EDN, JSON, logs) and our own lines: read, written again, read again.
#![no_main]

use history::calls::{Calls, Format, read, read_from, write_edn, write_own};
use libfuzzer_sys::fuzz_target;
use std::path::{Path, PathBuf};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let Some(format) = [Some(Format::Edn), Some(Format::Json), Some(Format::Log), None][usize::from(*first) % 4] else {
        return own(text);
    };
    let Ok(calls) = read_from(text, format, Path::new("fuzzed")) else { return };
    let mut edn = Vec::new();
    write_edn(&calls, &mut edn).expect("a vector can always be written");
    let again = read_from(edn.as_slice(), Format::Edn, Path::new("written")).expect("what was written can be read");
    assert_eq!(calls.calls.len(), again.calls.len());
});

/// Our own format is read from files only. Without its closing line a history is not whole, and its operations are read all the same.
fn own(text: &[u8]) {
    let path = std::env::temp_dir().join(format!("fuzzed-calls-{}", std::process::id()));
    let Some(calls) = stored(&path, [b"{\"calls\":{\"schema\":1,\"program\":\"fuzz\"}}\n", text].concat()) else {
        return;
    };
    let mut written = Vec::new();
    write_own(&calls, &mut written, Path::new("written"), "fuzz").expect("what was read can be written");
    let again = stored(&path, written).expect("what was written can be read");
    assert_eq!(calls.calls.len(), again.calls.len());
}

fn stored(path: &PathBuf, bytes: Vec<u8>) -> Option<Calls> {
    std::fs::write(path, bytes).expect("there is room for a small file");
    read(path, Some(Format::Own)).ok()
}
