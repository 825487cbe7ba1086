//! What a gate remembers from night to night: seeds that failed, and how long runs take.

use super::suite::Cell;
use crate::error::Error;
use reports::gate::GateRun;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Only so many seeds are kept of each scenario, the latest ones.
const SEEDS_MAX: usize = 200;

/// Kept as `gate-SUITE.json` in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Version of this file.
    pub schema: u32,
    /// Seeds that ever failed, by scenario and system, the latest last.
    pub failed: BTreeMap<String, Vec<u64>>,
    /// Milliseconds that a run took, by scenario and system.
    pub run_ms: BTreeMap<String, u64>,
}

/// Where it lies.
pub fn path(store: &Path, suite: &str) -> PathBuf {
    store.join(format!("gate-{suite}.json"))
}

/// Scenario and system as one word.
pub fn label(cell: &Cell) -> String {
    format!("{} on {}", cell.scenario.name, cell.system)
}

impl Memory {
    /// That of earlier nights; nothing if there were none.
    pub fn load(path: &Path) -> Result<Memory, Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Memory { schema: 1, ..Memory::default() }),
            Err(e) => return Err(Error::usage(format!("{}: cannot be read: {e}", path.display()))),
        };
        serde_json::from_str(&text).map_err(|e| {
            Error::usage(format!(
                "{}: {e}; it remembers which seeds ever failed: mend it, or move it away",
                path.display()
            ))
        })
    }

    /// Adds a night. Seeds that fail because a bug was planted are no news.
    pub fn add(&mut self, cells: &[Cell], runs: &[(usize, GateRun)]) {
        for (cell, run) in runs {
            let label = label(&cells[*cell]);
            self.run_ms.insert(label.clone(), run.wall_ms.max(1));
            if run.verdict == checkers::Verdict::Violation && run.bug.is_none() {
                let seeds = self.failed.entry(label).or_default();
                seeds.retain(|seed| *seed != run.seed);
                seeds.push(run.seed);
                let old = seeds.len().saturating_sub(SEEDS_MAX);
                seeds.drain(..old);
            }
        }
    }

    /// Saves it: complete or not at all.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::harness(format!("memory: {e}")))?;
        let partial = path.with_extension("partial");
        std::fs::write(&partial, text)
            .and_then(|()| std::fs::rename(&partial, path))
            .map_err(|e| Error::write(path, &e))
    }
}
