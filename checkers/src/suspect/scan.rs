//! How much worse than its peers each node is, and in which stretch of time most.

use super::observation::{Observation, Way};
use super::scores::Scored;
use history::{MILLI, Nanos, NodeIx};
use std::collections::BTreeMap;

/// Peers are compared within so long.
pub(super) const WINDOW: Nanos = 500 * MILLI;
/// A stretch has at least so many windows: what is over sooner is a hiccup that every system has.
const STRETCH_MIN: usize = 4;
/// No window counts for more than so many standard deviations: one bad moment is not a bad node.
const WINDOW_MAX: f64 = 8.0;
/// Longer histories are cut into so many windows, each longer.
const WINDOWS_MAX: u64 = 512;

/// On which end of the way a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Clients are connected to it.
    Session,
    /// It answers for slots.
    Data,
}

impl Place {
    pub fn of(self, seen: &Observation) -> Option<NodeIx> {
        match self {
            Place::Session => seen.session,
            Place::Data => seen.data,
        }
    }
}

/// What the scan says of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    pub node: NodeIx,
    pub place: Place,
    /// In standard deviations.
    pub score: f64,
    /// The stretch.
    pub from: Nanos,
    pub to: Nanos,
    /// Windows outside the stretch in which the node was met.
    pub outside: usize,
}

/// Number of observations and sum of their scores.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: f64,
    score: f64,
}

impl Sum {
    fn add(&mut self, score: f64) {
        self.count += 1.0;
        self.score += score;
    }
}

/// Difference to the peers in one window, weighted, and its variance.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    difference: f64,
    variance: f64,
}

/// All nodes that were met, worst first, without the observations that `left_out` was on the way of.
pub(super) fn scan(all: &[Scored], left_out: Option<NodeIx>) -> Vec<Score> {
    let end = all.iter().map(|one| one.seen.at).max().unwrap_or(0);
    let window = WINDOW.max(end / WINDOWS_MAX + 1);
    let windows = (end / window + 1) as usize;
    let kept = |one: &&Scored| left_out.is_none() || one.seen.session != left_out && one.seen.data != left_out;
    let mut scores = Vec::new();
    for place in [Place::Session, Place::Data] {
        let mut total: BTreeMap<(Way, u64), Sum> = BTreeMap::new();
        let mut own: BTreeMap<(NodeIx, Way, u64), (Sum, f64)> = BTreeMap::new();
        for one in all.iter().filter(kept) {
            let Some(node) = place.of(&one.seen) else { continue };
            let (way, at) = (one.seen.way, one.seen.at / window);
            total.entry((way, at)).or_default().add(one.score);
            let (sum, variance) = own.entry((node, way, at)).or_default();
            sum.add(one.score);
            *variance = one.variance;
        }
        let mut rows: BTreeMap<NodeIx, Vec<Cell>> = BTreeMap::new();
        for ((node, way, at), (own, variance)) in own {
            let all = total.get(&(way, at)).copied().unwrap_or_default();
            let peers = Sum { count: all.count - own.count, score: all.score - own.score };
            let row = rows.entry(node).or_insert_with(|| vec![Cell::default(); windows]);
            if peers.count > 0.5 {
                let weight = own.count * peers.count / all.count;
                let cell = &mut row[at as usize];
                cell.difference += weight * (own.score / own.count - peers.score / peers.count);
                cell.variance += weight * variance;
            }
        }
        scores.extend(rows.into_iter().map(|(node, row)| worst_stretch(node, place, &row, window)));
    }
    scores.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.node.cmp(&b.node)));
    scores
}

/// The stretch in which the node was worst.
fn worst_stretch(node: NodeIx, place: Place, row: &[Cell], window: Nanos) -> Score {
    let mut worst = Score { node, place, score: 0.0, from: 0, to: 0, outside: 0 };
    for from in 0..row.len() {
        let (mut difference, mut variance) = (0.0, 0.0);
        for (to, cell) in row.iter().enumerate().skip(from) {
            let most = WINDOW_MAX * cell.variance.sqrt();
            difference += cell.difference.clamp(-most, most);
            variance += cell.variance;
            if to + 1 >= from + STRETCH_MIN && variance > 0.0 && difference / variance.sqrt() > worst.score {
                let met = |cells: &[Cell]| cells.iter().filter(|cell| cell.variance > 0.0).count();
                worst = Score {
                    score: difference / variance.sqrt(),
                    from: from as Nanos * window,
                    to: (to + 1) as Nanos * window,
                    outside: met(&row[..from]) + met(&row[to + 1..]),
                    ..worst
                };
            }
        }
    }
    worst
}
