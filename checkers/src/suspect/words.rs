//! Why a node is suspected, in words with figures: what went through it beside what went through its peers.

use super::observation::{Observation, Observations, Way};
use super::scan::Score;
use history::Nanos;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Fewer of a way than this are not spoken of.
const TOLD_MIN: usize = 3;
/// No more slots than this are named.
const SLOTS_MAX: usize = 8;

/// What was seen of one way in the stretch, through the node or through its peers.
#[derive(Clone, Debug, Default)]
struct Side {
    /// Sorted.
    took: Vec<Nanos>,
    unanswered: usize,
}

impl Side {
    fn of<'a>(seen: impl Iterator<Item = &'a Observation>) -> Side {
        let mut side = Side::default();
        for one in seen {
            if one.answered {
                side.took.push(one.took);
            } else {
                side.unanswered += 1;
            }
        }
        side.took.sort_unstable();
        side
    }

    fn count(&self) -> usize {
        self.took.len() + self.unanswered
    }

    /// A quantile in per mille, what was not answered being slowest; none if that is it.
    fn quantile(&self, permille: usize) -> Option<Nanos> {
        self.took.get((self.count().saturating_sub(1)) * permille / 1_000).copied()
    }

    /// The median of what was answered.
    fn half(&self) -> Option<Nanos> {
        self.took.get(self.took.len() / 2).copied()
    }

    fn unanswered_permille(&self) -> usize {
        self.unanswered * 1_000 / self.count().max(1)
    }
}

/// One way in the stretch: through the node, and through its peers.
#[derive(Clone, Debug)]
struct Beside {
    way: Way,
    own: Side,
    peers: Side,
}

impl Beside {
    /// How many times as slow the node is, in per mille, by the median or the slow tenth; silence counts as a hundred times.
    fn times(&self) -> u64 {
        let times = |permille| match (self.own.quantile(permille), self.peers.quantile(permille)) {
            (Some(own), Some(peers)) => own.saturating_mul(1_000) / peers.max(1),
            (None, Some(_)) => 100_000,
            _ => 1_000,
        };
        let silent = self.own.unanswered_permille().saturating_sub(2 * self.peers.unanswered_permille()) as u64;
        times(500).max(times(900)).min(100_000) + silent * 100
    }
}

/// What the suspicion rests on.
#[derive(Clone, Debug)]
pub(super) struct Grounds {
    worst_first: Vec<Beside>,
    /// Slots on which most was not answered, where that is a part of the suspect's slots.
    slots: Vec<u32>,
}

impl Grounds {
    /// Of this node in its stretch.
    pub fn of(seen: &Observations, score: &Score) -> Grounds {
        let within = |one: &&Observation| (score.from..score.to).contains(&one.at);
        let own = |one: &&Observation| score.place.of(one) == Some(score.node);
        let mut worst_first = Vec::new();
        for way in Way::ALL {
            let there = || seen.all.iter().filter(within).filter(|one| one.way == way && score.place.of(one).is_some());
            let (own, peers) = (Side::of(there().filter(own)), Side::of(there().filter(|one| !own(one))));
            if own.count() >= TOLD_MIN && peers.count() >= TOLD_MIN {
                worst_first.push(Beside { way, own, peers });
            }
        }
        worst_first.sort_by_key(|beside| std::cmp::Reverse(beside.times()));
        let slots = silent_slots(seen.all.iter().filter(within).filter(own));
        Grounds { worst_first, slots }
    }

    /// How many times as slow as its peers the node is in what it is worst at, per mille.
    pub fn times(&self) -> u64 {
        self.worst_first.first().map_or(1_000, Beside::times)
    }

    /// In a sentence or three.
    pub fn tell(&self) -> String {
        let mut text = String::new();
        for (at, beside) in self.worst_first.iter().take(2).enumerate() {
            let Beside { way, own, peers } = beside;
            let _ = write!(text, "{}{}: {}", if at == 0 { "" } else { "; " }, way.name(), told(own));
            let _ = write!(text, ", against {} through its peers", told(peers));
        }
        let answers = self.worst_first.iter().find(|beside| beside.way == Way::Answer);
        match answers.map(Beside::times) {
            Some(times) if times >= 2_000 => text.push_str("; it is slow to answer anything"),
            Some(times) if times < 1_300 => text.push_str("; what it answers by itself is as quick as ever"),
            _ => {}
        }
        // Where it answers at all, it answers in time.
        let prompt = |beside: &Beside| match (beside.own.half(), beside.peers.half()) {
            (Some(own), Some(peers)) => own * 10 < peers * 15,
            _ => true,
        };
        let prompt = self.worst_first.iter().filter(|beside| beside.way != Way::Push).all(prompt);
        if prompt && !self.slots.is_empty() {
            let word = if self.slots.len() == 1 { "slot" } else { "slots" };
            let names: Vec<String> = self.slots.iter().take(SLOTS_MAX).map(u32::to_string).collect();
            let more = self.slots.len().saturating_sub(SLOTS_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = write!(text, "; silent on {word} {}{more} only, as with an old routing table", names.join(", "));
        }
        text
    }
}

/// Slots on which most operations were not answered, if there are others that it answers for.
fn silent_slots<'a>(own: impl Iterator<Item = &'a Observation>) -> Vec<u32> {
    let mut slots: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for one in own.filter(|one| matches!(one.way, Way::Write | Way::Read)) {
        let Some(slot) = one.slot else { continue };
        let (all, silent) = slots.entry(slot).or_default();
        *all += 1;
        *silent += usize::from(!one.answered);
    }
    let silent: Vec<u32> = slots.iter().filter(|(_, (all, silent))| silent * 2 > *all).map(|(slot, _)| *slot).collect();
    let sound = slots.values().filter(|(all, silent)| *all >= 2 && *silent == 0).count();
    if sound >= silent.len() { silent } else { Vec::new() }
}

/// `5.2 ms (p90 7.1 ms)`, `5.2 ms, 9 of 40 never came`, `30 of 40 never came`.
fn told(side: &Side) -> String {
    let silent = format!("{} of {} never came", side.unanswered, side.count());
    let took = match (side.quantile(500), side.quantile(900)) {
        (Some(half), Some(most)) => format!("{} (p90 {})", shown(half), shown(most)),
        (Some(half), None) => shown(half),
        _ => return silent,
    };
    if side.unanswered == 0 { took } else { format!("{took}, {silent}") }
}

/// A time with three digits or so.
fn shown(time: Nanos) -> String {
    match time {
        0..1_000_000 => format!("{} µs", time / 1_000),
        1_000_000..100_000_000 => format!("{}.{} ms", time / 1_000_000, time / 100_000 % 10),
        100_000_000..1_000_000_000 => format!("{} ms", time / 1_000_000),
        _ => format!("{}.{} s", time / 1_000_000_000, time / 100_000_000 % 10),
    }
}
