//! Decides one object: by a quick decider where one fits, or else by the search, first with few configurations, which is
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

/// Configurations at first.
const WIDTH: usize = 24;
/// How much wider after each dead end.
const WIDEN: usize = 8;
/// How often it is tried with more before all are taken.
const WIDENINGS: u32 = 2;
/// Events between two places to which the search can go back.
const STRIDE: usize = 128;

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
    truncated: bool,
}

struct Run<'s, 'a, B> {
    search: Search<'s, 'a, B>,
    saved: Vec<Saved<B>>,
    furthest: usize,
}

/// How a walk along the history ended.
enum Walk {
    End,
    Dead(usize),
}

impl<'s, 'a, B: Mask> Run<'s, 'a, B> {
    fn new(outline: Outline<'s>, events: &'a [u32], limits: &'a Limits<'a>) -> Self {
        Run { search: Search::new(outline, events, limits), saved: Vec::new(), furthest: 0 }
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

    /// Few configurations; after a dead end some way back with more. None if that does not decide it.
    fn narrow(&mut self) -> Result<Option<Walk>, GaveUp> {
        let (mut event, mut widened, mut wide_until) = (0, 0, 0);
        while event < self.search.len() {
            if widened > 0 && event >= wide_until {
                widened = 0;
            }
            if event % STRIDE == 0 && self.saved.last().is_none_or(|saved| saved.event < event) {
                self.save(event);
            }
            self.furthest = self.furthest.max(event);
            let width = WIDTH * WIDEN.pow(widened);
            self.search.frugal = widened == 0;
            self.search.coarse = widened < WIDENINGS;
            if self.search.advance(event, width)? == Advance::Alive {
                event += 1;
                continue;
            }
            if !self.search.truncated {
                return Ok(Some(Walk::Dead(event)));
            }
            if widened == WIDENINGS {
                return Ok(None);
            }
            widened += 1;
            wide_until = (event + STRIDE).max(wide_until);
            let back = event.saturating_sub(STRIDE * 4usize.pow(widened) / 2);
            let place = self.saved.iter().rposition(|saved| saved.event <= back).unwrap_or(0);
            self.saved.truncate(place + 1);
            event = self.restore(place);
        }
        Ok(Some(Walk::End))
    }

    fn save(&mut self, event: usize) {
        let saved = Saved {
            event,
            frontier: self.search.frontier.clone(),
            flight: self.search.flight.clone(),
            truncated: self.search.truncated,
        };
        self.search.extra_bytes += Self::bytes(&saved);
        self.saved.push(saved);
    }

    fn bytes(saved: &Saved<B>) -> u64 {
        saved.flight.bytes() + (saved.frontier.len() * std::mem::size_of::<Config<B>>()) as u64 + 64
    }

    fn restore(&mut self, place: usize) -> usize {
        let saved = &self.saved[place];
        self.search.frontier.clone_from(&saved.frontier);
        self.search.flight = saved.flight.clone();
        self.search.truncated = saved.truncated;
        self.search.extra_bytes = self.saved.iter().map(Self::bytes).sum();
        self.search.forget_fits();
        saved.event
    }
}
