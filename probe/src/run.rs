//! The probe with its surroundings: clock, registry, HTTP, disk, signals.

#![allow(clippy::disallowed_methods, reason = "this is the shell: it lives in real time")]

use crate::config::{Config, ConfigError, Secrets};
use crate::engine::{Engine, NameTable, Role};
use crate::evidence::{self, Store, Window};
use crate::finding::Kind;
use crate::http::{App, Board, Gate, router};
use crate::incident::{Evidence, Incident, News};
use crate::story;
use crate::webhook;
use crate::zookeeper::{Clock, ZooKeeper};
use history::{Nanos, SECOND};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How long canaries have to give their sessions back.
const LEAVE: Nanos = 5 * SECOND;
/// Evidence is saved no more often than this.
const SAVE_EVERY: Nanos = 15 * SECOND;
/// Notifications under way; more are dropped and counted.
const NOTIFICATIONS_MAX: usize = 32;

/// Why a probe does not run.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The namespace belongs to somebody else.
    #[error("{0}")]
    Namespace(String),
    /// The host: a port in use, a folder that cannot be made.
    #[error("{0}")]
    Host(String),
}

impl ProbeError {
    /// Exit code of the program: 2 for mistakes of the configuration, 4 for the host.
    pub fn exit_code(&self) -> u8 {
        match self {
            ProbeError::Config(_) | ProbeError::Namespace(_) => 2,
            ProbeError::Host(_) => 4,
        }
    }
}

/// What became of evidence.
struct Kept {
    ids: Vec<String>,
    folder: String,
    outcome: Result<Vec<String>, String>,
}

struct Shell {
    path: PathBuf,
    secrets: Secrets,
    engine: Engine,
    clock: Clock,
    store: Option<Store>,
    app: Arc<App>,
    pending: Vec<String>,
    save_at: Option<Nanos>,
    saved_at: Option<Nanos>,
    saving: bool,
    kept: Sender<Kept>,
    shown_at: Nanos,
    troubles: BTreeMap<&'static str, String>,
    notifications: Arc<tokio::sync::Semaphore>,
}

/// Runs a probe until SIGTERM or SIGINT, or for so long; the exit code. Without a duration it is 0. With one it is 3 if no server
/// could be reached and nothing was judged at its end, 1 if there was an incident, and 0 otherwise.
pub fn run(path: &Path, duration: Option<Duration>) -> Result<u8, ProbeError> {
    let (config, secrets) = Config::load(path)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| ProbeError::Host(format!("cannot start: {error}")))?;
    let code = runtime.block_on(probe(path.to_owned(), config, secrets, duration));
    // A look-up of a name that hangs must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

fn instance() -> Result<String, ProbeError> {
    let mut bytes = [0; 6];
    let read =
        std::fs::File::open("/dev/urandom").and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes));
    read.map_err(|error| ProbeError::Host(format!("/dev/urandom: {error}")))?;
    Ok(bytes.iter().fold("i-".to_owned(), |name, byte| format!("{name}{byte:02x}")))
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}

async fn probe(path: PathBuf, config: Config, secrets: Secrets, duration: Option<Duration>) -> Result<u8, ProbeError> {
    let host = |error: std::io::Error| ProbeError::Host(error.to_string());
    let mut reload = signal(SignalKind::hangup()).map_err(host)?;
    let mut end = [signal(SignalKind::terminate()).map_err(host)?, signal(SignalKind::interrupt()).map_err(host)?];
    let store = config.evidence.folder.as_deref().map(Store::open).transpose().map_err(ProbeError::Host)?;
    let gate = Gate::bind(config.http.listen, secrets.http_tls.clone()).await.map_err(ProbeError::Host)?;
    let address = gate.address();
    let scheme = if config.http.tls.is_some() { "https" } else { "http" };
    let (clock, instance) = (Clock::start(), instance()?);
    let canaries = config.registry.addresses.len() * Role::ALL.len();
    let (zookeeper, mut sightings) = ZooKeeper::new(&config, &secrets, &instance, clock, canaries);
    zookeeper.preflight().await.map_err(ProbeError::Namespace)?;
    let earlier = store.as_ref().map(Store::earlier).unwrap_or_default();
    let engine = Engine::new(config.clone(), &instance, clock.now(), earlier);
    let app = Arc::new(App::new(engine.figures.clone(), config, secrets.clone()));
    let server = tokio::spawn({
        let router = router(app.clone());
        async move { axum::serve(gate, router).await }
    });
    tracing::info!("probe {instance} serves {scheme}://{address}/");
    let (kept, mut saved) = channel(4);
    let notifications = Arc::new(tokio::sync::Semaphore::new(NOTIFICATIONS_MAX));
    let mut shell = Shell {
        path,
        secrets,
        engine,
        clock,
        store,
        app,
        pending: Vec::new(),
        save_at: None,
        saved_at: None,
        saving: false,
        kept,
        shown_at: 0,
        troubles: BTreeMap::new(),
        notifications,
    };
    let until = duration.map(|duration| clock.now() + duration.as_nanos() as Nanos);
    shell.watch(&zookeeper, &mut sightings, &mut saved, &mut reload, &mut end, until).await;
    let code = shell.verdict(until.is_some());
    shell.leave(zookeeper, &mut sightings, &mut saved).await;
    server.abort();
    Ok(code)
}

impl Shell {
    async fn watch(
        &mut self,
        zookeeper: &ZooKeeper,
        sightings: &mut Receiver<crate::ask::Sighting>,
        saved: &mut Receiver<Kept>,
        reload: &mut Signal,
        [term, int]: &mut [Signal; 2],
        until: Option<Nanos>,
    ) {
        loop {
            self.turn(zookeeper, sightings);
            if until.is_some_and(|until| self.clock.now() >= until) {
                return;
            }
            let due = self.engine.next_due().min(self.save_at.unwrap_or(Nanos::MAX));
            let sleep = self.clock.until(due).max(Duration::from_millis(1));
            tokio::select! {
                Some(sighting) = sightings.recv() => self.engine.observe(sighting),
                () = tokio::time::sleep(sleep) => {}
                Some(kept) = saved.recv() => self.kept(kept),
                _ = reload.recv() => self.reload(),
                _ = term.recv() => return,
                _ = int.recv() => return,
            }
        }
    }

    /// Everything that was seen, everything that is due.
    fn turn(&mut self, zookeeper: &ZooKeeper, sightings: &mut Receiver<crate::ask::Sighting>) {
        while let Ok(sighting) = sightings.try_recv() {
            self.engine.observe(sighting);
        }
        let now = self.clock.now();
        for call in self.engine.act(now, wall_ms()) {
            zookeeper.ask(call);
        }
        let news = self.engine.take_news();
        for one in &news {
            self.heed(now, one);
        }
        if self.save_at.is_some_and(|at| now >= at) && !self.saving {
            self.save();
        }
        // While something is wrong, what is known of it changes with every look.
        let every = if self.engine.book().all().any(Incident::is_open) { crate::engine::TICK } else { SECOND };
        if !news.is_empty() || now >= self.shown_at + every {
            self.show(now);
        }
        if !news.is_empty() {
            self.note();
        }
    }

    fn heed(&mut self, now: Nanos, news: &News) {
        let (News::Opened(id) | News::Closed(id)) = news;
        let Some(incident) = self.engine.book().find(id).cloned() else { return };
        let detail = incident.details.first().cloned().unwrap_or_default();
        match news {
            News::Opened(_) => {
                tracing::warn!("incident {id}: {}: {detail}", incident.headline());
                if self.store.is_some() {
                    self.pending.push(id.clone());
                    let after = now + self.engine.config().evidence.after_s * SECOND;
                    let at = self.saved_at.map_or(after, |saved| after.max(saved + SAVE_EVERY));
                    self.save_at.get_or_insert(at);
                }
            }
            News::Closed(_) => tracing::warn!("incident {id} is over"),
        }
        let body = webhook::body(&incident, self.engine.config());
        for (webhook, secrets) in self.engine.config().webhooks.iter().zip(self.secrets.webhooks.iter().cloned()) {
            let figures = self.engine.figures.clone();
            let Ok(permit) = self.notifications.clone().try_acquire_owned() else {
                figures.webhook_error();
                continue;
            };
            let (url, body) = (webhook.url.clone(), body.clone());
            tokio::spawn(async move {
                if let Err(why) = webhook::deliver(&url, &secrets, &body).await {
                    tracing::warn!("webhook {url}: {why}");
                    figures.webhook_error();
                }
                drop(permit);
            });
        }
    }

    fn tell(&self, incident: &Incident) -> Vec<String> {
        story::tell(incident, &NameTable(self.engine.config()), self.engine.flight().records())
    }

    fn save(&mut self) {
        self.save_at = None;
        let ids = std::mem::take(&mut self.pending);
        let first = ids.iter().find_map(|id| self.engine.book().find(id)).cloned();
        let (Some(incident), Some(store)) = (first, &self.store) else { return };
        let found = ids.iter().filter_map(|id| self.engine.book().find(id));
        let stories = found.map(|one| (one.id.clone(), self.tell(one))).collect();
        let (_, events) = self.engine.flight().history();
        let folder = incident.id.clone();
        let window = Window { incident, header: self.engine.header(), events, stories };
        let (place, disk_bytes) = (store.folder().to_owned(), self.engine.config().evidence.disk_bytes);
        let kept = self.kept.clone();
        self.saving = true;
        tokio::spawn(async move {
            let work = tokio::task::spawn_blocking(move || evidence::save(&place, disk_bytes, &window)).await;
            let outcome = work.unwrap_or_else(|_| Err("saving broke down".to_owned()));
            // At the end of the probe nobody waits for it any more.
            let _ended = kept.send(Kept { ids, folder, outcome }).await;
        });
    }

    fn kept(&mut self, kept: Kept) {
        self.saving = false;
        self.saved_at = Some(self.clock.now());
        let evidence = match kept.outcome {
            Ok(removed) => {
                self.troubles.remove("evidence");
                self.engine.book_mut().forget_evidence(&removed);
                Evidence::Saved { id: kept.folder }
            }
            Err(why) => {
                tracing::warn!("evidence cannot be saved: {why}");
                self.engine.figures.evidence_error();
                self.troubles.insert("evidence", format!("Evidence cannot be saved: {why}"));
                Evidence::Failed { why }
            }
        };
        self.engine.book_mut().evidence(&kept.ids, &evidence);
        if !self.pending.is_empty() {
            self.save_at.get_or_insert(self.clock.now() + SAVE_EVERY);
        }
        self.note();
        self.show(self.clock.now());
    }

    /// Notes incidents for the next start.
    fn note(&mut self) {
        let Some(store) = &self.store else { return };
        let all: Vec<Incident> = self.engine.book().all().cloned().collect();
        if let Err(error) = store.note(&all) {
            tracing::warn!("incidents cannot be noted: {error}");
            self.engine.figures.evidence_error();
            self.troubles.insert("note", format!("Incidents cannot be noted for the next start: {error}"));
        } else {
            self.troubles.remove("note");
        }
    }

    fn show(&mut self, now: Nanos) {
        self.shown_at = now;
        let unsaved = self.engine.book().all().rev().filter(|one| !matches!(one.evidence, Evidence::Saved { .. }));
        let stories =
            unsaved.take(10).filter(|one| one.is_open()).map(|one| (one.id.clone(), self.tell(one))).collect();
        if let Ok(text) = std::fs::read_to_string("/proc/self/statm") {
            let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default();
            self.engine.figures.memory(pages * 4_096);
        }
        self.app.show(Board {
            status: self.engine.status(),
            incidents: self.engine.book().all().rev().cloned().collect(),
            stories,
            now_ms: wall_ms(),
            troubles: self.troubles.values().cloned().collect(),
        });
    }

    fn reload(&mut self) {
        match Config::load(&self.path) {
            Ok((config, secrets)) => {
                let same_folder = config.evidence.folder == self.engine.config().evidence.folder;
                let mut config = config;
                config.evidence.folder.clone_from(&self.engine.config().evidence.folder);
                let mut kept = self.engine.reload(self.clock.now(), config);
                if !same_folder {
                    kept.push("evidence.folder");
                }
                self.secrets.webhooks = secrets.webhooks;
                self.engine.figures.reloaded(kept.is_empty());
                self.troubles.remove("reload");
                tracing::warn!("configuration reloaded");
                if !kept.is_empty() {
                    let why = format!("Reloaded, but {} cannot change without a restart", kept.join(", "));
                    tracing::warn!("{why}");
                    self.troubles.insert("reload", why);
                }
            }
            Err(error) => {
                tracing::warn!("the new configuration is refused, the old one stays: {error}");
                self.engine.figures.reloaded(false);
                self.troubles.insert("reload", format!("The new configuration is refused, the old one stays: {error}"));
            }
        }
    }

    /// With a duration: what the time showed.
    fn verdict(&self, timed: bool) -> u8 {
        let mine = self.engine.book().all().filter(|one| !one.carried_over);
        let kinds: Vec<Kind> = mine.map(|one| one.kind).collect();
        let unreachable = |kind: &Kind| matches!(kind, Kind::Down | Kind::LostConnection | Kind::Silence);
        match self.engine.counts().views {
            _ if !timed => 0,
            // Who could not look knows nothing, neither good nor bad.
            0 if kinds.iter().all(unreachable) => 3,
            _ => u8::from(!kinds.is_empty()),
        }
    }

    /// Gives every session back, removes every trace, saves what is not saved.
    async fn leave(
        mut self,
        zookeeper: ZooKeeper,
        sightings: &mut Receiver<crate::ask::Sighting>,
        saved: &mut Receiver<Kept>,
    ) {
        if !self.pending.is_empty() && !self.saving {
            self.save();
        }
        self.engine.stop();
        let deadline = self.clock.now() + LEAVE;
        while !self.engine.stopped() && self.clock.now() < deadline {
            self.turn(&zookeeper, sightings);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if let Err(why) = zookeeper.remove().await {
            tracing::warn!("what is left in the registry goes with its sessions: {why}");
        }
        if self.saving
            && let Ok(Some(kept)) = tokio::time::timeout(Duration::from_secs(30), saved.recv()).await
        {
            self.kept(kept);
        }
        self.note();
    }
}
