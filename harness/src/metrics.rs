//! Figures of one run for Prometheus, served while it goes.
//!
//! The server has a thread and a small runtime of its own, so that neither executor of the master knows of it. Whoever
//! feeds the figures only touches atomics; what is derived from them is worked out when somebody asks.

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use history::{FaultKind, Function, Outcome, word};
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info};
use prometheus_client::registry::{Registry, Unit};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, atomic::AtomicU64};
use std::thread::JoinHandle;
use std::time::SystemTime;
use thiserror::Error;
use tokio::sync::oneshot;

const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why metrics cannot be served.
#[derive(Debug, Error)]
pub enum MetricsError {
    /// Somebody else has the port.
    #[error("cannot serve metrics on {0}: the port is in use; choose another one, or port 0 for any free one")]
    PortInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot serve metrics on {address}: {source}; choose an address of this machine")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The server's thread or runtime does not start.
    #[error("cannot start the server for metrics: {0}")]
    Start(io::Error),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    function: String,
    outcome: String,
}

type Ratio = Gauge<f64, AtomicU64>;

/// The figures. Clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Figures>);

struct Figures {
    registry: Registry,
    pushes: Counter,
    push_bytes: Counter,
    push_delay: Histogram,
    complete: Counter,
    completeness: Ratio,
    within: Counter,
    beyond: Counter,
    convergence: Ratio,
    faults: Family<ByKind, Counter>,
    injected: Family<ByKind, Ratio>,
    operations: Family<ByOutcome, Counter>,
    connected: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Figures of a run that has not begun.
    pub fn new() -> Self {
        // 1 ms to 65 s, each bucket twice as wide as the one before.
        let push_delay = Histogram::new(exponential_buckets(0.001, 2.0, 17));
        let mut figures = Figures {
            registry: Registry::with_prefix("upheaval"),
            pushes: Counter::default(),
            push_bytes: Counter::default(),
            push_delay,
            complete: Counter::default(),
            completeness: Ratio::default(),
            within: Counter::default(),
            beyond: Counter::default(),
            convergence: Ratio::default(),
            faults: Family::default(),
            injected: Family::default(),
            operations: Family::default(),
            connected: Gauge::default(),
        };
        figures.register();
        Metrics(Arc::new(figures))
    }

    /// A subscriber was pushed so many bytes of content; how long after the change that it shows was acknowledged, where
    /// that is known; whether everything was in it that surely had to be.
    pub fn push(&self, delay_ns: Option<u64>, bytes: u64, complete: bool) {
        self.0.pushes.inc();
        self.0.push_bytes.inc_by(bytes);
        self.0.complete.inc_by(u64::from(complete));
        if let Some(delay_ns) = delay_ns {
            self.0.push_delay.observe(delay_ns as f64 / 1e9);
        }
    }

    /// A change reached a subscriber, within the bound or later.
    pub fn converged(&self, within_bound: bool) {
        if within_bound {
            self.0.within.inc()
        } else {
            self.0.beyond.inc()
        };
    }

    /// A fault is injected now.
    pub fn fault(&self, kind: FaultKind) {
        let kind = ByKind { kind: word(&kind) };
        self.0.faults.get_or_create(&kind).inc();
        self.0.injected.get_or_create(&kind).set(unix_seconds());
    }

    /// An operation was invoked or ended.
    pub fn operation(&self, f: Function, outcome: Outcome) {
        let labels = ByOutcome { function: word(&f), outcome: word(&outcome) };
        self.0.operations.get_or_create(&labels).inc();
    }

    /// So many clients are connected.
    pub fn connected(&self, clients: usize) {
        self.0.connected.set(i64::try_from(clients).unwrap_or(i64::MAX));
    }

    /// All figures as OpenMetrics text.
    pub fn text(&self) -> String {
        let figures = &*self.0;
        figures.completeness.set(ratio(figures.complete.get(), figures.pushes.get()));
        let (within, beyond) = (figures.within.get(), figures.beyond.get());
        figures.convergence.set(ratio(within, within + beyond));
        let mut text = String::new();
        // Writing to a string fails only if an encoder does, and ours are all from the library.
        encode(&mut text, &figures.registry).expect("metrics can be written to memory");
        text
    }

    /// Serves the figures at `/metrics` until the server is dropped.
    pub fn serve(&self, address: SocketAddr) -> Result<Server, MetricsError> {
        let listener = TcpListener::bind(address).map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => MetricsError::PortInUse(address),
            _ => MetricsError::Bind { address, source },
        })?;
        listener.set_nonblocking(true).map_err(MetricsError::Start)?;
        let address = listener.local_addr().map_err(MetricsError::Start)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(MetricsError::Start)?;
        let metrics = self.clone();
        let answer = move || async move { ([(CONTENT_TYPE, TEXT)], metrics.text()) };
        let router = Router::new().route("/metrics", get(answer));
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            // Not a graceful end: a scraper that keeps its connection open must not hold up the run's.
            tokio::select! {
                ended = axum::serve(listener, router) => ended,
                _ = stopped => Ok(()),
            }
        };
        let body = move || {
            if let Err(error) = runtime.block_on(serve) {
                tracing::warn!("metrics are not served any more: {error}");
            }
        };
        let thread = std::thread::Builder::new().name("metrics".into()).spawn(body).map_err(MetricsError::Start)?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Figures {
    fn register(&mut self) {
        let Figures { registry, .. } = self;
        registry.register("pushes", "Contents pushed to subscribers", self.pushes.clone());
        registry.register_with_unit("push", "Bytes of content pushed", Unit::Bytes, self.push_bytes.clone());
        let help = "From the acknowledgement of a change until a subscriber was pushed it";
        registry.register_with_unit("push_delay", help, Unit::Seconds, self.push_delay.clone());
        registry.register("pushes_complete", "Pushes with everything that had to be in them", self.complete.clone());
        registry.register("completeness_ratio", "Share of pushes that were complete", self.completeness.clone());
        let help = "Changes that reached a subscriber within the bound";
        registry.register("convergence_within_bound", help, self.within.clone());
        let help = "Changes that reached a subscriber later than the bound";
        registry.register("convergence_beyond_bound", help, self.beyond.clone());
        let help = "Share of changes that reached a subscriber within the bound";
        registry.register("convergence_within_bound_ratio", help, self.convergence.clone());
        registry.register("faults", "Faults injected", self.faults.clone());
        let help = "When a fault of this kind was last injected, in Unix time";
        registry.register_with_unit("fault_injection_timestamp", help, Unit::Seconds, self.injected.clone());
        registry.register("operations", "Operations of clients by outcome", self.operations.clone());
        registry.register("clients_connected", "Clients connected now", self.connected.clone());
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that measures", build);
    }
}

/// Nothing of nothing is no number, neither good nor bad.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { f64::NAN } else { part as f64 / whole as f64 }
}

#[allow(clippy::disallowed_methods, reason = "dashboards show wall time; nothing that decides sees it")]
fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Serves until it is dropped.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Where it serves, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn scrape(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn figures_are_scraped_over_loopback() {
        let metrics = Metrics::new();
        let server = metrics.serve("127.0.0.1:0".parse().unwrap()).unwrap();
        let before = scrape(server.address(), "/metrics");
        assert!(before.contains("\nupheaval_completeness_ratio NaN\n"), "{before}");

        metrics.push(Some(3_000_000), 1_000, true);
        metrics.push(None, 24, false);
        metrics.push(Some(2_500_000_000), 0, true);
        metrics.push(None, 0, true);
        metrics.converged(true);
        metrics.converged(false);
        metrics.fault(FaultKind::ClockStep);
        metrics.fault(FaultKind::ClockStep);
        metrics.operation(Function::Publish, Outcome::Ok);
        metrics.connected(17);
        let answer = scrape(server.address(), "/metrics");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("content-type: application/openmetrics-text"), "{answer}");
        for line in [
            "upheaval_pushes_total 4",
            "upheaval_push_bytes_total 1024",
            "upheaval_push_delay_seconds_count 2",
            "upheaval_push_delay_seconds_sum 2.503",
            "upheaval_push_delay_seconds_bucket{le=\"0.002\"} 0",
            "upheaval_push_delay_seconds_bucket{le=\"0.004\"} 1",
            "upheaval_push_delay_seconds_bucket{le=\"+Inf\"} 2",
            "upheaval_completeness_ratio 0.75",
            "upheaval_convergence_within_bound_total 1",
            "upheaval_convergence_beyond_bound_total 1",
            "upheaval_convergence_within_bound_ratio 0.5",
            "upheaval_faults_total{kind=\"clock-step\"} 2",
            "upheaval_operations_total{function=\"publish\",outcome=\"ok\"} 1",
            "upheaval_clients_connected 17",
            "# EOF",
        ] {
            assert!(answer.lines().any(|found| found == line), "no {line:?} in\n{answer}");
        }
        let build = format!("upheaval_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
        assert!(answer.contains(&build), "{answer}");
        let instant = answer
            .lines()
            .find_map(|line| line.strip_prefix("upheaval_fault_injection_timestamp_seconds{kind=\"clock-step\"} "));
        let instant: f64 = instant.unwrap().parse().unwrap();
        assert!((unix_seconds() - instant).abs() < 60.0, "{instant}");
        assert!(scrape(server.address(), "/").starts_with("HTTP/1.1 404"));
    }

    #[test]
    fn a_port_in_use_is_named_and_free_again_after_the_end() {
        let metrics = Metrics::new();
        let server = metrics.serve("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = server.address();
        let error = metrics.serve(address).err().unwrap();
        assert!(matches!(error, MetricsError::PortInUse(named) if named == address), "{error}");
        // A scraper that never hangs up does not hold up the end.
        let open = TcpStream::connect(address).unwrap();
        drop(server);
        drop(open);
        assert!(TcpStream::connect(address).is_err());
        assert!(metrics.serve(address).is_ok());
        let nowhere = metrics.serve("192.0.2.1:1".parse().unwrap()).err().unwrap();
        assert!(nowhere.to_string().contains("192.0.2.1:1"), "{nowhere}");
    }
}
