//! Tests of the injectors on this machine. They need root, `ip` and `nft`; where those are missing they say so.
//!
//! This is a program without the usual test harness, because some tests start it again: as a supervisor, and as the
//! owner of a lab that gets killed.

#![cfg_attr(not(target_os = "linux"), allow(unused))]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests wait for real processes")]

#[cfg(target_os = "linux")]
mod clocks;
#[cfg(target_os = "linux")]
mod diagnosis;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod runner;
#[cfg(target_os = "linux")]
mod supervision;

#[cfg(target_os = "linux")]
fn main() {
    if let Some(code) = nemesis::linux::supervisor::main(std::env::args_os().skip(1)) {
        std::process::exit(code);
    }
    let tests = [network::TESTS, processes::TESTS, clocks::TESTS, diagnosis::TESTS, supervision::TESTS].concat();
    std::process::exit(runner::run(&tests));
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: lab: needs Linux");
}
