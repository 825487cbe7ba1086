//! What people read: the summary in the terminal, the HTML page, the JSON object of `run --json`.
//!
//! All three are pure functions of one [`Run`]: header and events of a history, the checkers' report, and a few facts
//! that only the program knows. Nothing is judged here; what the checkers said is shown, and what the history holds is
//! counted. Names that come from outside (dataIds, values, reasons) are hostile until [`names::clean`] has seen them.

pub mod claims;
pub mod digest;
pub mod exploration;
pub mod facts;
pub mod faults;
pub mod figures;
pub mod format;
pub mod gate;
pub mod html;
pub mod json;
pub mod names;
pub mod operations;
pub mod story;
pub mod tale;
pub mod terminal;
pub mod trail;

pub use facts::{Run, RunFacts};
pub use json::RunSummary;
pub use tale::Tale;
