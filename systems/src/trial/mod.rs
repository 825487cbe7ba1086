//! Trials: small systems on the simulation kernel, each put to one test of a claim. A trial is pure and deterministic: the same
//! plan gives the same outcome, to the last fact. Verdicts are the checkers'; a trial only says what its clients saw and what its
//! nodes did.
//!
//! A system is a folder beside this one: its nodes are [`Actor`]s, its options a struct that a scenario file fills, and a
//! [`Trial`] draws plans for it and lets [`Stage`] play them.

mod draws;
mod plan;
mod record;
mod stage;

pub use draws::Draws;
pub use plan::{Mishap, Operation, TrialPlan, Wrong};
pub use record::{Given, Note, Outcome, Said, node_of, peak};
pub use stage::{Actor, Played, Stage};

/// The first of these rules that does not hold, as a sentence that names the key.
pub(crate) fn broken(rules: &[(bool, &str)]) -> Option<String> {
    rules.iter().find(|(holds, _)| !holds).map(|(_, rule)| (*rule).to_owned())
}

/// A system under one test, with all options chosen.
pub trait Trial: Send + Sync {
    /// Operations and faults of a seed.
    fn draw(&self, seed: u64) -> TrialPlan;

    /// Plays a plan; with `trace` every message and every note is kept, for the story.
    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome;

    /// How large the swept quantity may be by the formulas of the design, in the unit of the sweep; none where nothing is swept.
    fn bound(&self) -> Option<i64> {
        None
    }
}
