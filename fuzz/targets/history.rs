//! Our own histories: damaged in any way they are read as far as they are whole, checked and shown.
#![no_main]

use history::{Cat, Reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(reader) = Reader::new(bytes, "fuzzed") else { return };
    let Ok(loaded) = reader.load() else { return };
    let mut cat = Cat::new(&loaded.header);
    for event in &loaded.events {
        let _ = cat.line(event);
    }
    let _ = history::stats(&loaded);
    let options = checkers::Options { threads: 1, ..checkers::Options::default() };
    let _ = checkers::check(&loaded.header, &loaded.events, &options);
});
