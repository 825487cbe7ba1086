//! The metrics: what a probe tells Prometheus. Labels are servers, kinds and outcomes: their number is known from the start.

use crate::finding::Kind;
use crate::monitor::{Counts, Sample};
use history::NodeIx;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info};
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;

/// The content type of [`Figures::text`].
pub const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const BUCKETS_S: [f64; 14] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

type Real = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByServer {
    server: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    server: String,
    outcome: &'static str,
}

/// The figures. All of them are atomics: whoever scrapes holds nobody up.
pub struct Figures {
    registry: Registry,
    servers: Vec<String>,
    push_delay: Family<ByServer, Histogram>,
    changes: Family<ByServer, Counter>,
    within: Family<ByServer, Counter>,
    pushes: Family<ByServer, Counter>,
    push_bytes: Family<ByServer, Counter>,
    connects: Family<ByOutcome, Counter>,
    operations: Family<ByOutcome, Counter>,
    errors: Family<ByKind, Counter>,
    connected: Family<ByServer, Gauge>,
    canaries: Family<ByServer, Gauge>,
    suspect: Family<ByServer, Gauge>,
    last_success: Family<ByServer, Real>,
    incidents: Family<ByKind, Counter>,
    open: Family<ByKind, Gauge>,
    completeness: Real,
    judged: Real,
    missing: Gauge,
    ghosts: Gauge,
    wrong: Gauge,
    lag: Counter,
    evidence_errors: Counter,
    webhook_errors: Counter,
    reload_ok: Gauge,
    memory: Gauge,
}

impl Figures {
    /// Figures of a probe that watches these servers.
    pub fn new(servers: &[String]) -> Figures {
        let figures = Figures {
            registry: Registry::with_prefix("upheaval_probe"),
            servers: servers.to_vec(),
            push_delay: Family::new_with_constructor(|| Histogram::new(BUCKETS_S)),
            changes: Family::default(),
            within: Family::default(),
            pushes: Family::default(),
            push_bytes: Family::default(),
            connects: Family::default(),
            operations: Family::default(),
            errors: Family::default(),
            connected: Family::default(),
            canaries: Family::default(),
            suspect: Family::default(),
            last_success: Family::default(),
            incidents: Family::default(),
            open: Family::default(),
            completeness: Real::default(),
            judged: Real::default(),
            missing: Gauge::default(),
            ghosts: Gauge::default(),
            wrong: Gauge::default(),
            lag: Counter::default(),
            evidence_errors: Counter::default(),
            webhook_errors: Counter::default(),
            reload_ok: Gauge::default(),
            memory: Gauge::default(),
        };
        figures.zero();
        figures.registered()
    }

    /// Every series is there from the start, so that a rate never misses the first event.
    fn zero(&self) {
        for server in &self.servers {
            let by = ByServer { server: server.clone() };
            for counters in [&self.changes, &self.within, &self.pushes, &self.push_bytes] {
                drop(counters.get_or_create(&by));
            }
            for gauges in [&self.connected, &self.canaries, &self.suspect] {
                drop(gauges.get_or_create(&by));
            }
            drop(self.push_delay.get_or_create(&by));
            for outcome in ["ok", "fail", "info"] {
                let by = ByOutcome { server: server.clone(), outcome };
                drop(self.connects.get_or_create(&by));
                drop(self.operations.get_or_create(&by));
            }
        }
        for kind in Kind::ALL {
            let by = ByKind { kind: kind.name() };
            drop(self.incidents.get_or_create(&by));
            drop(self.open.get_or_create(&by));
        }
        self.completeness.set(f64::NAN);
        self.reload_ok.set(1);
    }

    fn registered(mut self) -> Figures {
        let r = &mut self.registry;
        let help = "From the acknowledgement of a change until a subscriber was pushed it";
        r.register_with_unit("push_delay", help, Unit::Seconds, self.push_delay.clone());
        let help = "Changes that a subscriber had to be shown, each once for each subscriber";
        r.register("changes", help, self.changes.clone());
        r.register("changes_within_objective", "Of these, those that it was shown in time", self.within.clone());
        r.register("pushes", "Contents pushed to canaries", self.pushes.clone());
        r.register_with_unit("push", "Bytes of content pushed to canaries", Unit::Bytes, self.push_bytes.clone());
        r.register("connects", "Attempts to connect, by outcome", self.connects.clone());
        r.register("operations", "Operations of canaries, by outcome", self.operations.clone());
        r.register("errors", "What went wrong, by kind", self.errors.clone());
        r.register("connected", "Canaries that are connected now", self.connected.clone());
        r.register("canaries", "Canaries that should be connected", self.canaries.clone());
        r.register("suspect", "1 for the server that explains best what is wrong", self.suspect.clone());
        let help = "When a server last did what it was asked for, in Unix time";
        r.register_with_unit("last_success_timestamp", help, Unit::Seconds, self.last_success.clone());
        r.register("incidents", "Incidents that began, by kind", self.incidents.clone());
        r.register("incidents_open", "Incidents that are open now", self.open.clone());
        let help = "Share of addresses that had to be shown and were; NaN where nothing can be judged";
        r.register("completeness_ratio", help, self.completeness.clone());
        let help =
            "Share of subscriptions whose view can be judged; what is not judged is unknown, neither right nor wrong";
        r.register("judged_ratio", help, self.judged.clone());
        r.register("missing_addresses", "Addresses that had to be shown and are not", self.missing.clone());
        r.register("ghost_addresses", "Addresses that are shown although they are gone", self.ghosts.clone());
        r.register("wrong_addresses", "Elements that the probe never published, or shown twice", self.wrong.clone());
        r.register("lag", "Times that the probe itself stood still for too long to judge", self.lag.clone());
        r.register("evidence_errors", "Evidence that could not be saved", self.evidence_errors.clone());
        r.register("webhook_errors", "Notifications that could not be delivered", self.webhook_errors.clone());
        r.register("config_reload_ok", "0 if the last reload was refused", self.reload_ok.clone());
        r.register_with_unit("resident_memory", "Memory of the probe", Unit::Bytes, self.memory.clone());
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        self.registry.register("build", "The program that measures", build);
        self
    }

    fn by(&self, node: NodeIx) -> ByServer {
        ByServer { server: self.servers.get(node as usize).cloned().unwrap_or_default() }
    }

    /// A change reached a subscriber, or did not in time.
    pub fn sample(&self, sample: &Sample) {
        let by = self.by(sample.node);
        self.changes.get_or_create(&by).inc();
        if let Some(took) = sample.took {
            self.within.get_or_create(&by).inc();
            self.push_delay.get_or_create(&by).observe(took as f64 / 1e9);
        }
    }

    /// A content was pushed.
    pub fn push(&self, node: NodeIx, bytes: u64) {
        let by = self.by(node);
        self.pushes.get_or_create(&by).inc();
        self.push_bytes.get_or_create(&by).inc_by(bytes);
    }

    /// An operation ended; `when` in Unix seconds.
    pub fn operation(&self, node: NodeIx, connect: bool, outcome: &'static str, when: f64) {
        let by = ByOutcome { server: self.by(node).server, outcome };
        let family = if connect { &self.connects } else { &self.operations };
        family.get_or_create(&by).inc();
        if outcome == "ok" {
            self.last_success.get_or_create(&self.by(node)).set(when);
        }
    }

    /// Something went wrong.
    pub fn error(&self, kind: &'static str) {
        self.errors.get_or_create(&ByKind { kind }).inc();
    }

    /// So many canaries of a server are connected, of so many.
    pub fn connected(&self, node: NodeIx, connected: usize, canaries: usize) {
        let by = self.by(node);
        self.connected.get_or_create(&by).set(connected as i64);
        self.canaries.get_or_create(&by).set(canaries as i64);
    }

    /// What a judgement counted, out of so many subscriptions.
    pub fn judged(&self, counts: &Counts, subscriptions: usize) {
        self.judged.set(ratio(counts.views, subscriptions as u64));
        self.completeness.set(ratio(counts.shown, counts.expected));
        self.missing.set((counts.expected - counts.shown) as i64);
        self.ghosts.set(counts.ghosts as i64);
        self.wrong.set(counts.wrong as i64);
    }

    /// The server that is suspected, if one is.
    pub fn suspect(&self, node: Option<NodeIx>) {
        for ix in 0..self.servers.len() as NodeIx {
            self.suspect.get_or_create(&self.by(ix)).set(i64::from(Some(ix) == node));
        }
    }

    /// An incident began.
    pub fn incident(&self, kind: Kind) {
        self.incidents.get_or_create(&ByKind { kind: kind.name() }).inc();
    }

    /// So many incidents of this kind are open.
    pub fn open(&self, kind: Kind, count: usize) {
        self.open.get_or_create(&ByKind { kind: kind.name() }).set(count as i64);
    }

    /// The probe stood still.
    pub fn lag(&self) {
        self.lag.inc();
    }

    /// Evidence could not be saved.
    pub fn evidence_error(&self) {
        self.evidence_errors.inc();
    }

    /// A notification could not be delivered.
    pub fn webhook_error(&self) {
        self.webhook_errors.inc();
    }

    /// How the last reload of the configuration went.
    pub fn reloaded(&self, ok: bool) {
        self.reload_ok.set(i64::from(ok));
    }

    /// Memory of this process.
    pub fn memory(&self, bytes: u64) {
        self.memory.set(bytes as i64);
    }

    /// All figures as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string fails only if an encoder does, and ours are all from the library.
        encode(&mut text, &self.registry).expect("metrics can be written to memory");
        text
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { f64::NAN } else { part as f64 / whole as f64 }
}
