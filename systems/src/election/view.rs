//! What a member makes of the others by itself: who was heard when. This is no consensus.

use history::Nanos;
use simulation::Now;

/// Who was heard when.
#[derive(Clone, Debug)]
pub struct View {
    me: usize,
    /// By the member's monotonic clock.
    heard: Vec<Nanos>,
    /// How often each was heard to beat, for gossip.
    counts: Vec<u64>,
}

impl View {
    /// Everybody was heard just now.
    pub fn new(me: usize, members: usize, now: Now) -> View {
        View { me, heard: vec![now.mono; members], counts: vec![0; members] }
    }

    /// A member was heard.
    pub fn hears(&mut self, member: usize, now: Now) {
        if let Some(heard) = self.heard.get_mut(member) {
            *heard = now.mono;
        }
    }

    /// The counts with one more beat of one's own.
    pub fn beat(&mut self) -> Vec<u64> {
        self.counts[self.me] += 1;
        self.counts.clone()
    }

    /// Gossip: whoever beat more often than was known lives.
    pub fn merge(&mut self, counts: &[u64], now: Now) {
        for (at, count) in counts.iter().enumerate().take(self.counts.len()) {
            if *count > self.counts[at] {
                self.counts[at] = *count;
                self.heard[at] = now.mono;
            }
        }
    }

    /// True if nobody before this member was heard for so long.
    pub fn leads(&self, now: Now, timeout: Nanos) -> bool {
        self.heard[..self.me].iter().all(|heard| now.mono.saturating_sub(*heard) > timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_heard_leads() {
        let mut view = View::new(1, 3, Now::at(0));
        assert!(!view.leads(Now::at(100), 100));
        assert!(view.leads(Now::at(101), 100));
        view.merge(&[1, 0, 0], Now::at(150));
        assert!(!view.leads(Now::at(250), 100));
        view.merge(&[1, 0, 9], Now::at(250));
        assert!(view.leads(Now::at(251), 100), "no news of the first");
        view.hears(0, Now::at(300));
        assert!(!view.leads(Now::at(400), 100));
        assert_eq!(view.beat(), [1, 1, 9]);
    }
}
