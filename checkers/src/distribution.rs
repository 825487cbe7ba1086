//! Distributions of times, and a thinned series of samples.

use crate::verdict::{Distribution, Sample};
use hdrhistogram::Histogram;
use history::Nanos;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Quantiles to three digits; count and maximum are exact.
#[derive(Default)]
pub(crate) struct Gauge {
    /// All of them, as long as they are few: a histogram takes 180 KiB.
    few: Vec<Nanos>,
    many: Option<Histogram<u64>>,
    max: Nanos,
    max_at: Nanos,
}

/// More than so many are counted instead of kept.
const FEW_MAX: usize = 4_096;

impl Gauge {
    /// `at` is when it ended.
    pub fn record(&mut self, took: Nanos, at: Nanos) {
        self.longest(took, at, self.is_empty());
        match &mut self.many {
            Some(histogram) => count(histogram, &[took]),
            None => {
                self.few.push(took);
                if self.few.len() > FEW_MAX {
                    self.many();
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_none()
    }

    /// From now on they are counted.
    fn many(&mut self) -> &mut Histogram<u64> {
        let few = std::mem::take(&mut self.few);
        self.many.get_or_insert_with(|| histogram(&few))
    }

    /// The longest, and of those the earliest.
    fn longest(&mut self, took: Nanos, at: Nanos, only: bool) {
        if only || took > self.max || (took == self.max && at < self.max_at) {
            (self.max, self.max_at) = (took, at);
        }
    }

    pub fn merge(&mut self, other: &Gauge) {
        if other.is_empty() {
            return;
        }
        self.longest(other.max, other.max_at, self.is_empty());
        let all = self.many();
        count(all, &other.few);
        if let Some(many) = &other.many {
            all.add(many).expect("the histogram grows as needed");
        }
    }

    pub fn distribution(&self) -> Distribution {
        let all = self.many.as_ref().map_or_else(|| Cow::Owned(histogram(&self.few)), Cow::Borrowed);
        let at = |q: f64| all.value_at_quantile(q).min(self.max);
        Distribution {
            count: all.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: self.max,
            max_at: self.max_at,
        }
    }
}

fn histogram(few: &[Nanos]) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).expect("three digits are allowed");
    count(&mut histogram, few);
    histogram
}

fn count(histogram: &mut Histogram<u64>, all: &[Nanos]) {
    for took in all {
        histogram.record(*took).expect("the histogram grows as needed");
    }
}

/// Convergence times, by what the system went through meanwhile.
#[derive(Default)]
pub(crate) struct Gauges {
    /// Of those that met no fault, nor its aftermath.
    pub calm: Gauge,
    /// Of the others.
    pub rough: Gauge,
    /// Of those that met this fault.
    pub under_fault: BTreeMap<u32, Gauge>,
}

impl Gauges {
    pub fn merge(&mut self, other: &Gauges) {
        self.calm.merge(&other.calm);
        self.rough.merge(&other.rough);
        for (id, gauge) in &other.under_fault {
            self.under_fault.entry(*id).or_default().merge(gauge);
        }
    }
}

/// Every n-th sample, n doubling as there are more.
pub(crate) struct Series {
    samples: Vec<Sample>,
    samples_max: usize,
    seen: u64,
    stride_log: u32,
}

/// At most so many samples are kept in the end.
const SAMPLES_MAX: usize = 4_000;

impl Series {
    /// One of so many series that are to be [joined](Series::joined): together they keep a few times what is needed.
    pub fn one_of(count: usize) -> Series {
        let samples_max = (8 * SAMPLES_MAX / count.max(1)).clamp(64, SAMPLES_MAX);
        Series { samples: Vec::new(), samples_max, seen: 0, stride_log: 0 }
    }

    pub fn record(&mut self, sample: Sample) {
        if self.seen.trailing_zeros() >= self.stride_log || self.seen == 0 {
            self.samples.push(sample);
        }
        self.seen += 1;
        if self.samples.len() > self.samples_max {
            let mut keep = false;
            self.samples.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride_log += 1;
        }
    }

    /// Several series as one, in order of time, thinned evenly.
    pub fn joined(all: impl IntoIterator<Item = Series>) -> Vec<Sample> {
        let all: Vec<Series> = all.into_iter().collect();
        let mut stride_log = all.iter().map(|s| s.stride_log).max().unwrap_or(0);
        let left = |log: u32| all.iter().map(|s| s.samples.len() >> (log - s.stride_log)).sum::<usize>();
        // Sorting many only to leave most of them out would take long.
        while left(stride_log) > 4 * SAMPLES_MAX {
            stride_log += 1;
        }
        let mut samples: Vec<Sample> = all
            .into_iter()
            .flat_map(|s| {
                let step = 1_usize << (stride_log - s.stride_log);
                s.samples.into_iter().step_by(step)
            })
            .collect();
        samples.sort_by_key(|s| (s.at, s.took));
        let step = samples.len().div_ceil(SAMPLES_MAX).max(1);
        samples.into_iter().step_by(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_stay_short_and_even() {
        let mut long = Series::one_of(2);
        (0..100_000).for_each(|n| long.record(Sample { at: n, took: 1 }));
        let mut short = Series::one_of(2);
        (0..10).for_each(|n| short.record(Sample { at: n, took: 2 }));
        let joined = Series::joined([long, short]);
        assert!(joined.len() > 1_500 && joined.len() <= SAMPLES_MAX, "{}", joined.len());
        assert!(joined.is_sorted_by_key(|s| s.at));
        assert!(joined.last().expect("not empty").at > 99_000);
    }

    #[test]
    fn many_are_counted_as_few_are() {
        let (mut whole, mut parts) = (Gauge::default(), [Gauge::default(), Gauge::default()]);
        for n in 0..3 * FEW_MAX as u64 {
            let took = n * 7_919 % 1_000_003;
            whole.record(took, n);
            parts[usize::from(n % 5 == 0)].record(took, n);
        }
        assert!(parts[0].many.is_some() && parts[1].many.is_none());
        let mut joined = Gauge::default();
        parts.iter().for_each(|part| joined.merge(part));
        assert_eq!(joined.distribution(), whole.distribution());
    }

    #[test]
    fn the_maximum_is_exact() {
        let mut gauge = Gauge::default();
        gauge.record(1_234_567_891, 5);
        gauge.record(3, 6);
        let mut other = Gauge::default();
        other.record(7, 9);
        gauge.merge(&other);
        let got = gauge.distribution();
        assert_eq!((got.count, got.max, got.max_at), (3, 1_234_567_891, 5));
        assert!(got.p999 <= got.max && got.p50 == 7);
    }
}
