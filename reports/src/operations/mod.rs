//! What people read of operation histories (`check --model`): the JSON object, the terminal summary, the page.

mod page;
mod summary;
mod terminal;

pub use page::page;
pub use summary::{CheckSummary, Example, FileSummary, SCHEMA};
pub use terminal::text;
