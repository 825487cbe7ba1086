//! One directed link, and what faults do to it.
//!
//! Links behave like connections, not like packets: nothing overtakes within a link and a channel. A message that the
//! network loses is sent again after 100, 200, 400, 800, 800 ... ms, and all behind it wait; after eight attempts it is
//! given up. A message on a cut link is dropped at once, as when a connection breaks and is made again: what arrives
//! has a gap, never another order. Nodes must cope with gaps by asking again.

use crate::hash_draw;
use history::{MILLI, Nanos};

/// How long a message takes without faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// At least this long.
    pub base: Nanos,
    /// And up to this much longer.
    pub jitter: Nanos,
}

/// What a fault does to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing passes.
    Cut,
    /// Everything takes this much longer.
    Delay(Nanos),
    /// So many in 1,000 attempts are lost.
    Loss(u32),
}

/// A fault's hold on a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub fault: u32,
    pub trouble: Trouble,
}

/// One directed link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub latency: Latency,
    pub holds: Vec<Hold>,
    /// When the last message without a channel arrives: the next one does not overtake it.
    pub last_arrival: Nanos,
    /// The same over all channels.
    pub busy_until: Nanos,
}

/// How a message fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It takes this long, before waiting for those ahead of it.
    Takes(Nanos),
    /// It never arrives.
    Dropped,
}

/// Attempts to get one message through a lossy link.
const ATTEMPTS_MAX: u64 = 8;

impl Link {
    pub fn new(latency: Latency) -> Link {
        Link { latency, holds: Vec::new(), last_arrival: 0, busy_until: 0 }
    }

    /// What becomes of a message; `key` names it, `touched` is told each fault that affected it.
    pub fn passage(&self, seed: u64, key: [u64; 3], mut touched: impl FnMut(u32)) -> Passage {
        let [link, channel, identity] = key;
        let mut takes = self.latency.base;
        if self.latency.jitter > 0 {
            takes += hash_draw(seed, &[link, channel, identity, 0]) % (self.latency.jitter + 1);
        }
        for hold in &self.holds {
            match hold.trouble {
                Trouble::Cut => {
                    touched(hold.fault);
                    return Passage::Dropped;
                }
                Trouble::Delay(more) => {
                    touched(hold.fault);
                    takes += more;
                }
                Trouble::Loss(permille) => {
                    let mut attempt = 1;
                    while hash_draw(seed, &[link, channel, identity, attempt]) % 1000 < u64::from(permille) {
                        touched(hold.fault);
                        if attempt == ATTEMPTS_MAX {
                            return Passage::Dropped;
                        }
                        takes += (100 * MILLI) << (attempt - 1).min(3);
                        attempt += 1;
                    }
                }
            }
        }
        Passage::Takes(takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(trouble: Trouble) -> Link {
        let mut link = Link::new(Latency { base: 1_000, jitter: 500 });
        link.holds.push(Hold { fault: 4, trouble });
        link
    }

    #[test]
    fn jitter_depends_on_the_message_only() {
        let link = Link::new(Latency { base: 1_000, jitter: 500 });
        let one = link.passage(9, [1, 2, 3], |_| ());
        assert_eq!(one, link.passage(9, [1, 2, 3], |_| ()));
        assert_ne!(one, link.passage(9, [1, 2, 4], |_| ()));
        for identity in 0..1_000 {
            match link.passage(9, [1, 2, identity], |_| ()) {
                Passage::Takes(t) => assert!((1_000..=1_500).contains(&t)),
                Passage::Dropped => panic!("nothing drops here"),
            }
        }
    }

    #[test]
    fn a_cut_drops_and_counts() {
        let mut count = 0;
        assert_eq!(link(Trouble::Cut).passage(1, [0, 0, 0], |_| count += 1), Passage::Dropped);
        assert_eq!(count, 1);
    }

    #[test]
    fn loss_delays_by_retransmission() {
        let link = link(Trouble::Loss(300));
        let mut lost = 0;
        let mut slow = 0;
        for identity in 0..10_000 {
            if let Passage::Takes(t) = link.passage(1, [0, 0, identity], |_| lost += 1)
                && t >= 100 * MILLI
            {
                slow += 1;
            }
        }
        assert!((2_700..3_300).contains(&slow), "{slow}");
        assert!(lost > slow);
    }

    #[test]
    fn total_loss_gives_up() {
        assert_eq!(link(Trouble::Loss(1000)).passage(1, [0, 0, 1], |_| ()), Passage::Dropped);
    }
}
