//! Draws for plans: each hangs on nothing but the seed and what it is for.

use super::plan::{Mishap, Operation, TrialPlan, Wrong};
use history::Nanos;
use simulation::hash_draw;

/// The draws of a seed.
#[derive(Clone, Copy, Debug)]
pub struct Draws(pub u64);

impl Draws {
    /// Uniform below `bound`; 0 if the bound is 0.
    pub fn below(&self, what: &[u64], bound: u64) -> u64 {
        hash_draw(self.0, what) % bound.max(1)
    }

    /// Uniform, both ends included.
    pub fn between(&self, what: &[u64], (low, high): (u64, u64)) -> u64 {
        low + self.below(what, high.saturating_sub(low).saturating_add(1))
    }
}

impl TrialPlan {
    /// Adds an operation; [`TrialPlan::number`] gives it its number.
    pub fn ask(&mut self, at: Nanos, client: u64, act: &str, key: u64, value: i64) {
        let (client, key) = (client as u32, key as u32);
        self.operations.push(Operation { id: 0, at, client, act: act.to_owned(), key, value });
    }

    /// Adds a fault; [`TrialPlan::number`] gives it its number.
    pub fn wrong(&mut self, at: Nanos, lasts: Option<Nanos>, what: Wrong) {
        self.faults.push(Mishap { id: 0, at, lasts, what });
    }
}
