//! A node's own clocks. True time lives in the kernel; what a node reads is a view of it.
//!
//! As on a real host there are two: a monotonic one, which drifts but never jumps and drives timers and leases, and a
//! wall clock, which is the monotonic one plus an offset and can be stepped, also backwards.

use history::Nanos;

/// What a node reads when it looks at its clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic: never falls, measures durations (wrongly if it drifts).
    pub mono: Nanos,
    /// The time of day as this node believes it, in nanoseconds since the start of the run; may jump.
    pub wall: i64,
    /// False while the node knows that nothing keeps its wall clock right (NTP has failed); whether it is right is
    /// another question.
    pub synchronised: bool,
}

impl Now {
    /// What clocks without fault read at this true time.
    pub fn at(truth: Nanos) -> Now {
        Now { mono: truth, wall: truth as i64, synchronised: true }
    }
}

/// The clocks of one node.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Monotonic reading at `since`.
    base: Nanos,
    /// True time from which the present drift counts.
    since: Nanos,
    drift_ppm: i64,
    offset: i64,
    unsynchronised: bool,
}

const MILLION: i128 = 1_000_000;

impl Clock {
    /// What the node reads at this true time.
    pub fn read(&self, truth: Nanos) -> Now {
        let mono = self.mono(truth);
        Now { mono, wall: mono as i64 + self.offset, synchronised: !self.unsynchronised }
    }

    fn mono(&self, truth: Nanos) -> Nanos {
        let passed = truth.saturating_sub(self.since);
        if self.drift_ppm == 0 {
            return self.base + passed;
        }
        self.base + (i128::from(passed) * (MILLION + i128::from(self.drift_ppm)) / MILLION) as Nanos
    }

    /// True time that passes until the monotonic clock has advanced by `local`.
    pub fn true_duration(&self, local: Nanos) -> Nanos {
        if self.drift_ppm == 0 {
            return local;
        }
        let rate = MILLION + i128::from(self.drift_ppm);
        // Rounded up: a timer never fires before its time by the node's own clock.
        ((i128::from(local) * MILLION + rate - 1) / rate) as Nanos
    }

    /// Moves the wall clock by `step` nanoseconds.
    pub fn step(&mut self, step: i64) {
        self.offset += step;
    }

    /// Adds `ppm` parts per million to the rate from this true time on. The rate stays within half and double speed.
    pub fn drift(&mut self, truth: Nanos, ppm: i64) {
        self.base = self.mono(truth);
        self.since = truth;
        self.drift_ppm = (self.drift_ppm + ppm).clamp(-500_000, 1_000_000);
    }

    /// Whether the node knows of something that keeps its wall clock right.
    pub fn set_synchronised(&mut self, synchronised: bool) {
        self.unsynchronised = !synchronised;
    }

    /// When a timer runs down that was set by this clock for the true time `due`, if `next` is the clock from `truth` on.
    pub(crate) fn retimed(&self, next: &Clock, truth: Nanos, due: Nanos) -> Nanos {
        truth + next.true_duration(self.mono(due).saturating_sub(self.mono(truth)))
    }

    /// How far the wall clock is off, nanoseconds.
    pub fn error(&self, truth: Nanos) -> i64 {
        self.read(truth).wall - truth as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::SECOND;

    #[test]
    fn steps_touch_the_wall_only_and_go_both_ways() {
        let mut clock = Clock::default();
        clock.step(-3 * SECOND as i64);
        assert_eq!(clock.read(SECOND), Now { wall: -2 * SECOND as i64, ..Now::at(SECOND) });
        clock.step(4 * SECOND as i64);
        assert_eq!(clock.error(5 * SECOND), SECOND as i64);
        clock.step(-(SECOND as i64));
        assert_eq!(clock.read(5 * SECOND), Now::at(5 * SECOND));
    }

    #[test]
    fn drift_counts_from_when_it_began_and_stays_afterwards() {
        let mut clock = Clock::default();
        clock.drift(10 * SECOND, 1_000);
        assert_eq!(clock.read(10 * SECOND).mono, 10 * SECOND);
        assert_eq!(clock.error(20 * SECOND), 10_000_000);
        clock.drift(20 * SECOND, -1_000);
        assert_eq!(clock.error(30 * SECOND), 10_000_000);
    }

    #[test]
    fn timers_are_never_early_by_the_own_clock() {
        for ppm in [-300_000i64, -77, 0, 13, 250_000] {
            let mut clock = Clock::default();
            clock.drift(0, ppm);
            for local in [1, 999, 1_000_003, SECOND] {
                let truth = clock.true_duration(local);
                assert!(clock.read(truth).mono >= local, "{ppm} {local}");
                assert!(clock.read(truth).mono <= local + 2);
            }
        }
    }

    #[test]
    fn a_timer_follows_its_clock_when_the_drift_changes() {
        for (before, change) in [(0, 400_000), (0, -400_000), (250_000, -250_000), (-77, 13)] {
            let mut old = Clock::default();
            old.drift(0, before);
            let due = old.true_duration(10 * SECOND);
            let mut new = old.clone();
            new.drift(3 * SECOND, change);
            let moved = old.retimed(&new, 3 * SECOND, due);
            assert!(new.read(moved).mono >= 10 * SECOND, "{before} {change}");
            assert!(new.read(moved).mono <= 10 * SECOND + 4);
        }
    }

    #[test]
    fn a_node_knows_that_its_clock_is_unsynchronised() {
        let mut clock = Clock::default();
        clock.set_synchronised(false);
        assert_eq!(clock.read(7), Now { synchronised: false, ..Now::at(7) });
        clock.set_synchronised(true);
        assert!(clock.read(7).synchronised);
    }
}
