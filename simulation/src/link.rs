//! One directed link, and what faults do to it.
//!
//! Links behave like connections, not like packets: nothing overtakes within a link and a channel. A message that the
//! network loses is sent again after 100, 200, 400, 800, 800 ... ms, and all behind it wait; after eight attempts it is
//! given up. A message on a cut link is dropped at once, as when a connection breaks and is made again: what arrives
//! has a gap, never another order. Nodes must cope with gaps by asking again. Only the troubles that say so
//! ([`Trouble::Duplicate`], [`Trouble::Reorder`]) make a link worse than a connection.

use crate::arrivals::Arrivals;
use crate::hash_on;
use crate::machine::{Channel, NO_CHANNEL};
use history::{MILLI, Nanos};

/// How long a message takes without faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// At least this long.
    pub base: Nanos,
    /// And up to this much longer, uniformly.
    pub jitter: Nanos,
}

/// What a fault does to a link. Laid on it from the start and never lifted, it is a property of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing passes.
    Cut,
    /// Everything takes this much longer.
    Delay(Nanos),
    /// So many in 1,000 attempts are lost.
    Loss(u32),
    /// So many in 1,000 messages arrive twice, the second time up to `late` after the first.
    Duplicate {
        /// In 1,000.
        permille: u32,
        /// Nanoseconds, at least 1.
        late: Nanos,
    },
    /// So many in 1,000 messages take up to `late` longer and may be overtaken by those behind them.
    Reorder {
        /// In 1,000.
        permille: u32,
        /// Nanoseconds.
        late: Nanos,
    },
    /// So many bytes a second: messages queue before the link.
    Bandwidth(u64),
    /// A heavy tail: so many in 1,000 messages take longer by `scale` at least, and the chance of a wait beyond n times
    /// `scale` is about 1/n (Pareto with exponent 1), never beyond `max`.
    Tail {
        /// In 1,000.
        permille: u32,
        /// Nanoseconds.
        scale: Nanos,
        /// Nanoseconds.
        max: Nanos,
    },
}

/// A fault's hold on a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub fault: u32,
    pub trouble: Trouble,
    /// With [`Trouble::Bandwidth`]: when the last byte of the last message is through.
    free_at: Nanos,
}

/// One directed link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// The state of draws for this link before they know for which message.
    draws: u64,
    pub latency: Latency,
    pub holds: Vec<Hold>,
    /// When the last message without a channel arrives: the next one does not overtake it.
    last_arrival: Nanos,
    /// The same for each channel.
    channels: Arrivals,
    /// The same over all channels.
    pub busy_until: Nanos,
}

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<S> {
    /// On which channel.
    pub channel: Channel,
    /// Tells it from others on the same channel.
    pub identity: u64,
    /// When it is sent.
    pub sent: Nanos,
    /// Bytes: only asked for by narrow links.
    pub size: S,
}

/// How a message fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// It takes this long, before waiting for those ahead of it.
    pub takes: Nanos,
    /// It neither waits for those ahead nor do those behind wait for it.
    pub overtakable: bool,
    /// A second copy arrives so long after the first.
    pub again: Option<Nanos>,
}

/// Attempts to get one message through a lossy link.
const ATTEMPTS_MAX: u64 = 8;
/// Draws of one message beside those for its attempts.
const DUPLICATE: u64 = 1 << 32;
const REORDER: u64 = 2 << 32;
const TAIL: u64 = 3 << 32;

impl Hold {
    pub fn new(fault: u32, trouble: Trouble) -> Hold {
        Hold { fault, trouble, free_at: 0 }
    }
}

impl Link {
    /// `draws` is the state of draws before they know for which message.
    pub fn new(draws: u64, latency: Latency) -> Link {
        Link { draws, latency, holds: Vec::new(), last_arrival: 0, channels: Arrivals::default(), busy_until: 0 }
    }

    /// A message that would arrive at `at` waits for those ahead of it on its channel: when it arrives.
    #[inline(always)]
    pub fn queue(&mut self, channel: Channel, now: Nanos, at: Nanos) -> Nanos {
        let last = if channel == NO_CHANNEL { &mut self.last_arrival } else { self.channels.last(channel, now) };
        let at = at.max(*last);
        *last = at;
        self.busy_until = self.busy_until.max(at);
        at
    }

    /// A message may be sent on this channel soon.
    pub fn prepare(&self, channel: Channel) {
        self.channels.prepare(channel);
    }

    /// The state of draws for a message.
    #[inline(always)]
    fn draws_for(&self, channel: Channel, identity: u64) -> u64 {
        hash_on(hash_on(self.draws, u64::from(channel)), identity)
    }

    /// How long a message takes without faults, before waiting for those ahead of it.
    #[inline(always)]
    pub fn undisturbed(&self, channel: Channel, identity: u64) -> Nanos {
        let Latency { base, jitter } = self.latency;
        if jitter == 0 { base } else { base + hash_on(self.draws_for(channel, identity), 0) % (jitter + 1) }
    }

    /// What becomes of a message; none if it never arrives. `touched` is told each fault that affected it.
    pub fn passage(&mut self, letter: &Letter<impl Fn() -> u64>, mut touched: impl FnMut(u32)) -> Option<Passage> {
        let state = self.draws_for(letter.channel, letter.identity);
        let draw = |what: u64| hash_on(state, what);
        let hit = |what: u64, permille: u32| draw(what) % 1000 < u64::from(permille);
        let mut passage =
            Passage { takes: self.undisturbed(letter.channel, letter.identity), overtakable: false, again: None };
        for hold in &mut self.holds {
            match hold.trouble {
                Trouble::Cut => {
                    touched(hold.fault);
                    return None;
                }
                Trouble::Delay(more) => passage.takes += more,
                Trouble::Loss(permille) => {
                    let mut attempt = 1;
                    while hit(attempt, permille) {
                        touched(hold.fault);
                        if attempt == ATTEMPTS_MAX {
                            return None;
                        }
                        passage.takes += (100 * MILLI) << (attempt - 1).min(3);
                        attempt += 1;
                    }
                    continue;
                }
                Trouble::Duplicate { permille, late } if hit(DUPLICATE, permille) => {
                    passage.again = Some(1 + draw(DUPLICATE + 1) % late.max(1));
                }
                Trouble::Reorder { permille, late } if hit(REORDER, permille) => {
                    passage.overtakable = true;
                    passage.takes += draw(REORDER + 1) % late.saturating_add(1).max(1);
                }
                Trouble::Tail { permille, scale, max } if hit(TAIL, permille) => {
                    passage.takes += heavy(draw(TAIL + 1), scale).min(max);
                }
                Trouble::Bandwidth(rate) => {
                    let nanos = u128::from((letter.size)()) * 1_000_000_000 / u128::from(rate.max(1));
                    hold.free_at = hold.free_at.max(letter.sent).saturating_add(nanos as Nanos);
                    passage.takes = passage.takes.saturating_add(hold.free_at - letter.sent);
                }
                _ => continue,
            }
            touched(hold.fault);
        }
        Some(passage)
    }
}

/// `scale / u` for a `u` uniform in (0, 1], in integers.
fn heavy(draw: u64, scale: Nanos) -> Nanos {
    let parts = (draw >> 32) + 1;
    ((u128::from(scale) << 32) / u128::from(parts)).min(u128::from(u64::MAX / 4)) as Nanos
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::hash_draw;

    fn link(trouble: Trouble) -> Link {
        let mut link = Link::new(hash_draw(1, &[1]), Latency { base: 1_000, jitter: 500 });
        link.holds.push(Hold::new(4, trouble));
        link
    }

    fn letter(identity: u64) -> Letter<impl Fn() -> u64> {
        Letter { channel: 2, identity, sent: 0, size: || 100 }
    }

    /// How 10,000 messages fare, all sent at once, and how many were touched.
    fn many(trouble: Trouble) -> (Vec<Passage>, usize) {
        let (mut link, mut touched) = (link(trouble), 0);
        let passages = (0..10_000).filter_map(|i| link.passage(&letter(i), |_| touched += 1)).collect();
        (passages, touched)
    }

    #[test]
    fn jitter_depends_on_the_message_only() {
        let mut link = Link::new(hash_draw(1, &[1]), Latency { base: 1_000, jitter: 500 });
        let mut takes = |identity| link.passage(&letter(identity), |_| ()).unwrap().takes;
        assert_eq!(takes(3), takes(3));
        assert_ne!(takes(3), takes(4));
        assert!((0..1_000).all(|identity| (1_000..=1_500).contains(&takes(identity))));
    }

    #[test]
    fn a_cut_drops_and_counts() {
        assert_eq!(many(Trouble::Cut), (vec![], 10_000));
    }

    #[test]
    fn loss_delays_by_retransmission() {
        let (passages, lost) = many(Trouble::Loss(300));
        let slow = passages.iter().filter(|passage| passage.takes >= 100 * MILLI).count();
        assert!((2_700..3_300).contains(&slow), "{slow}");
        assert!(lost > slow);
    }

    #[test]
    fn total_loss_gives_up() {
        assert_eq!(many(Trouble::Loss(1000)).0, []);
    }

    #[test]
    fn some_messages_arrive_twice() {
        let (passages, touched) = many(Trouble::Duplicate { permille: 100, late: 50 });
        let again: Vec<Nanos> = passages.iter().filter_map(|passage| passage.again).collect();
        assert_eq!(again.len(), touched);
        assert!((900..1_100).contains(&touched), "{touched}");
        assert!(again.iter().all(|late| (1..=50).contains(late)));
    }

    #[test]
    fn some_messages_may_be_overtaken() {
        let (passages, touched) = many(Trouble::Reorder { permille: 200, late: 10_000 });
        let slow = passages.iter().filter(|passage| passage.overtakable);
        assert_eq!(slow.clone().count(), touched);
        assert!((1_850..2_150).contains(&touched), "{touched}");
        assert!(slow.clone().any(|passage| passage.takes > 9_000) && slow.clone().all(|p| p.takes <= 11_500));
    }

    #[test]
    fn a_narrow_link_makes_messages_queue() {
        // 100 bytes at 1 MB/s: 100 us each.
        let (passages, touched) = many(Trouble::Bandwidth(1_000_000));
        assert_eq!(touched, 10_000);
        for (at, passage) in passages.iter().enumerate() {
            let queued = (at as u64 + 1) * 100_000;
            assert!((queued + 1_000..=queued + 1_500).contains(&passage.takes));
        }
        let mut link = link(Trouble::Bandwidth(1_000_000));
        link.passage(&letter(0), |_| ());
        let later = link.passage(&Letter { sent: 1_000_000, ..letter(1) }, |_| ()).unwrap();
        assert!(later.takes <= 101_500, "nothing is ahead of it any more");
    }

    #[test]
    fn a_heavy_tail_is_heavy_and_bounded() {
        let (passages, touched) = many(Trouble::Tail { permille: 1000, scale: 100_000, max: 50_000_000 });
        assert_eq!(touched, 10_000);
        let beyond = |times: u64| passages.iter().filter(|p| p.takes > times * 100_000 + 1_500).count();
        assert!((850..1_150).contains(&beyond(10)), "{}", beyond(10));
        assert!((70..130).contains(&beyond(100)), "{}", beyond(100));
        assert!(passages.iter().all(|p| (101_000..=50_001_500).contains(&p.takes)));
        assert_eq!(beyond(500), 0);
    }
}
