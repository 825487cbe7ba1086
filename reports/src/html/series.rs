//! Series for plots, thinned to about as many points as a screen has columns.

use crate::faults::FaultRecord;
use crate::names;
use checkers::Sample;
use history::{Event, Nanos, Outcome, Source};
use std::collections::BTreeSet;

/// How many slots of time a plot has.
pub(super) const SLOTS: usize = 220;
/// Most points that a scatter plot shows.
const POINTS_MAX: usize = 2_400;

/// What happened in each slot of the run's time.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// Length of a slot.
    pub(super) slot: Nanos,
    /// Operations invoked.
    pub(super) operations: Vec<u64>,
    /// Pushes received.
    pub(super) pushes: Vec<u64>,
    /// Clients connected: least, most and last in each slot.
    pub(super) connected: Vec<(u64, u64, u64)>,
}

impl Series {
    /// Sorts a history into slots.
    pub(super) fn of(events: &dyn Source, end: Nanos) -> Series {
        let slot = (end / SLOTS as u64 + 1).max(1);
        let mut series = Series { slot, operations: vec![0; SLOTS], pushes: vec![0; SLOTS], connected: Vec::new() };
        let mut connected: BTreeSet<u32> = BTreeSet::new();
        let mut current = (0u64, 0u64, 0u64);
        events.each(&mut |event| {
            let Some(time) = event.time() else { return };
            let index = ((time / slot) as usize).min(SLOTS - 1);
            match event {
                Event::Op(op) if op.outcome == Outcome::Invoke => series.operations[index] += 1,
                Event::Push(_) => series.pushes[index] += 1,
                Event::Connection(connection) => {
                    while series.connected.len() < index {
                        series.connected.push(current);
                        current = (current.2, current.2, current.2);
                    }
                    if names::is_connected(connection.state) {
                        connected.insert(connection.client);
                    } else {
                        connected.remove(&connection.client);
                    }
                    let now = connected.len() as u64;
                    current = (current.0.min(now), current.1.max(now), now);
                }
                _ => {}
            }
        });
        while series.connected.len() < SLOTS {
            series.connected.push(current);
            current = (current.2, current.2, current.2);
        }
        series
    }
}

/// At most some thousand samples: of each column the largest one stays, so that no peak is lost.
pub(super) fn thin(samples: &[Sample]) -> Vec<Sample> {
    if samples.len() <= POINTS_MAX {
        return samples.to_vec();
    }
    let stride = samples.len().div_ceil(POINTS_MAX / 2);
    let mut thinned = Vec::with_capacity(POINTS_MAX);
    for part in samples.chunks(stride) {
        thinned.push(part[0]);
        thinned.extend(part[1..].iter().max_by_key(|sample| sample.took));
    }
    thinned
}

/// Faults by kind and target, each a row of the strip above the plots.
pub(super) fn fault_rows(faults: &[FaultRecord]) -> Vec<(String, Vec<&FaultRecord>)> {
    let mut rows: Vec<(String, Vec<&FaultRecord>)> = Vec::new();
    for fault in faults {
        let kind = names::fault_kind(fault.kind);
        match rows.iter_mut().find(|(name, _)| name == kind) {
            Some((_, members)) => members.push(fault),
            None => rows.push((kind.to_owned(), vec![fault])),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_largest() {
        let samples: Vec<Sample> =
            (0..100_000).map(|at| Sample { at, took: if at == 77_777 { 1_000_000 } else { at % 97 } }).collect();
        let thinned = thin(&samples);
        assert!(thinned.len() <= POINTS_MAX, "{}", thinned.len());
        assert!(thinned.iter().any(|sample| sample.took == 1_000_000));
    }
}
