//! From observations to a suspect.

use super::observation::Observations;
use super::scan::{Score, scan};
use super::scores::scored;
use super::words::Grounds;
use history::{MILLI, NodeIx};
use serde::{Deserialize, Serialize};

/// A node that is so many standard deviations worse than its peers is accused. Chosen on seeds that the measurement in
/// `docs/localisation.md` does not use: the highest of 120 runs without a fault was 4.8.
pub const SCORE_MIN: f64 = 5.0;
/// Nobody is accused of being less than so many times as slow as its peers, per mille, however sure that is.
const TIMES_MIN: u64 = 1_500;
/// A node that was as it is all the time is accused only if it is so many times as slow as its peers, per mille: nodes differ
/// (a leader answers sooner than its followers).
const ALWAYS_TIMES_MIN: u64 = 4_000;
/// All the time: in all windows but so many.
const OUTSIDE_MIN: usize = 4;
/// So many others are told of.
const RIVALS_MAX: usize = 3;

/// The node that explains best what clients saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// Its name.
    pub node: String,
    /// Its role, in the system's words: `session`, `data`, `server`.
    pub role: String,
    /// Between 0 and 1: high where it is far above [`SCORE_MIN`] and explains what is odd about others, too.
    pub confidence: f64,
    /// From when it was worse than its peers, milliseconds of the run, in steps of half a second.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: u64,
    /// How much worse than its peers, in standard deviations.
    pub score: f64,
    /// Why, in words with figures.
    pub reasoning: String,
    /// The next ones, worst first.
    pub runners_up: Vec<Rival>,
}

/// Another node that looks odd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// Its name.
    pub node: String,
    /// Its role.
    pub role: String,
    /// Its score.
    pub score: f64,
    /// Its score without what the suspect was on the way of: what the suspect does not explain.
    pub left: f64,
}

/// The node to blame, if there is one. A pure function of what clients saw; the order of observations does not matter.
pub fn locate(seen: &Observations) -> Option<Suspect> {
    let all = scored(&seen.all);
    let scores = scan(&all, None);
    let candidates = scores.iter().take_while(|score| score.score >= SCORE_MIN);
    let (score, grounds) = candidates.map(|score| (score, Grounds::of(seen, score))).find(|(score, grounds)| {
        let always = score.outside < OUTSIDE_MIN;
        grounds.times() >= if always { ALWAYS_TIMES_MIN } else { TIMES_MIN }
    })?;
    let without = scan(&all, Some(score.node));
    let left = |node: NodeIx| without.iter().find(|other| other.node == node).map_or(0.0, |other| other.score);
    let rivals: Vec<&Score> = scores.iter().filter(|other| other.node != score.node).collect();
    let most_left = rivals.iter().map(|rival| left(rival.node)).fold(0.0, f64::max);
    let (name, role) = named(seen, score.node);
    let rival = |rival: &&Score| {
        let (node, role) = named(seen, rival.node);
        Rival { node, role, score: rounded(rival.score), left: rounded(left(rival.node)) }
    };
    let runners_up: Vec<Rival> = rivals.iter().take(RIVALS_MAX).map(rival).collect();
    Some(Suspect {
        node: name,
        role,
        confidence: confidence(score.score, most_left),
        from_ms: score.from / MILLI,
        until_ms: score.to / MILLI,
        score: rounded(score.score),
        reasoning: grounds.tell(),
        runners_up,
    })
}

/// How sure: scores are like signal to noise, so their squares are weighed; against the strongest that is left of anybody else
/// once this one is taken away, and against a node that was hardly accused.
fn confidence(score: f64, most_left: f64) -> f64 {
    let squared = score * score;
    let share = squared / (squared + most_left * most_left + SCORE_MIN * SCORE_MIN / 8.0);
    (share * 100.0).round() / 100.0
}

fn rounded(score: f64) -> f64 {
    (score * 10.0).round() / 10.0
}

fn named(seen: &Observations, node: NodeIx) -> (String, String) {
    match seen.nodes.get(node as usize) {
        Some(node) => (node.name.clone(), node.role.clone()),
        None => (format!("node {node}"), String::new()),
    }
}
