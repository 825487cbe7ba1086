//! The ZooKeeper world against a real ensemble, with real faults. Where the host lacks what that needs (root, Java,
//! ZooKeeper), tests say `skipped: NAME: WHY` and end.

#![allow(clippy::unwrap_used)]

mod bench;
mod clients;
mod faults;
mod lifecycle;
mod many;
