//! Faults made real on a Linux host: hosts as network namespaces, processes in them, cuts between them, skewed clocks,
//! and a supervisor that lifts everything when the program that made it is gone.
//!
//! Nothing here touches the root namespace: no interface, address, route or firewall rule of the machine changes.
//! Everything that a run makes is written down in its state directory before it is made (processes: right after), so
//! that the supervisor, or the next start, can remove it.

mod address;
mod cleanup;
pub mod clock;
mod command;
mod cut;
pub mod doctor;
mod error;
mod lab;
mod launcher;
mod namespace;
mod proc;
mod process;
mod state;
pub mod supervisor;
mod topology;

pub use cleanup::{Swept, sweep};
pub use clock::ClockSkew;
pub use cut::{Cut, LinkDrops};
pub use doctor::{Capability, doctor, why_not};
pub use error::LabError;
pub use lab::{CLIENTS, Lab};
pub use namespace::Namespace;
pub use process::{Process, ProcessSpec};
