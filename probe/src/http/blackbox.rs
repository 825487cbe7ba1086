//! `/probe?target=&module=`, in the blackbox exporter's manner: one look, now, at one server.

use crate::config::{Config, Secrets};
use crate::zookeeper;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::fmt::Write;

/// Looks and answers in Prometheus' text format. A failed look is an answer, too.
pub async fn look(config: &Config, secrets: &Secrets, node: u32) -> Response {
    let clock = zookeeper::Clock::start();
    let outcome = zookeeper::look(config, secrets, node).await;
    let took = clock.now() as f64 / 1e9;
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: f64| {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    };
    gauge("probe_success", "1 if a session was opened and answered", f64::from(u8::from(outcome.is_ok())));
    gauge("probe_duration_seconds", "How long the look took", took);
    if let Ok((connect, answer)) = &outcome {
        gauge("probe_connect_seconds", "Until the session was open", connect.as_secs_f64());
        gauge("probe_answer_seconds", "Until a request was answered", answer.as_secs_f64());
    }
    if let Err(why) = outcome {
        // Comments may hold anything but line breaks.
        let _ = writeln!(text, "# {}", reports::names::clean(&why));
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
