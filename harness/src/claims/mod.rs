//! Claims as experiments: a table of what the background says, a scenario for each variant with the verdict that is predicted,
//! and the runner that puts all of them to the test.
//!
//! To add a claim: a system under `systems/src/` that is a `systems::trial::Trial`, a line in `systems.rs`, checks in
//! `checks.rs` where the present ones do not do, a file for each variant in `scenarios/claims/`, and a row in the part's table
//! (`r.rs`, `u.rs`, `s.rs`, `g.rs`, `c.rs`). The embedded registry is no trial but has scenarios of its own: `registry.rs`.

mod c;
pub mod checks;
pub mod file;
mod g;
mod judge;
pub mod locating;
mod r;
mod registry;
mod s;
pub mod sample;
pub mod script;
mod sequences;
mod shrink;
mod systems;
pub mod table;
mod tale;
mod u;

pub use judge::judge;

use crate::error::Error;
use file::ClaimFile;
use reports::claims::{ClaimSummary, Row};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use table::Claim;

/// How many seeds each prediction is tried with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// A violation has to be found within so many.
    pub search_seeds: u64,
    /// What holds has to hold over so many.
    pub hold_seeds: u64,
    /// Figures are sums over so many.
    pub measure_seeds: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Effort { search_seeds: 200, hold_seeds: 500, measure_seeds: 200 }
    }
}

/// Puts these claims to the test, on so many threads; the result does not depend on their number.
pub fn run(claims: &[&Claim], effort: &Effort, jobs: usize, done: &(dyn Fn() + Sync)) -> Result<ClaimSummary, Error> {
    let mut files = Vec::new();
    for claim in claims {
        for (name, text) in claim.files {
            files.push(ClaimFile::parse(name, text)?);
        }
    }
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<(usize, Result<Row, Error>)>> = Mutex::new(Vec::new());
    let work = || {
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(file) = files.get(at)
        {
            let row = judge(file, effort);
            rows.lock().unwrap_or_else(PoisonError::into_inner).push((at, row));
            done();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.max(1) {
            scope.spawn(work);
        }
        work();
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|(at, _)| *at);
    let rows: Result<Vec<Row>, Error> = rows.into_iter().map(|(_, row)| row).collect();
    let sentences = claims.iter().map(|claim| (claim.id.to_owned(), claim.sentence.to_owned())).collect();
    Ok(ClaimSummary::new(sentences, rows?))
}
