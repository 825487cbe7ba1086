//! A suite: which scenarios run with which seeds, what is asked of their figures, and what happens before and after.

use crate::error::Error;
use crate::scenario::{Scenario, toml_error};
use reports::gate::Build;
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A suite as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name: letters, digits and dashes.
    pub name: String,
    /// One sentence: what it is for.
    pub about: String,
    /// No run is begun after so long, seconds; what is not run by then makes the decision inconclusive.
    #[serde(default = "time_s_max")]
    pub time_s_max: u64,
    /// Seeds of every entry that names none itself: `A..B` is A and everything above it below B.
    #[serde(default = "seeds", deserialize_with = "range")]
    pub seeds: Range<u64>,
    /// So many seeds more, drawn anew each night and printed.
    #[serde(default)]
    pub random_seeds: u32,
    /// Run every seed again that ever failed here.
    #[serde(default = "yes")]
    pub failed_seeds: bool,
    /// A run in which the harness itself failed is tried so often again. Violations never are.
    #[serde(default = "retries")]
    pub retries: u32,
    /// Which runs are kept in the store with their reports.
    #[serde(default)]
    pub keep: Keep,
    /// Shrinking one kind of failure takes at most so long, seconds; 0: nothing is shrunk.
    #[serde(default = "shrink_s_max")]
    pub shrink_s_max: u64,
    /// The build under test.
    #[serde(default)]
    pub build: Option<Build>,
    /// Commands before and after.
    #[serde(default)]
    pub hooks: Hooks,
    /// Variants of systems: every entry runs on each of them. None: as the scenarios say.
    #[serde(default)]
    pub systems: Vec<Variant>,
    /// What runs.
    pub runs: Vec<Entry>,
    /// What is asked of figures.
    #[serde(default)]
    pub objectives: Vec<Objective>,
    /// Figures of an earlier build.
    #[serde(default)]
    pub baseline: Option<PathBuf>,
}

/// Which runs are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// One run of each kind of failure, and what it shrinks to.
    #[default]
    Failed,
    /// Every run.
    All,
}

/// A variant of the system under test.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What it is called in the table.
    pub name: String,
    /// Keys of the scenarios that it changes: `registry.generation="v5"`.
    #[serde(default)]
    pub set: Vec<String>,
}

/// One scenario of the suite.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// A built-in name, or a file; relative to the suite.
    pub scenario: String,
    /// Its seeds, in place of the suite's.
    #[serde(default, deserialize_with = "some_range")]
    pub seeds: Option<Range<u64>>,
    /// Keys that it changes.
    #[serde(default)]
    pub set: Vec<String>,
    /// A bug planted in the embedded registry: a drill.
    #[serde(default)]
    pub bug: Option<String>,
    /// Steps of work after which the checkers give up a run.
    #[serde(default)]
    pub steps_max: Option<u64>,
}

/// What is asked of a figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// `convergence.p99_ms`, `wall_ms`, `events_per_s`, or `peak_bytes` of the whole gate.
    pub figure: String,
    /// Only runs of this scenario.
    #[serde(default)]
    pub scenario: Option<String>,
    /// No run is above this.
    #[serde(default)]
    pub max: Option<f64>,
    /// No run is below this.
    #[serde(default)]
    pub min: Option<f64>,
    /// Against the baseline: the median of all pairs (the same scenario, system and seed) is at most so much worse.
    #[serde(default)]
    pub worse_percent_max: Option<f64>,
    /// With `worse_percent_max`: more is better (throughput).
    #[serde(default)]
    pub more_is_better: bool,
}

/// Commands of a suite.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hooks {
    /// Before the first run: brings the build under test into place.
    pub deploy: Option<Hook>,
    /// After a pass.
    pub promote: Option<Hook>,
    /// After anything else.
    pub reject: Option<Hook>,
}

/// A command.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Program and arguments; no shell unless it is named.
    pub command: Vec<String>,
    /// It is killed with everything that it started after so long, seconds.
    #[serde(default = "hook_s_max")]
    pub time_s_max: u64,
}

fn time_s_max() -> u64 {
    3_600
}
fn shrink_s_max() -> u64 {
    30
}
fn hook_s_max() -> u64 {
    600
}
fn retries() -> u32 {
    1
}
fn yes() -> bool {
    true
}
fn seeds() -> Range<u64> {
    0..10
}

fn range<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Range<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    crate::cli::seeds(&text).map_err(serde::de::Error::custom)
}

fn some_range<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Range<u64>>, D::Error> {
    range(deserializer).map(Some)
}

/// Most runs of a suite.
const RUNS_MAX: u64 = 1_000_000;

impl Suite {
    /// Reads a suite: a file, or the name of a built-in one. Relative paths in it are relative to the file.
    pub fn load(name: &str) -> Result<Suite, Error> {
        let path = Path::new(name);
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (text, folder) = match built_in {
            Some((_, text)) if !path.is_file() => ((*text).to_owned(), None),
            _ => {
                let text = std::fs::read_to_string(path).map_err(|e| {
                    let known: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
                    Error::usage(format!(
                        "suite {name}: cannot be read: {e}; give a file, or one of {}",
                        known.join(", ")
                    ))
                })?;
                (text, path.parent().map(Path::to_owned))
            }
        };
        let mut suite = Suite::parse(name, &text)?;
        if let Some(folder) = folder {
            for entry in &mut suite.runs {
                let beside = folder.join(&entry.scenario);
                if beside.is_file() {
                    entry.scenario = beside.display().to_string();
                }
            }
            if let Some(baseline) = &mut suite.baseline {
                *baseline = folder.join(&baseline);
            }
        }
        Ok(suite)
    }

    /// Reads the text of a suite, which errors call `shown`. Paths in it stay as they are.
    ///
    /// # Errors
    ///
    /// What is wrong, with the line where that is known.
    pub fn parse(shown: &str, text: &str) -> Result<Suite, Error> {
        let suite: Suite = toml::from_str(text).map_err(|e| toml_error(shown, text, &e))?;
        suite.check(shown)?;
        Ok(suite)
    }

    /// Bounds that types cannot say.
    fn check(&self, shown: &str) -> Result<(), Error> {
        let wrong = |what: String| Err(Error::usage(format!("suite {shown}: {what}")));
        let name_ok = self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !name_ok || !(1..=64).contains(&self.name.len()) {
            return wrong(format!("name = {:?}: 1 to 64 letters, digits and dashes", self.name));
        }
        if self.runs.is_empty() {
            return wrong("it has no [[runs]]: there is nothing to decide on".to_owned());
        }
        if self.random_seeds > 10_000 || self.retries > 10 {
            return wrong("random_seeds is at most 10000, retries at most 10".to_owned());
        }
        for objective in &self.objectives {
            let asked = [objective.max, objective.min, objective.worse_percent_max];
            if asked.iter().flatten().count() != 1 {
                return wrong(format!("objective {}: exactly one of max, min, worse_percent_max", objective.figure));
            }
            if objective.worse_percent_max.is_some() && self.baseline.is_none() {
                return wrong(format!("objective {}: worse_percent_max needs `baseline = FILE`", objective.figure));
            }
        }
        let hooks = [("deploy", &self.hooks.deploy), ("promote", &self.hooks.promote), ("reject", &self.hooks.reject)];
        for (name, hook) in hooks {
            if hook.as_ref().is_some_and(|hook| hook.command.is_empty()) {
                return wrong(format!("hooks.{name}: the command is empty"));
            }
        }
        let count = |range: &Range<u64>| range.end - range.start;
        let of = |entry: &Entry| count(entry.seeds.as_ref().unwrap_or(&self.seeds));
        let seeds = self.runs.iter().map(of).fold(0, u64::saturating_add);
        if seeds.saturating_mul(self.systems.len().max(1) as u64) > RUNS_MAX {
            return wrong(format!("more than {RUNS_MAX} runs"));
        }
        Ok(())
    }

    /// Loads the scenarios: each entry on each variant.
    pub fn cells(&self) -> Result<Vec<Cell>, Error> {
        let plain = [Variant { name: String::new(), set: Vec::new() }];
        let variants: &[Variant] = if self.systems.is_empty() { &plain } else { &self.systems };
        let mut cells = Vec::new();
        for entry in &self.runs {
            if let Some(bug) = &entry.bug {
                crate::bugs::find(bug)?;
            }
            for variant in variants {
                let sets: Vec<String> = variant.set.iter().chain(&entry.set).cloned().collect();
                let (scenario, text) = Scenario::load(&entry.scenario, &sets)?;
                let system = scenario.system_plan().name().to_owned();
                let system = if variant.name.is_empty() { system } else { format!("{system} {}", variant.name) };
                cells.push(Cell { entry: entry.clone(), scenario, text, system, sets });
            }
        }
        Ok(cells)
    }
}

/// One scenario on one variant of its system.
#[derive(Clone, Debug)]
pub struct Cell {
    /// What the suite says.
    pub entry: Entry,
    /// The scenario with its changes.
    pub scenario: Scenario,
    /// Its text.
    pub text: String,
    /// The system, and the variant.
    pub system: String,
    /// Changed keys.
    pub sets: Vec<String>,
}

/// Suites that the program brings along.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("nightly", include_str!("../../../scenarios/suites/nightly.toml")),
    ("with-bug", include_str!("../../../scenarios/suites/with-bug.toml")),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parsed(text: &str) -> Result<Suite, Error> {
        Suite::parse("s", text)
    }

    #[test]
    fn built_in_suites_load_with_their_scenarios() {
        for (name, _) in BUILT_IN {
            let suite = Suite::load(name).unwrap();
            assert!(suite.cells().unwrap().len() >= 12, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let head = "name = \"a\"\nabout = \"b\"\n";
        for (text, says) in [
            ("", "missing field"),
            ("runs = []", "nothing to decide on"),
            ("sedes = \"0..3\"\n[[runs]]\nscenario = \"quickstart\"", "did you mean `seeds`"),
            ("seeds = \"3..1\"\n[[runs]]\nscenario = \"quickstart\"", "A..B"),
            ("[[runs]]\nscenario = \"q\"\nseeds = \"0..9007199254740991\"\n[[runs]]\nscenario = \"q\"", "more than"),
            ("[[runs]]\nscenario = \"quickstart\"\n[[objectives]]\nfigure = \"x\"", "exactly one of"),
            ("[[runs]]\nscenario = \"q\"\n[[objectives]]\nfigure = \"x\"\nworse_percent_max = 3.0", "baseline"),
            ("[[runs]]\nscenario = \"q\"\n[hooks]\ndeploy = { command = [] }", "command is empty"),
        ] {
            let error = parsed(&format!("{head}{text}")).unwrap_err();
            assert_eq!(error.code(), 2);
            assert!(error.to_string().contains(says), "{text}: {error}");
        }
    }
}
