//! What the probe serves: metrics, looks at single servers, health, and the incidents as plain pages.
//!
//! Nobody can change anything here. Everything that came from outside is escaped, the pages run no script and load nothing,
//! and files are handed out by fixed names from folders that the probe itself named.

mod auth;
mod blackbox;
mod gate;
mod page;

use crate::config::{Config, Secrets};
use crate::engine::Status;
use crate::evidence::{FILES, story_file};
use crate::figures::{Figures, TEXT};
use crate::incident::{Evidence, Incident};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Semaphore;

pub use gate::{CONNECTIONS_MAX, Gate};

/// What pages show; the probe puts a new one up every second and whenever an incident begins or ends.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Where things stand.
    pub status: Status,
    /// Newest first.
    pub incidents: Vec<Incident>,
    /// The stories of open incidents that are not saved yet.
    pub stories: BTreeMap<String, Vec<String>>,
    /// Unix time, milliseconds.
    pub now_ms: i64,
    /// What went wrong with the probe itself, if something did.
    pub troubles: Vec<String>,
}

/// What all requests share.
pub struct App {
    /// The metrics.
    pub figures: Arc<Figures>,
    /// What pages show.
    pub board: RwLock<Arc<Board>>,
    config: Config,
    secrets: Secrets,
    /// One look at a time: `/probe` is no way to flood the registry.
    looks: Semaphore,
}

impl App {
    /// With an empty board.
    pub fn new(figures: Arc<Figures>, config: Config, secrets: Secrets) -> App {
        App { figures, board: RwLock::default(), config, secrets, looks: Semaphore::new(1) }
    }

    /// Puts up a new board.
    pub fn show(&self, board: Board) {
        *self.board.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(board);
    }

    fn board(&self) -> Arc<Board> {
        self.board.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/incidents/{id}", get(incident))
        .route("/incidents/{id}/{file}", get(file))
        .route("/metrics", get(metrics))
        .route("/probe", get(probe))
        .route("/readyz", get(ready))
        .layer(middleware::from_fn_with_state(app.clone(), auth::check))
        // Who asks whether the process lives needs no token, and learns nothing else.
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(middleware::map_response(hardened))
        .with_state(app)
}

async fn hardened(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(policy));
    response
}

fn html(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

async fn index(State(app): State<Arc<App>>) -> Response {
    html(page::index(&app.board()))
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, TEXT)], app.figures.text()).into_response()
}

async fn incident(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    let board = app.board();
    let Some(incident) = board.incidents.iter().find(|one| one.id == id) else { return missing() };
    let story = match (board.stories.get(&id), folder(&app, incident)) {
        (Some(lines), _) => lines.clone(),
        (None, Some(folder)) => {
            let text = tokio::fs::read_to_string(folder.join(story_file(&incident.id))).await.unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        }
        (None, None) => Vec::new(),
    };
    html(page::incident(incident, &story))
}

/// The folder of an incident. Its name comes from the book of incidents, never from the request.
fn folder(app: &App, incident: &Incident) -> Option<PathBuf> {
    match &incident.evidence {
        Evidence::Saved { id } => Some(app.config.evidence.folder.as_ref()?.join(id)),
        _ => None,
    }
}

async fn file(State(app): State<Arc<App>>, Path((id, name)): Path<(String, String)>) -> Response {
    let board = app.board();
    let known = FILES.iter().find(|(known, _)| *known == name);
    let found = board.incidents.iter().find(|one| one.id == id).and_then(|one| folder(&app, one));
    let (Some((name, kind)), Some(folder)) = (known, found) else { return missing() };
    match tokio::fs::read(folder.join(name)).await {
        Ok(bytes) => {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            if *name == "report.html" {
                // It has a policy of its own, with the hash of its script.
                let policy = HeaderValue::from_static("frame-ancestors 'none'");
                headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            (headers, bytes).into_response()
        }
        Err(_) => missing(),
    }
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, "there is no such page\n").into_response()
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    let board = app.board();
    let connected: usize = board.status.servers.iter().map(|server| server.connected).sum();
    let judged = board.status.counts.views;
    let text = format!("{connected} canaries connected, {judged} of {} views judged\n", board.status.subscriptions);
    let code = if connected > 0 && judged > 0 { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, text).into_response()
}

async fn probe(State(app): State<Arc<App>>, Query(asked): Query<BTreeMap<String, String>>) -> Response {
    let module = asked.get("module").map_or("session", String::as_str);
    let Some(target) = asked.get("target") else {
        return (StatusCode::BAD_REQUEST, "target is missing: /probe?target=host:port\n").into_response();
    };
    if module != "session" {
        return (StatusCode::BAD_REQUEST, "there is one module: session\n").into_response();
    }
    // Only what the configuration names: this is no way to reach into the network.
    let Some(node) = app.config.registry.addresses.iter().position(|address| address == target) else {
        return (StatusCode::BAD_REQUEST, "this target is not one of registry.addresses\n").into_response();
    };
    let Ok(_one_at_a_time) = app.looks.acquire().await else { return missing() };
    blackbox::look(&app.config, &app.secrets, node as u32).await
}
