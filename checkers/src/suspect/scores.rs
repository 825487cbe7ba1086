//! Delays become scores: ranked among those of the same way, without any assumption about how they are distributed.

use super::observation::{Observation, Way};

/// An observation with its score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub seen: Observation,
    /// About 0 on average, below 0 where it was quick, up to the logarithm of their number for the slowest one.
    pub score: f64,
    /// Mean square of the scores of this way.
    pub variance: f64,
}

/// Scores all. A change that many subscribers on one node wait for is one observation there, the slowest: their delays have
/// the same causes, and would be taken for independent witnesses.
pub(super) fn scored(all: &[Observation]) -> Vec<Scored> {
    let mut out = Vec::with_capacity(all.len());
    for way in Way::ALL {
        let mut same: Vec<Observation> = all.iter().filter(|seen| seen.way == way).copied().collect();
        if way == Way::Push {
            same.sort_by_key(|seen| (seen.at, seen.session, seen.slot, std::cmp::Reverse(slowness(seen))));
            same.dedup_by_key(|seen| (seen.at, seen.session, seen.slot));
        }
        same.sort_by_key(|seen| (slowness(seen), seen.at, seen.session, seen.slot));
        let scores = savage(&same);
        let variance = scores.iter().map(|score| score * score).sum::<f64>() / scores.len().max(1) as f64;
        out.extend(same.into_iter().zip(scores).map(|(seen, score)| Scored { seen, score, variance }));
    }
    out
}

/// What was not answered is slower than anything that was, however long somebody waited.
fn slowness(seen: &Observation) -> (bool, u64) {
    (!seen.answered, if seen.answered { seen.took } else { 0 })
}

/// Expected order statistics of the exponential distribution, less their mean; what is equally slow shares its mean.
fn savage(sorted: &[Observation]) -> Vec<f64> {
    let count = sorted.len();
    let mut sum = -1.0;
    let raw = (0..count).map(|at| {
        sum += 1.0 / (count - at) as f64;
        sum
    });
    let mut scores: Vec<f64> = raw.collect();
    let mut first = 0;
    for tied in sorted.chunk_by(|a, b| slowness(a) == slowness(b)) {
        let own = &mut scores[first..first + tied.len()];
        let mean = own.iter().sum::<f64>() / tied.len() as f64;
        own.fill(mean);
        first += tied.len();
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(took: u64, answered: bool) -> Observation {
        Observation { at: took, took, answered, way: Way::Write, session: None, slot: None, data: None }
    }

    #[test]
    fn scores_rise_with_delays_and_silence_is_slowest() {
        let all = [seen(30, true), seen(10, true), seen(2_000, false), seen(20, true), seen(9, false)];
        let scored = scored(&all);
        let of = |took: u64| scored.iter().find(|one| one.seen.took == took).map_or(0.0, |one| one.score);
        assert!(of(10) < of(20) && of(20) < of(30) && of(30) < of(9));
        assert!((of(9) - of(2_000)).abs() < 1e-12, "nobody knows how long it would have taken");
        assert!(scored.iter().map(|one| one.score).sum::<f64>().abs() < 1e-9);
    }

    #[test]
    fn pushes_of_one_change_to_one_node_count_once() {
        let push = |took, session| Observation { at: 5, session: Some(session), way: Way::Push, ..seen(took, true) };
        let scored = scored(&[push(10, 0), push(30, 0), push(20, 0), push(10, 1)]);
        let mut took: Vec<(u64, Option<u32>)> = scored.iter().map(|one| (one.seen.took, one.seen.session)).collect();
        took.sort_unstable();
        assert_eq!(took, [(10, Some(1)), (30, Some(0))]);
    }
}
