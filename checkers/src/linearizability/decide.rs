//! Decides one object: by a quick decider where one fits, or else by the search, first with one configuration or few, which is
//! enough to show that most good histories are good, then with all of them, which alone can show that one is bad.

use super::flight::Flight;
use super::limits::{FLIGHT_MAX, GaveUp, Limits};
use super::mask::{Mask, Wide};
use super::model::Model;
use super::problem::Problem;
use super::quick::Wrong;
use super::search::{Advance, Search, events};
use super::states::{Known, Outline};
use super::table::Config;

/// Few configurations, a while before and after a dead end.
struct Stage {
    /// How many.
    width: usize,
    /// After so many levels of a search for ways one is enough.
    patience: u32,
    /// Events to go back, and on, for each 64 operations that can be in flight.
    back: usize,
    on: usize,
}

/// One after the other, where one configuration alone ends.
const STAGES: [Stage; 4] = [
    Stage { width: 6, patience: 2, back: 24, on: 16 },
    Stage { width: 24, patience: 3, back: 64, on: 32 },
    Stage { width: 192, patience: 3, back: 256, on: 128 },
    Stage { width: 1536, patience: 3, back: 1024, on: 128 },
];
/// Events between two places to which the search can go back, for each 64 operations that can be in flight.
const STRIDE: usize = 16;
/// Places kept to which the search can go back.
const SAVED_MAX: usize = 64;
/// Of older ones than so many only one in four is kept.
const RECENT: usize = 8;

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// There is an order that explains everything.
    Linearizable {
        /// How it was found out.
        algorithm: &'static str,
    },
    /// There is none.
    Not {
        /// How it was found out.
        algorithm: &'static str,
        /// The operation (by index) whose completion no order reaches.
        at: usize,
        /// What a quick decider says about it.
        wrong: Option<Wrong>,
    },
    /// It was given up.
    Unknown {
        /// Why.
        why: GaveUp,
        /// How many operations had been decided until then.
        done: usize,
    },
}

/// The name of the general search in reports.
pub const SEARCH: &str = "just-in-time search";

/// Decides the history of one object.
pub fn decide<M: Model>(model: &M, problem: &Problem<M::Action>, limits: &Limits<'_>) -> Decision {
    if let Some(quick) = model.decide(problem) {
        let algorithm = quick.algorithm;
        return match quick.wrong {
            None => Decision::Linearizable { algorithm },
            Some(wrong) => Decision::Not { algorithm, at: wrong.at, wrong: Some(wrong) },
        };
    }
    search(model, problem, &[model.initial()], limits)
}

/// Decides by search alone, from any of some states.
pub(super) fn search<M: Model>(
    model: &M,
    problem: &Problem<M::Action>,
    initial: &[M::State],
    limits: &Limits<'_>,
) -> Decision {
    let mut known = Known::new(model, &problem.actions);
    by_width(Outline::new(model, problem, initial, &mut known), limits)
}

/// The narrowest masks that hold what is in flight.
fn by_width(outline: Outline<'_>, limits: &Limits<'_>) -> Decision {
    let (events, flight) = events(outline.ops);
    match flight {
        ..=64 => Run::<u64>::new(outline, &events, limits).decide(),
        65..=128 => Run::<u128>::new(outline, &events, limits).decide(),
        129..=512 => Run::<Wide<8>>::new(outline, &events, limits).decide(),
        513..=FLIGHT_MAX => Run::<Wide<{ FLIGHT_MAX as usize / 64 }>>::new(outline, &events, limits).decide(),
        _ => Decision::Unknown { why: GaveUp::Width, done: 0 },
    }
}

/// A place to which the search can go back.
struct Saved<B> {
    event: usize,
    frontier: Vec<Config<B>>,
    flight: Flight<B>,
    unseen: B,
    truncated: bool,
}

impl<B: Mask> Saved<B> {
    fn bytes(&self) -> u64 {
        self.flight.bytes() + (self.frontier.capacity() * std::mem::size_of::<Config<B>>()) as u64 + 64
    }
}

struct Run<'s, 'a, B> {
    search: Search<'s, 'a, B>,
    saved: Vec<Saved<B>>,
    /// Memory of places that were given up, for the next ones.
    spare: Vec<Saved<B>>,
    furthest: usize,
}

/// How a walk along the history ended.
enum Walk {
    End,
    Dead(usize),
}

impl<'s, 'a, B: Mask> Run<'s, 'a, B> {
    fn new(outline: Outline<'s>, events: &'a [u32], limits: &'a Limits<'a>) -> Self {
        Run { search: Search::new(outline, events, limits), saved: Vec::new(), spare: Vec::new(), furthest: 0 }
    }

    fn decide(mut self) -> Decision {
        match self.stages() {
            Ok(Walk::End) => Decision::Linearizable { algorithm: SEARCH },
            Ok(Walk::Dead(event)) => Decision::Not { algorithm: SEARCH, at: self.search.op_at(event), wrong: None },
            Err(why) => Decision::Unknown { why, done: self.furthest / 2 },
        }
    }

    fn stages(&mut self) -> Result<Walk, GaveUp> {
        self.save(0);
        if let Some(walk) = self.narrow()? {
            return Ok(walk);
        }
        // Only what was never cut short is a place to start from for a proof.
        let whole = self.saved.iter().rposition(|saved| !saved.truncated).unwrap_or(0);
        self.saved.truncate(whole + 1);
        self.spare.clear();
        self.search.extra_bytes = self.saved.iter().map(Saved::bytes).sum();
        if self.search.can_relax() {
            let from = self.restore(0);
            self.search.relaxed = true;
            if let Walk::Dead(event) = self.walk(from)? {
                return Ok(Walk::Dead(event));
            }
            self.search.relaxed = false;
        }
        let event = self.restore(whole);
        self.walk(event)
    }

    /// All configurations, to the end.
    fn walk(&mut self, from: usize) -> Result<Walk, GaveUp> {
        (self.search.frugal, self.search.coarse) = (false, false);
        self.search.truncated = false;
        for event in from..self.search.len() {
            self.furthest = self.furthest.max(event);
            if self.search.advance(event, usize::MAX)? == Advance::Dead {
                return Ok(Walk::Dead(event));
            }
        }
        Ok(Walk::End)
    }

    /// One configuration, and after a dead end some way back more. None if that does not decide it.
    fn narrow(&mut self) -> Result<Option<Walk>, GaveUp> {
        let scale = (B::BITS / 64) as usize;
        let (mut event, mut widened, mut wide_until) = (0, 0, 0);
        self.search.alone();
        while event < self.search.len() {
            if widened > 0 && event >= wide_until {
                widened = 0;
                self.search.alone();
            }
            if event % (STRIDE * scale) == 0 && self.saved.last().is_none_or(|saved| saved.event < event) {
                self.save(event);
            }
            self.furthest = self.furthest.max(event);
            if self.few(event, widened)? == Advance::Alive {
                event += 1;
                continue;
            }
            if !self.search.truncated {
                return Ok(Some(Walk::Dead(event)));
            }
            let Some(stage) = STAGES.get(widened) else { return Ok(None) };
            widened += 1;
            wide_until = (event + stage.on * scale).max(wide_until);
            let back = event.saturating_sub(stage.back * scale);
            let place = self.saved.iter().rposition(|saved| saved.event <= back).unwrap_or(0);
            self.spare.extend(self.saved.drain(place + 1..));
            event = self.restore(place);
        }
        Ok(Some(Walk::End))
    }

    /// One event, with one configuration or as few as a stage has.
    fn few(&mut self, event: usize, widened: usize) -> Result<Advance, GaveUp> {
        let Some(stage) = widened.checked_sub(1).map(|stage| &STAGES[stage]) else { return self.search.follow(event) };
        self.search.frugal = widened <= 2;
        self.search.coarse = widened < STAGES.len();
        self.search.patience = stage.patience;
        self.search.advance(event, stage.width)
    }

    fn save(&mut self, event: usize) {
        let mut saved = match self.spare.pop() {
            Some(saved) => {
                self.search.extra_bytes -= saved.bytes();
                saved
            }
            None => Saved { event, frontier: Vec::new(), flight: Flight::new(), unseen: B::NONE, truncated: false },
        };
        saved.event = event;
        saved.frontier.clone_from(&self.search.frontier);
        saved.flight.copy(&self.search.flight);
        (saved.unseen, saved.truncated) = (self.search.unseen, self.search.truncated);
        self.search.extra_bytes += saved.bytes();
        self.saved.push(saved);
        if self.saved.len() > SAVED_MAX {
            // The first one stays: from there all can be tried.
            self.spare.extend(self.saved.drain(1..=SAVED_MAX / 2));
        } else if let Some(old) = self.saved.len().checked_sub(RECENT + 1)
            && old > 0
            && !self.saved[old].event.is_multiple_of(4 * STRIDE * (B::BITS / 64) as usize)
        {
            self.spare.push(self.saved.remove(old));
        }
    }

    fn restore(&mut self, place: usize) -> usize {
        let saved = &self.saved[place];
        self.search.frontier.clone_from(&saved.frontier);
        self.search.flight.copy(&saved.flight);
        self.search.unseen = saved.unseen;
        self.search.truncated = saved.truncated;
        self.search.forget_fits();
        saved.event
    }
}
