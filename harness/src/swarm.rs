//! Swarm testing (Groce et al. 2012): the seed draws not only what happens but what can happen: the cluster's shape and
//! delays, which operations clients make and how often, how dense faults are. Runs that leave something out altogether reach
//! states that an even mixture of everything never does.
//!
//! What is drawn changes the scenario before it is expanded; the plan then holds only results, and replays alone. Which
//! kinds of faults exist is drawn by [`nemesis::Schedule`] itself (`faults.swarm`). Each part draws from a stream of its own.

use crate::scenario::{Scenario, SystemChoice};
use nemesis::{Drawn, Pattern};
use serde::{Deserialize, Serialize};
use simulation::Stream;
use systems::registry::{Ack, RegistryConfig};
use workloads::{Storm, StormKind, Weights};

/// The `[swarm]` section of a scenario: from which ranges, both ends included, the seed draws.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Swarm {
    /// Session nodes.
    pub sessions: (u32, u32),
    /// Data nodes.
    pub data: (u32, u32),
    /// Meta nodes.
    pub metas: (u32, u32),
    /// Slots.
    pub slots: (u32, u32),
    /// Copies of a slot; never more than there are data nodes.
    pub replicas: (u32, u32),
    /// Latency between nodes, and between clients and nodes, microseconds; the jitter is drawn from 0 to twice as much.
    pub latency_us: (u64, u64),
    /// Each delay that may vary by itself (batches, debounces, digests, scans, retries ...) is multiplied by a factor of its
    /// own, percent.
    pub delay_percent: (u64, u64),
    /// Chance in 1,000 that the session, not the data node, acknowledges a publish.
    pub ack_session_permille: u32,
    /// Clients.
    pub clients: (u32, u32),
    /// Of these, pinned ones.
    pub pinned: (u32, u32),
    /// DataIds.
    pub data_ids: (u32, u32),
    /// Mean time between two operations of a client, milliseconds.
    pub pause_ms: (u64, u64),
    /// Each kind of operation stays in with this chance in 1,000; a weight is drawn for those that do.
    pub operation_permille: u32,
    /// Storms of clients, at most.
    pub storms_max: u32,
    /// Chance in 1,000 of a gentle run: one in which faults are short and far enough apart for pinned publishers to have to
    /// be there nearly all the time. Only such runs have pinned publishers; in all others they would be in doubt for most
    /// of the time, and say nothing.
    pub gentle_permille: u32,
    /// The run's own upper bounds of `faults.gap_ms` and `faults.duration_ms` are drawn from these, milliseconds.
    pub gap_ms: (u64, u64),
    /// See `gap_ms`.
    pub duration_ms: (u64, u64),
    /// Chance in 1,000 that a fault begins while another one is active: from 0 to this.
    pub overlap_permille_max: u32,
}

/// In gentle runs no fault is held longer, milliseconds: well below the leases.
const GENTLE_MS: u64 = 900;
/// In gentle runs faults are at least so far apart: longer than a lease, so that their doubts do not join.
const GENTLE_GAP_MS: u64 = 1_800;

impl Default for Swarm {
    fn default() -> Self {
        Swarm {
            sessions: (1, 3),
            data: (1, 4),
            metas: (1, 3),
            slots: (1, 8),
            replicas: (1, 3),
            latency_us: (50, 1_000),
            delay_percent: (50, 150),
            ack_session_permille: 300,
            clients: (5, 16),
            pinned: (1, 3),
            data_ids: (1, 6),
            pause_ms: (150, 900),
            operation_permille: 700,
            storms_max: 2,
            gap_ms: (400, 3_000),
            duration_ms: (300, 5_000),
            overlap_permille_max: 300,
            gentle_permille: 400,
        }
    }
}

impl Swarm {
    /// The first range whose ends are in the wrong order, or that would draw nothing that runs.
    pub fn wrong(&self) -> Option<String> {
        let wide = |(low, high): (u32, u32)| (u64::from(low), u64::from(high));
        let ranges = [
            ("sessions", wide(self.sessions), 1, 100),
            ("data", wide(self.data), 1, 100),
            ("metas", wide(self.metas), 1, 100),
            ("slots", wide(self.slots), 1, 4_096),
            ("replicas", wide(self.replicas), 1, 100),
            ("latency_us", self.latency_us, 0, 10_000_000),
            ("delay_percent", self.delay_percent, 1, 10_000),
            ("clients", wide(self.clients), 1, 1_000_000),
            ("pinned", wide(self.pinned), 0, wide(self.clients).0),
            ("data_ids", wide(self.data_ids), 1, 1_000_000),
            ("pause_ms", self.pause_ms, 1, 86_400_000),
            ("gap_ms", self.gap_ms, 1, 86_400_000),
            ("duration_ms", self.duration_ms, 1, 86_400_000),
        ];
        ranges.into_iter().find(|(_, (low, high), least, most)| low > high || low < least || high > most).map(
            |(name, (low, high), least, most)| {
                format!("swarm.{name} = [{low}, {high}]: [low, high] with {least} <= low <= high <= {most}")
            },
        )
    }

    /// The scenario of this seed, and what was drawn for people to read.
    pub fn draw(&self, scenario: &Scenario, seed: u64) -> (Scenario, Drawn) {
        let mut drawn = scenario.clone();
        drawn.swarm = None;
        let gentle = Stream::new(seed, "swarm mood", 0).chance(self.gentle_permille);
        let mood = if gentle { "gentle" } else { "wild" };
        let mut said: Drawn = vec![("mood".to_owned(), mood.to_owned())];
        if scenario.system == SystemChoice::Registry {
            self.shape(&mut drawn.registry, &mut Stream::new(seed, "swarm shape", 0), &mut said);
            self.delays(&mut drawn.registry, &mut Stream::new(seed, "swarm delays", 0), &mut said);
        }
        self.load(&mut drawn, gentle, &mut Stream::new(seed, "swarm load", 0), &mut said);
        self.faults(&mut drawn, gentle, &mut Stream::new(seed, "swarm faults", 0), &mut said);
        (drawn, said)
    }

    fn shape(&self, registry: &mut RegistryConfig, stream: &mut Stream, said: &mut Drawn) {
        let mut draw = |(low, high): (u32, u32)| stream.between(low.into(), high.into()) as u32;
        registry.sessions = draw(self.sessions);
        registry.data = draw(self.data);
        registry.metas = draw(self.metas);
        registry.slots = draw(self.slots);
        registry.replicas = draw(self.replicas).min(registry.data);
        registry.ack = if stream.chance(self.ack_session_permille) { Ack::Session } else { Ack::Data };
        let r = &registry;
        let nodes = format!("{} session, {} data, {} meta", r.sessions, r.data, r.metas);
        said.push(("nodes".to_owned(), nodes));
        said.push(("slots".to_owned(), format!("{}, {} copies", r.slots, r.replicas)));
        said.push(("acknowledged by".to_owned(), history::word(&r.ack)));
    }

    /// Leases and what is tied to them stay as they are; everything else has a factor of its own.
    fn delays(&self, registry: &mut RegistryConfig, stream: &mut Stream, said: &mut Drawn) {
        let (low, high) = self.latency_us;
        registry.node_latency_us = stream.between(low, high);
        registry.node_jitter_us = stream.between(0, 2 * registry.node_latency_us);
        registry.client_latency_us = stream.between(low, high);
        registry.client_jitter_us = stream.between(0, 2 * registry.client_latency_us);
        let shown = |latency: u64, jitter: u64| format!("{latency}-{} µs", latency + jitter);
        let nodes = shown(registry.node_latency_us, registry.node_jitter_us);
        let clients = shown(registry.client_latency_us, registry.client_jitter_us);
        said.push(("latency".to_owned(), format!("{nodes} between nodes, {clients} to clients")));
        let (least, most) = self.delay_percent;
        let mut factors = Vec::new();
        let all: [(&str, &mut u64); 12] = [
            ("rebalance", &mut registry.rebalance_ms),
            ("notify", &mut registry.notify_ms),
            ("replicate", &mut registry.replicate_ms),
            ("digest", &mut registry.digest_ms),
            ("migrate", &mut registry.migrate_ms),
            ("write batch", &mut registry.write_batch_ms),
            ("write retry", &mut registry.write_retry_ms),
            ("change debounce", &mut registry.change_debounce_ms),
            ("push debounce", &mut registry.push_debounce_ms),
            ("fetch retry", &mut registry.fetch_retry_ms),
            ("push timeout", &mut registry.push_timeout_ms),
            ("scan", &mut registry.scan_ms),
        ];
        for (name, delay) in all {
            *delay = (*delay * stream.between(least, most) / 100).max(1);
            factors.push(format!("{name} {delay}"));
        }
        said.push(("delays in ms".to_owned(), factors.join(", ")));
    }

    fn load(&self, scenario: &mut Scenario, gentle: bool, stream: &mut Stream, said: &mut Drawn) {
        let chaos_ms = scenario.time.chaos_ms;
        let workload = &mut scenario.workload;
        let mut draw = |(low, high): (u32, u32)| stream.between(low.into(), high.into()) as u32;
        workload.clients = draw(self.clients);
        let pinned = draw(self.pinned);
        workload.pinned = if gentle { pinned } else { 0 };
        workload.data_ids = draw(self.data_ids);
        workload.pause_ms = stream.between(self.pause_ms.0, self.pause_ms.1);
        workload.hot_permille = stream.between(0, 600) as u32;
        workload.burst_permille = stream.between(0, 150) as u32;
        workload.reconnect_ms.1 = stream.between(workload.reconnect_ms.0, workload.reconnect_ms.1);
        workload.weights = self.weights(stream);
        for _ in 0..stream.between(0, self.storms_max.into()) {
            let kind = if stream.chance(700) { StormKind::Vanish } else { StormKind::Publish };
            let share_permille = stream.between(200, 900) as u32;
            workload.storms.push(Storm { at_ms: stream.below(chaos_ms), share_permille, kind });
        }
        let w = &workload;
        let clients = format!("{}, {} pinned, one operation in {} ms", w.clients, w.pinned, w.pause_ms);
        said.push(("clients".to_owned(), clients));
        said.push(("dataIds".to_owned(), format!("{}, hot {} in 1,000", w.data_ids, w.hot_permille)));
        said.push(("operations".to_owned(), operations(&w.weights)));
        said.push(("storms".to_owned(), w.storms.len().to_string()));
    }

    /// Somebody always publishes and subscribes: without that nothing can be seen.
    fn weights(&self, stream: &mut Stream) -> Weights {
        let mut weight = || if stream.chance(self.operation_permille) { stream.between(1, 20) } else { 0 };
        Weights {
            publish: weight().max(2),
            republish: weight(),
            unpublish: weight(),
            unpublish_absent: weight(),
            subscribe: weight().max(2),
            subscribe_twice: weight(),
            unsubscribe: weight(),
            read: weight(),
            close: weight() / 2,
            vanish: weight() / 2,
        }
    }

    fn faults(&self, scenario: &mut Scenario, gentle: bool, stream: &mut Stream, said: &mut Drawn) {
        let faults = &mut scenario.faults;
        let bounds = |stream: &mut Stream, (low, high): (u64, u64)| (low, stream.between(low, high));
        faults.gap_ms = bounds(stream, self.gap_ms);
        faults.duration_ms = bounds(stream, self.duration_ms);
        faults.overlap_permille = stream.between(0, self.overlap_permille_max.into()) as u32;
        if gentle {
            faults.gap_ms = (GENTLE_GAP_MS, GENTLE_GAP_MS.max(faults.gap_ms.1));
            faults.duration_ms = (faults.duration_ms.0.min(GENTLE_MS), faults.duration_ms.1.min(GENTLE_MS));
            faults.overlap_permille = 0;
            // Many short faults in a row are one long doubt.
            faults.patterns.retain(|pattern| !matches!(pattern, Pattern::Flapping | Pattern::DelaySpikes));
        }
        let (gap, held) = (faults.gap_ms, faults.duration_ms);
        let overlap = faults.overlap_permille;
        let rate = format!("{}-{} ms apart, {}-{} ms long, overlap {overlap} in 1,000", gap.0, gap.1, held.0, held.1);
        said.push(("rate of faults".to_owned(), rate));
    }
}

/// `publish 10, republish 3`: without those that are left out.
fn operations(weights: &Weights) -> String {
    let all = [
        ("publish", weights.publish),
        ("republish", weights.republish),
        ("unpublish", weights.unpublish),
        ("unpublish-absent", weights.unpublish_absent),
        ("subscribe", weights.subscribe),
        ("subscribe-twice", weights.subscribe_twice),
        ("unsubscribe", weights.unsubscribe),
        ("read", weights.read),
        ("close", weights.close),
        ("vanish", weights.vanish),
    ];
    let kept: Vec<String> =
        all.into_iter().filter(|(_, weight)| *weight > 0).map(|(name, weight)| format!("{name} {weight}")).collect();
    kept.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::plan::{Plan, SystemPlan};

    fn scenario() -> Scenario {
        Scenario::load("swarm", &[]).unwrap().0
    }

    #[test]
    fn seeds_differ_in_shape_load_and_faults_and_each_is_always_the_same() {
        let plan = |seed| Plan::draw(&scenario(), seed, None);
        assert_eq!(plan(7).hash(), plan(7).hash());
        let plans: Vec<Plan> = (0..40).map(plan).collect();
        let distinct = |key: &dyn Fn(&Plan) -> String| {
            let mut all: Vec<String> = plans.iter().map(key).collect();
            all.sort();
            all.dedup();
            all.len()
        };
        let drawn = |name: &'static str| {
            move |plan: &Plan| plan.drawn.iter().find(|(known, _)| known == name).unwrap().1.clone()
        };
        for (name, least) in [("nodes", 10), ("slots", 8), ("latency", 40), ("operations", 30), ("faults", 20)] {
            assert!(distinct(&drawn(name)) >= least, "{name}: {}", distinct(&drawn(name)));
        }
        assert!(plans.iter().all(|plan| matches!(&plan.system, SystemPlan::Registry(c) if c.replicas <= c.data)));
    }

    #[test]
    fn ranges_the_wrong_way_round_are_refused() {
        for (set, word) in [
            ("swarm.sessions=[3, 1]", "swarm.sessions"),
            ("swarm.pinned=[1, 50]", "swarm.pinned"),
            ("swarm.slots=[0, 2]", "swarm.slots"),
        ] {
            let error = Scenario::load("swarm", &[set.to_owned()]).err().unwrap();
            assert_eq!(error.code(), 2);
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
