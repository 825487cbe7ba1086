//! Dresses a violation for people: what was expected, what was shown, the trail of every publisher concerned.

use crate::content::Contents;
use crate::finding::{Finding, Findings, Seen, Story};
use crate::hearing::Hearing;
use crate::options::{Checker, Options};
use crate::presence::Timeline;
use crate::record::{Publisher, Record, What};
use crate::span::{Span, millis};
use crate::trouble::Trouble;
use crate::verdict::{Kind, TrailEntry, Violation};
use history::{ClientId, ConnectionState, Function, MILLI, Outcome};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

const NAMES_MAX: usize = 200;
const TRAIL_MAX: usize = 300;
const TRAIL_PUBLISHERS_MAX: usize = 10;

/// What evidence is made of.
pub(crate) struct Evidence<'a, 'b> {
    pub record: &'b Record<'a>,
    pub contents: &'b Contents,
    pub troubles: &'b [Trouble],
    pub hearings: &'b [Hearing],
    pub options: &'b Options,
}

impl Evidence<'_, '_> {
    /// The first violations of a checker, each kind in turn and each story once, the earliest first.
    pub fn examples(&self, checker: Checker, findings: &Findings) -> Vec<Violation> {
        let stale: FxHashSet<Story> =
            findings.kept.get(&Kind::Stale).into_iter().flatten().map(Finding::story).collect();
        let mut lists: Vec<Vec<&Finding>> = Vec::new();
        for (kind, list) in findings.kept.iter().filter(|k| Checker::of(*k.0) == checker) {
            // A late change and the stale view before it are the same story: told once, counted twice.
            let told = |f: &&Finding| *kind == Kind::Late && stale.contains(&f.story());
            let mut list: Vec<&Finding> = list.iter().filter(|f| !told(f)).collect();
            list.reverse();
            lists.push(list);
        }
        let mut chosen = Vec::new();
        while chosen.len() < self.options.examples_max && lists.iter().any(|l| !l.is_empty()) {
            for list in &mut lists {
                chosen.extend(list.pop());
            }
        }
        chosen.truncate(self.options.examples_max);
        chosen.sort_by_key(|f| (f.time, f.kind, f.client));
        chosen.into_iter().map(|f| self.violation(f)).collect()
    }

    fn violation(&self, f: &Finding) -> Violation {
        let shown_ids = f.content.map(|c| self.contents.whole(c)).unwrap_or_default();
        let expected = self.expected(f, &shown_ids);
        let text = |id: &u32| self.record.values[*id as usize].text.clone();
        let mut missing = BTreeSet::new();
        let mut extra: BTreeSet<String> = f.foreign.iter().map(text).collect();
        let order = Checker::of(f.kind) == Checker::Order;
        for (publisher, shown) in &f.concerned {
            match shown {
                Some(value) if !order => {
                    extra.insert(text(value));
                }
                _ => {}
            }
            if f.kind != Kind::Duplicate {
                if f.kind == Kind::Torn && shown.is_none() {
                    // There at the nearest instant, if not throughout.
                    let state = self.timeline(&self.record.publishers[*publisher]).at(f.time).clone();
                    missing.extend(state.values.first().map(text));
                }
                let must = expected.iter().filter(|e| e.0 == *publisher).map(|e| e.1);
                missing.extend(must.filter(|v| shown_ids.binary_search(v).is_err()).map(|v| text(&v)));
            }
        }
        let mut expected: Vec<String> = expected.iter().map(|e| text(&e.1)).collect();
        expected.sort();
        let mut shown: Vec<String> = shown_ids.iter().map(text).collect();
        shown.sort();
        let counts = (shown.len(), expected.len());
        let bounded = |names: Vec<String>| names.into_iter().take(NAMES_MAX).collect::<Vec<_>>();
        let role = self.role(f);
        Violation {
            kind: f.kind,
            time: f.time,
            client: match f.seen {
                Seen::Read(_) => None,
                _ => Some(f.client),
            },
            subscription: f.subscription,
            node: f.node,
            data: f.data,
            snapshot: f.content.map(|c| self.contents.all[c].id),
            version: f.version,
            sentence: self.sentence(f, counts, &missing, &extra),
            expected: bounded(expected),
            shown: bounded(shown),
            missing: bounded(missing.into_iter().collect()),
            extra: bounded(extra.into_iter().collect()),
            explained: self.explained(f),
            trail: self.trail(f),
            faults: self.troubles.iter().filter(|t| t.span.meets(self.around(f))).map(|t| t.id).collect(),
            role,
        }
    }

    /// The time that bears on it: its window, or if that is endless the last part of it.
    fn around(&self, f: &Finding) -> Span {
        let bound = self.record.header.contract.visible_ms_max.max(self.record.header.contract.recovered_ms_max);
        Span::new(f.window.from.max(f.time.saturating_sub(millis(bound))), f.time)
    }

    /// Publishers of the dataId that had to be there throughout, each with a value possible at the end: the one that is shown,
    /// or else the newest.
    fn expected(&self, f: &Finding, shown: &[u32]) -> Vec<(usize, u32)> {
        let place = |v: &&u32| self.record.values[**v as usize].owner.map(|owner| owner.1);
        let mut out = Vec::new();
        for at in self.record.publishers_of(f.data) {
            let timeline = self.timeline(&self.record.publishers[at]);
            let doubtful = timeline.spans(|s| s.none);
            if !crate::span::meets(&doubtful, f.window) {
                let possible = &timeline.after(f.time).values;
                let there = possible.iter().find(|v| shown.binary_search(v).is_ok());
                out.extend(there.or_else(|| possible.iter().max_by_key(place)).map(|v| (at, *v)));
            }
        }
        out
    }

    fn timeline(&self, publisher: &Publisher) -> Timeline {
        Timeline::new(self.record, self.options, self.hearings, publisher)
    }

    fn role(&self, f: &Finding) -> String {
        let Some(&(publisher, _)) = f.concerned.first() else { return "unknown".to_owned() };
        let client = self.record.publishers[publisher].client;
        let vanished = |op: &crate::record::Op| op.client == client && op.f == Function::Vanish && op.invoke <= f.time;
        if self.record.header.pinned.contains(&client) {
            "pinned".to_owned()
        } else if self.record.ops.iter().any(vanished) {
            "vanished".to_owned()
        } else {
            "churning".to_owned()
        }
    }

    fn sentence(
        &self,
        f: &Finding,
        counts: (usize, usize),
        missing: &BTreeSet<String>,
        extra: &BTreeSet<String>,
    ) -> String {
        let data = self.data_name(f);
        let node = f.node.and_then(|n| self.record.header.nodes.get(n as usize)).map(|n| format!(" on {}", n.name));
        let node = node.unwrap_or_default();
        let version = f.version.map(|v| format!(" (version {v})")).unwrap_or_default();
        let who = match f.seen {
            Seen::Read(_) => format!("a read of {data} by client {}{node} returned", f.client),
            Seen::Push(_) => format!("client {}{node} was pushed {data}{version} with", f.client),
            Seen::View(_) => format!("client {}{node} still had {data}{version} with", f.client),
            Seen::Nothing(_) => format!("client {}", f.client),
        };
        let lacking = named(missing);
        let odd = named(extra);
        let ms = f.amount / MILLI;
        match (f.kind, f.seen) {
            (_, Seen::Nothing(forgotten)) => {
                let why = if forgotten { ", and nothing asked again for it after the reconnect" } else { "" };
                format!("{who} was not pushed {data} for {ms} ms after it subscribed or came back{why}")
            }
            (Kind::Incomplete, _) => {
                format!("{who} {} addresses: {lacking} missing{}", counts.0, self.owed(f))
            }
            (Kind::Phantom, _) => format!("{who} {odd}, which nobody had published for it by then"),
            (Kind::Duplicate, _) => format!("{who} one publisher more than once: {odd}"),
            (Kind::Ghost, _) => format!("{who} {odd}, whose publisher was gone for longer than the bound"),
            (Kind::Torn, _) => {
                let not_then = |names: &BTreeSet<String>, what| match names.is_empty() {
                    true => String::new(),
                    false => format!(", {} {what}", named(names)),
                };
                let (lacking, odd) = (not_then(missing, "missing"), not_then(extra, "not there then"));
                format!(
                    "{who} {} addresses that were never all true at one instant; at the nearest{lacking}{odd}",
                    counts.0
                )
            }
            (Kind::Backwards, _) => {
                format!("{who} an earlier state of {} than it had been shown before", self.publishers(f))
            }
            (Kind::VersionFell, _) => format!("{who} a version below {}, which came before", f.amount),
            (Kind::Late, _) => {
                format!("{who} a change of {} only {ms} ms after it was acknowledged", self.publishers(f))
            }
            (Kind::Stale | Kind::WrongAtEnd, _) => {
                let mut parts = Vec::new();
                if !lacking.is_empty() {
                    parts.push(format!("{lacking} missing"));
                }
                if !odd.is_empty() {
                    parts.push(format!("{odd} still shown or wrong"));
                }
                if parts.is_empty() {
                    parts.push(format!("an outdated state of {}", self.publishers(f)));
                }
                let when = if f.kind == Kind::WrongAtEnd { "after everything settled " } else { "" };
                format!("{when}{who} {} addresses, {}{}", counts.0, parts.join(", "), self.owed(f))
            }
        }
    }

    /// If a publisher is missed only because its client owes it.
    fn owed(&self, f: &Finding) -> String {
        let debtor = f.concerned.iter().find_map(|(publisher, shown)| {
            let publisher = &self.record.publishers[*publisher];
            (shown.is_none() && self.timeline(publisher).at(f.time).owed).then_some(publisher.client)
        });
        debtor.map_or(String::new(), |c| format!("; client {c} came back in a new session and did not register again"))
    }

    fn publishers(&self, f: &Finding) -> String {
        let name = |p: &(usize, Option<u32>)| {
            let p = &self.record.publishers[p.0];
            format!("client {} registration {}", p.client, p.registration)
        };
        let names: BTreeSet<String> = f.concerned.iter().map(name).collect();
        named(&names)
    }

    fn data_name(&self, f: &Finding) -> String {
        let name = self.record.header.data_ids.get(f.data as usize).cloned();
        name.unwrap_or_else(|| format!("dataId {}", f.data))
    }

    fn explained(&self, f: &Finding) -> String {
        let ms = f.window.to.saturating_sub(f.window.from) / MILLI;
        match (f.kind, f.seen) {
            (_, Seen::Nothing(_)) => "a first push was due".to_owned(),
            (Kind::Phantom | Kind::Duplicate, _) => "by nothing, whatever the delay".to_owned(),
            (Kind::Backwards | Kind::VersionFell, _) => "by nothing that happened since the push before".to_owned(),
            (Kind::Torn, _) => format!("each by some instant, all by no instant in the last {ms} ms"),
            (_, Seen::Read(_)) => format!("by no instant in the {ms} ms up to its answer"),
            _ if f.window.from == 0 => "by no instant of the run".to_owned(),
            _ => format!("by no instant in the last {ms} ms"),
        }
    }

    fn trail(&self, f: &Finding) -> Vec<TrailEntry> {
        let mut publishers: Vec<usize> = f.concerned.iter().map(|c| c.0).collect();
        publishers.dedup();
        publishers.truncate(TRAIL_PUBLISHERS_MAX);
        let mut out = Vec::new();
        let mut clients: BTreeSet<ClientId> = BTreeSet::new();
        for at in publishers {
            let publisher = &self.record.publishers[at];
            clients.insert(publisher.client);
            out.extend(self.steps(publisher).into_iter().filter(|e| e.time <= f.time));
        }
        let mut losses: Vec<TrailEntry> = Vec::new();
        for &(time, client, state) in &self.record.connections {
            if time > f.time || !clients.contains(&client) {
                continue;
            }
            let what = match state {
                ConnectionState::Connected => "connected",
                ConnectionState::Resumed => "resumed",
                ConnectionState::Lost => "lost",
                ConnectionState::Expired => "expired",
                ConnectionState::Closed => "closed",
            };
            losses.push(entry(time, client, what));
        }
        for op in self.record.ops.iter().filter(|op| op.f == Function::Vanish) {
            if op.invoke <= f.time && clients.contains(&op.client) {
                losses.push(entry(op.invoke, op.client, "vanish"));
            }
        }
        out.extend(losses);
        out.sort_by_key(|e| (e.time, e.client, e.registration));
        // The latest say most.
        out.drain(..out.len().saturating_sub(TRAIL_MAX));
        out
    }

    fn steps(&self, publisher: &Publisher) -> Vec<TrailEntry> {
        let made = |step: &crate::record::Step| TrailEntry {
            end: (step.end != history::Nanos::MAX).then_some(step.end),
            registration: Some(publisher.registration),
            value: match step.what {
                What::Put(value) => Some(self.record.values[value as usize].text.clone()),
                What::Take | What::Close => None,
            },
            outcome: Some(
                match step.outcome {
                    Outcome::Ok => "ok",
                    Outcome::Fail => "fail",
                    Outcome::Info | Outcome::Invoke => "info",
                }
                .to_owned(),
            ),
            node: step.node,
            ..entry(
                step.invoke,
                publisher.client,
                match step.what {
                    What::Put(_) => "publish",
                    What::Take => "unpublish",
                    What::Close => "close",
                },
            )
        };
        publisher.steps.iter().map(made).collect()
    }
}

fn entry(time: history::Nanos, client: ClientId, what: &str) -> TrailEntry {
    TrailEntry {
        time,
        end: None,
        client,
        registration: None,
        what: what.to_owned(),
        value: None,
        outcome: None,
        node: None,
    }
}

/// The first few names, and how many more.
fn named(names: &BTreeSet<String>) -> String {
    let first: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    match names.len() {
        0..=3 => first.join(", "),
        n => format!("{} and {} more", first.join(", "), n - 3),
    }
}
