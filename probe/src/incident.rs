//! Incidents: findings that belong together, from when until when, with what is needed to tell them.

use crate::finding::{Finding, Kind};
use crate::suspect::Opinion;
use history::{Nanos, SECOND};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An incident is over when nothing was found for this long.
const CLEAR: Nanos = 5 * SECOND;
/// What was open when the probe was stopped and is not found again by then is closed.
const CONFIRM: Nanos = 60 * SECOND;
/// An opinion about who is to blame forms within this time.
const FORMING: Nanos = 5 * SECOND;
/// So many are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 500;
/// So many different sentences of one incident are kept.
const DETAILS_MAX: usize = 12;
/// No sentence is longer, in characters.
const DETAIL_CHARS_MAX: usize = 300;

/// What became of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// It is saved as soon as the aftermath is recorded, too.
    Pending,
    /// It is in the folder of this incident.
    Saved {
        /// Which has it: incidents at the same time share theirs.
        id: String,
    },
    /// It could not be saved.
    Failed {
        /// Why.
        why: String,
    },
    /// It was removed to make room.
    Removed,
    /// The configuration has no folder.
    Off,
}

/// One incident. Everything in it is text that may be shown after escaping; values come from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// Its name: letters, digits and dashes that the probe made.
    pub id: String,
    /// What kind.
    pub kind: Kind,
    /// What it is about; the same incident has the same key after a restart.
    pub key: String,
    /// When it began, Unix time in milliseconds.
    pub opened_ms: i64,
    /// When it was over.
    pub closed_ms: Option<i64>,
    /// Servers through which it was seen.
    pub servers: BTreeSet<String>,
    /// The dataId.
    pub data: Option<String>,
    /// The canary whose value is concerned.
    pub publisher: Option<String>,
    /// Values that were missing or too many.
    pub values: BTreeSet<String>,
    /// What was seen, each once.
    pub details: Vec<String>,
    /// How often it was found.
    pub sightings: u64,
    /// The server that is suspected.
    pub suspect: Option<String>,
    /// Why, or why nobody is.
    pub why: String,
    /// What became of the evidence.
    pub evidence: Evidence,
    /// By the probe's clock: the condition began, and was seen last.
    #[serde(skip)]
    pub since: Nanos,
    #[serde(skip)]
    first: Nanos,
    #[serde(skip)]
    last: Nanos,
    /// It was open when an earlier probe stopped.
    #[serde(default)]
    pub carried_over: bool,
}

impl Incident {
    /// True while it goes on.
    pub fn is_open(&self) -> bool {
        self.closed_ms.is_none()
    }

    /// `Incomplete push on canary-0`.
    pub fn headline(&self) -> String {
        let mut line = self.kind.title().to_owned();
        if let Some(data) = &self.data {
            line.push_str(&format!(" on {data}"));
        } else if let (false, Some(server)) = (self.kind == Kind::Down || self.kind == Kind::Slow, self.servers.first())
        {
            line.push_str(&format!(" through {server}"));
        }
        line
    }
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A new incident.
    Opened(String),
    /// It is over.
    Closed(String),
}

/// Names for what findings number.
pub trait Names {
    /// Of a server.
    fn server(&self, ix: u32) -> String;
    /// Of a dataId.
    fn data(&self, ix: u32) -> String;
    /// Of a canary.
    fn canary(&self, id: u32) -> String;
}

/// All incidents that are remembered, oldest first.
#[derive(Debug, Default)]
pub struct Book {
    all: VecDeque<Incident>,
    serial: u64,
}

impl Book {
    /// With what an earlier probe left: what was open there goes on if it is found again, and is not counted twice.
    pub fn carried_over(mut earlier: Vec<Incident>) -> Book {
        for incident in earlier.iter_mut().filter(|incident| incident.is_open()) {
            (incident.carried_over, incident.since, incident.last) = (true, 0, 0);
        }
        Book { all: earlier.into(), serial: 0 }
    }

    /// All of them, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Incident> {
        self.all.iter()
    }

    /// The one of this name.
    pub fn find(&self, id: &str) -> Option<&Incident> {
        self.all.iter().find(|incident| incident.id == id)
    }

    /// How many are open, by kind.
    pub fn open(&self) -> BTreeMap<Kind, usize> {
        let mut open: BTreeMap<Kind, usize> = Kind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        self.all.iter().filter(|incident| incident.is_open()).for_each(|one| *open.entry(one.kind).or_default() += 1);
        open
    }

    /// What became of the evidence of these.
    pub fn evidence(&mut self, ids: &[String], evidence: &Evidence) {
        self.all.iter_mut().filter(|one| ids.contains(&one.id)).for_each(|one| one.evidence = evidence.clone());
    }

    /// The evidence in these folders is gone.
    pub fn forget_evidence(&mut self, folders: &[String]) {
        let gone = |one: &Incident| matches!(&one.evidence, Evidence::Saved { id } if folders.contains(id));
        self.all.iter_mut().filter(|one| gone(one)).for_each(|one| one.evidence = Evidence::Removed);
    }

    /// Takes what was found now; `saves` tells whether evidence will be saved. Incidents that were not seen for a while are closed.
    pub fn update(
        &mut self,
        now: Nanos,
        wall_ms: i64,
        findings: &[Finding],
        names: &dyn Names,
        saves: bool,
    ) -> Vec<News> {
        let mut news = Vec::new();
        for finding in findings {
            let key = key(finding, names);
            let at = match self.all.iter().rposition(|incident| incident.is_open() && incident.key == key) {
                Some(at) => at,
                None => {
                    self.serial += 1;
                    let incident = begun(finding, key, self.serial, wall_ms, names, saves);
                    news.push(News::Opened(incident.id.clone()));
                    self.all.push_back(incident);
                    self.all.len() - 1
                }
            };
            self.all[at].seen(now, finding, names);
        }
        for incident in self.all.iter_mut().filter(|incident| incident.is_open()) {
            let patience = if incident.carried_over && incident.last == 0 { CONFIRM } else { CLEAR };
            if now > incident.last + patience {
                incident.closed_ms = Some(wall_ms);
                news.push(News::Closed(incident.id.clone()));
            }
        }
        while self.all.len() > REMEMBERED {
            let old = self.all.iter().position(|incident| !incident.is_open()).unwrap_or(0);
            self.all.remove(old);
        }
        news
    }

    /// Who is suspected for what is open. What comes long after its beginning (others that go wrong, or recover one by one) says
    /// nothing about an incident any more.
    pub fn suspect(&mut self, now: Nanos, opinion: &Opinion, names: &dyn Names) {
        if opinion.why.is_empty() {
            return;
        }
        let fresh = |one: &Incident| one.why.is_empty() || now < one.first + FORMING;
        for incident in self.all.iter_mut().filter(|incident| incident.is_open() && fresh(incident)) {
            incident.suspect = opinion.server.map(|ix| names.server(ix));
            incident.why.clone_from(&opinion.why);
        }
    }
}

fn key(finding: &Finding, names: &dyn Names) -> String {
    let (kind, server, data, publisher) = finding.key();
    let name = |ix: Option<u32>, of: &dyn Fn(u32) -> String| ix.map(of).unwrap_or_default();
    let (server, data) = (name(server, &|ix| names.server(ix)), name(data, &|ix| names.data(ix)));
    format!("{}|{server}|{data}|{}", kind.name(), name(publisher, &|id| names.canary(id)))
}

fn begun(finding: &Finding, key: String, serial: u64, wall_ms: i64, names: &dyn Names, saves: bool) -> Incident {
    let kind = finding.kind;
    let content = kind.is_content();
    Incident {
        id: format!("{wall_ms}-{}-{serial}", kind.name()),
        kind,
        key,
        opened_ms: wall_ms,
        closed_ms: None,
        servers: BTreeSet::new(),
        data: finding.data.filter(|_| content).map(|ix| names.data(ix)),
        publisher: finding.publisher.filter(|_| content).map(|id| names.canary(id)),
        values: BTreeSet::new(),
        details: Vec::new(),
        sightings: 0,
        suspect: None,
        why: String::new(),
        evidence: if saves { Evidence::Pending } else { Evidence::Off },
        since: finding.since,
        first: 0,
        last: 0,
        carried_over: false,
    }
}

impl Incident {
    fn seen(&mut self, now: Nanos, finding: &Finding, names: &dyn Names) {
        if self.first == 0 {
            self.first = now;
        }
        self.last = now;
        self.sightings += 1;
        self.servers.extend(finding.server.map(|ix| names.server(ix)));
        if self.values.len() < DETAILS_MAX {
            self.values.extend(finding.value.as_ref().map(|value| shortened(value)));
        }
        if self.details.len() < DETAILS_MAX {
            let who = finding.observer.map(|id| format!("{}: ", names.canary(id))).unwrap_or_default();
            let detail = shortened(&format!("{who}{}", finding.detail));
            if !self.details.contains(&detail) {
                self.details.push(detail);
            }
        }
    }
}

/// As values and details of an incident are kept: cleaned, and not longer than some hundred characters.
pub fn shortened(text: &str) -> String {
    reports::names::clean_long(&text.chars().take(DETAIL_CHARS_MAX).collect::<String>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Plain;
    impl Names for Plain {
        fn server(&self, ix: u32) -> String {
            format!("n{ix}")
        }
        fn data(&self, ix: u32) -> String {
            format!("d{ix}")
        }
        fn canary(&self, id: u32) -> String {
            format!("c{id}")
        }
    }

    fn finding(server: u32) -> Finding {
        let (data, publisher) = (Some(0), Some(7));
        let value = Some("<b>".into());
        let detail = "gone\u{1b}[31m".to_owned();
        Finding {
            kind: Kind::Incomplete,
            server: Some(server),
            data,
            publisher,
            observer: Some(3),
            value,
            since: 1,
            detail,
        }
    }

    #[test]
    fn one_incident_for_all_who_see_it() {
        let mut book = Book::default();
        let news = book.update(SECOND, 1_000, &[finding(0), finding(1)], &Plain, true);
        assert_eq!(news.len(), 1);
        assert!(book.update(2 * SECOND, 2_000, &[finding(2)], &Plain, true).is_empty());
        let one = book.all().next().unwrap();
        assert_eq!((one.servers.len(), one.sightings, one.details.len()), (3, 3, 1));
        assert!(one.details[0].contains("\\u{1b}"), "{:?}", one.details);
        assert!(book.update(6 * SECOND, 6_000, &[], &Plain, true).is_empty());
        assert!(matches!(book.update(8 * SECOND, 8_000, &[], &Plain, true)[0], News::Closed(_)));
        assert_eq!(book.update(9 * SECOND, 9_000, &[finding(0)], &Plain, true).len(), 1, "the next one is another one");
    }

    #[test]
    fn a_restart_goes_on_with_what_was_open() {
        let mut book = Book::default();
        book.update(SECOND, 1_000, &[finding(0)], &Plain, true);
        let text = serde_json::to_string(&book.all().collect::<Vec<_>>()).unwrap();
        let mut book = Book::carried_over(serde_json::from_str(&text).unwrap());
        assert!(book.update(20 * SECOND, 30_000, &[], &Plain, true).is_empty(), "it has to see for itself first");
        assert!(book.update(21 * SECOND, 31_000, &[finding(1)], &Plain, true).is_empty(), "not counted twice");
        assert_eq!(book.all().count(), 1);
        let mut book = Book::carried_over(serde_json::from_str(&text).unwrap());
        assert!(matches!(book.update(61 * SECOND, 90_000, &[], &Plain, true)[0], News::Closed(_)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut book = Book::default();
        for round in 0..2_000u64 {
            let now = round * 20 * SECOND;
            let strange = Finding { value: Some(format!("v{round}").into()), detail: format!("{round}"), ..finding(0) };
            book.update(now, now as i64, &[strange], &Plain, false);
            book.update(now + 10 * SECOND, now as i64, &[], &Plain, false);
        }
        assert!(book.all().count() <= REMEMBERED);
    }
}
