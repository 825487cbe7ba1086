//! What is wrong with servers, not with contents: connections, answers, and how slow everything is.

use super::Engine;
use super::canary::Canary;
use crate::finding::{Finding, Kind};
use history::{Function, MILLI, Nanos, SECOND};

/// Canaries get this long to connect at the start before their absence is an incident.
const START: Nanos = 5 * SECOND;
/// A connection that breaks and is back within this is an error in the metrics, no incident.
const BLINK: Nanos = 1_500 * MILLI;
/// If nothing anywhere succeeded for this long the registry is down.
const DOWN: Nanos = 3 * SECOND;

impl Engine {
    /// What is wrong with servers, not with contents.
    pub(super) fn servers(&self, now: Nanos, findings: &mut Vec<Finding>) {
        let of = |kind, canary: Option<&Canary>, since, detail| Finding {
            kind,
            server: canary.map(|canary| canary.node),
            data: None,
            publisher: None,
            observer: canary.map(|canary| canary.id),
            value: None,
            since,
            detail,
        };
        let answer = self.config.objectives.answer_ms * MILLI;
        for canary in &self.canaries {
            let begun = self.started + START;
            if let Some(since) = canary.cut_since.filter(|since| now > begun && now > since + BLINK) {
                findings.push(of(Kind::LostConnection, Some(canary), since, canary.cut_why.clone()));
            }
            if let Some(open) =
                canary.open.as_ref().filter(|open| now > open.since + answer && open.f != Function::Connect)
            {
                let detail = format!("{} has not been answered", history::word(&open.f));
                findings.push(of(Kind::Silence, Some(canary), open.since, detail));
            }
        }
        let success = self.succeeded.unwrap_or(self.started + START);
        if now > success + DOWN {
            let detail = "nothing succeeded on any server; what subscribers would be shown is unknown".to_owned();
            findings.push(of(Kind::Down, None, success, detail));
        }
        let objective = self.config.objectives.push_p99_ms * MILLI;
        if let Some(p99) = self.delays.p99(now).filter(|p99| *p99 > objective) {
            let told = if p99 == Nanos::MAX { "never".to_owned() } else { format!("{} ms", p99 / MILLI) };
            let detail = format!("p99 of push delays in five minutes: {told}, objective {} ms", objective / MILLI);
            findings.push(of(Kind::Slow, None, now, detail));
        }
    }
}
