//! Configurations of the probe: refused with a place, or sound.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probe::config::Config;

fuzz_target!(|text: &str| {
    match Config::parse("fuzzed", text) {
        Ok(config) => assert!(config.http.listen.ip().is_loopback() || config.http.token.is_some()),
        Err(error) => assert!(error.to_string().starts_with("fuzzed: "), "{error}"),
    }
});
