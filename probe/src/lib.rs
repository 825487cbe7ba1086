//! A probe: a black-box client of a registry that runs for months. It publishes and subscribes on every server, in a namespace of
//! its own, and says at once when somebody is shown too little, too much, or something too late.
//!
//! It cannot inject faults: the code that can is in `upheaval-nemesis`, which is not among the dependencies of this crate
//! (`tests/no_faults.rs`). Everything that decides is sans-IO ([`engine`], [`monitor`], [`incident`], [`flight`]).

pub mod ask;
pub mod config;
pub mod engine;
pub mod evidence;
pub mod figures;
pub mod finding;
pub mod flight;
pub mod http;
pub mod incident;
pub mod monitor;
pub mod run;
pub mod secret;
pub mod sliding;
pub mod story;
pub mod suspect;
pub mod tls;
pub mod value;
mod view;
pub mod webhook;
pub mod zookeeper;

pub use run::{ProbeError, run};
