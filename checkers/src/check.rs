//! The whole check: prepares, judges each dataId, gathers.

use crate::changes::{Changes, Times};
use crate::content::Contents;
use crate::distribution::{Gauge, Gauges, Series};
use crate::evidence::Evidence;
use crate::finding::{Finding, Findings, Seen};
use crate::ground::Ground;
use crate::hearing::Hearing;
use crate::judge::{Judge, Shown, Stopped};
use crate::options::{Checker, Options};
use crate::presence::reregistered_after;
use crate::record::{Joined, Record};
use crate::span::Span;
use crate::sufficiency::{Seen as Sufficiency, reasons};
use crate::threads::{caught, on_threads};
use crate::trouble::{Horizon, Trouble, troubles};
use crate::verdict::{CheckResult, Convergence, Figure, Kind, Report, Verdict};
use crate::views::{Followed, Known, Unserved, Watched};
use crate::walk::{Shard, Walk};
use history::{DataIx, Event, Function, Header, MILLI, Nanos, Outcome, PhaseName, Source};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// So many events are looked at together before they are followed.
const TOGETHER: usize = 64;

/// Everything that is known before the first push.
struct Prepared<'a> {
    record: Record<'a>,
    contents: &'a Contents,
    troubles: Vec<Trouble>,
    horizon: Horizon,
    hearings: Vec<Hearing>,
    /// Reads that ended ok, by dataId.
    reads: FxHashMap<DataIx, Vec<usize>>,
}

/// The truth about one dataId, and what its contents are worth.
struct Truth {
    data: DataIx,
    ground: Ground,
    shown: Vec<Shown>,
    judged: Judged,
}

/// What came out for one dataId.
#[derive(Default)]
struct Judged {
    findings: Findings,
    times: Option<Times>,
    steps: u64,
    stopped: Option<Stopped>,
    /// Time of chaos during which pinned publishers had to be there, and the whole of it, summed.
    pinned: (u128, u128),
}

/// Checks a history. The result depends on nothing but the history and the options (not on `options.threads`).
pub fn check(header: &Header, events: &[Event], options: &Options) -> Report {
    check_source(header, &events, options)
}

/// Checks a history that need not be in memory: goes through it once for everything but its pushes and once more, on each
/// thread, for these. Memory grows with operations, contents and subscriptions, and not with pushes.
pub fn check_source(header: &Header, events: &dyn Source, options: &Options) -> Report {
    guarded(options, || checked(Record { header, joined: &Joined::of(events) }, events, options))
}

/// The same for a history whose events are joined already.
pub fn check_joined(header: &Header, joined: &Joined, events: &dyn Source, options: &Options) -> Report {
    guarded(options, || checked(Record { header, joined }, events, options))
}

/// A checker that breaks down has not passed.
fn guarded(options: &Options, work: impl FnOnce() -> Report) -> Report {
    caught(work).unwrap_or_else(|why| given_up(options, format!("the checkers broke down: {why}")))
}

fn given_up(options: &Options, reason: String) -> Report {
    let checks = options.checkers.iter().map(|c| CheckResult {
        checker: c.name().to_owned(),
        verdict: Verdict::Inconclusive,
        checked: 0,
        unit: unit(*c).to_owned(),
        violations: 0,
        examples: Vec::new(),
        figures: BTreeMap::new(),
        reason: Some(reason.clone()),
    });
    Report {
        verdict: Verdict::Inconclusive,
        checks: checks.collect(),
        reasons: vec![reason],
        convergence: None,
        suspect: None,
    }
}

fn unit(checker: Checker) -> &'static str {
    if checker == Checker::Convergence { "changes" } else { "pushes" }
}

impl<'a> Prepared<'a> {
    fn new(record: Record<'a>, options: &Options) -> Prepared<'a> {
        let troubles = troubles(&record.faults);
        let horizon = Horizon::new(&record.header.contract, options, &troubles);
        let hearings: Vec<Hearing> = record.sessions.iter().map(|s| Hearing::new(&record, s, &troubles)).collect();
        let mut reads: FxHashMap<DataIx, Vec<usize>> = FxHashMap::default();
        for (at, op) in record.ops.iter().enumerate() {
            if let (Function::Read, Outcome::Ok, Some(data)) = (op.f, op.outcome, op.data) {
                reads.entry(data).or_default().push(at);
            }
        }
        let contents = &record.joined.contents;
        Prepared { record, contents, troubles, horizon, hearings, reads }
    }

    /// DataIds with publishers or contents.
    fn data_ids(&self) -> Vec<DataIx> {
        let published = self.record.publishers.iter().map(|p| p.data);
        let known: BTreeSet<DataIx> = published.chain(self.contents.counts.keys().copied()).collect();
        known.into_iter().collect()
    }

    fn judge<'b>(&'b self, ground: &'b Ground, options: &Options) -> Judge<'a, 'b> {
        Judge::new(&self.record, self.contents, &self.horizon, ground, options.steps_max)
    }

    fn truth(&self, data: DataIx, options: &Options) -> Truth {
        let ground = Ground::new(&self.record, options, &self.horizon, &self.hearings, data);
        let mut judge = self.judge(&ground, options);
        let (shown, stopped) = match judge.survey(self.reads.get(&data).map_or(&[], Vec::as_slice)) {
            Ok(shown) => (shown, None),
            Err(stopped) => (Vec::new(), Some(stopped)),
        };
        let (findings, steps) = (judge.findings, judge.steps);
        let judged = Judged { findings, times: None, steps, stopped, pinned: self.pinned(&ground) };
        Truth { data, ground, shown, judged }
    }

    /// One pass over all pushes, for the dataIds of a shard.
    fn watch(&self, truths: &[Truth], events: &dyn Source, shard: Shard, options: &Options) -> Watched {
        let Prepared { record, contents, troubles, horizon, hearings, .. } = self;
        let known = Known { record, contents, horizon, hearings, options };
        let mine = truths.iter().filter(|t| t.judged.stopped.is_none() && shard.holds(t.data));
        let followed = mine.map(|t| {
            let series = Series::one_of(truths.len());
            let changes = Changes::new(record, contents, horizon, troubles, (&t.ground, &t.shown), series);
            (t.data, t.shown.as_slice(), changes)
        });
        let mut walk = Walk::new(known, shard, followed);
        match events.in_memory() {
            Some(events) => events.chunks(TOGETHER).for_each(|events| walk.see_all(events)),
            None => events.each(&mut |event| walk.see(event)),
        }
        walk.finish()
    }

    /// Adds what the pass found, and judges what it put aside.
    fn finish(&self, truth: Truth, followed: Option<Followed>, options: &Options) -> Judged {
        let mut judged = truth.judged;
        let Some(followed) = followed else { return judged };
        judged.steps += followed.steps;
        if !followed.aside.is_empty() {
            let mut judge = self.judge(&truth.ground, options);
            judged.stopped = judge.views(&followed.aside).err();
            judged.findings.merge(judge.findings);
            judged.steps += judge.steps;
        }
        judged.findings.merge(followed.findings);
        judged.times = Some(followed.times);
        judged
    }

    fn pinned(&self, ground: &Ground) -> (u128, u128) {
        let Some(chaos) = self.chaos() else { return (0, 0) };
        let mut sum = (0, 0);
        for (at, local) in ground.locals.iter().enumerate() {
            if self.record.header.pinned.contains(&self.record.publishers[ground.first + at].client) {
                sum.0 += u128::from(local.timeline.must_in(chaos));
                sum.1 += u128::from(chaos.to - chaos.from);
            }
        }
        sum
    }

    /// From chaos to heal.
    fn chaos(&self) -> Option<Span> {
        let phases = &self.record.phases;
        let from = *phases.get(&PhaseName::Chaos)?;
        let next = [PhaseName::Heal, PhaseName::Settle, PhaseName::Final, PhaseName::End];
        let to = next.iter().find_map(|p| phases.get(p)).copied().unwrap_or(self.record.end);
        (from < to).then(|| Span::new(from, to))
    }

    /// Everything about all dataIds. Who breaks down is a reason, and takes no other along.
    fn judge_all(&self, events: &dyn Source, options: &Options) -> (Watched, Vec<Result<Judged, String>>) {
        let because = |why: String| format!("the judge broke down: {why}");
        let mut out: Vec<Result<Judged, String>> = Vec::new();
        let mut truths: Vec<Truth> = Vec::new();
        for truth in on_threads(self.data_ids(), options.threads, |data| caught(|| self.truth(data, options))) {
            match truth {
                Ok(truth) => truths.push(truth),
                Err(why) => out.push(Err(because(why))),
            }
        }
        let shards = Shard::all(options.threads.clamp(1, truths.len().max(1)) as u32);
        let mut watched = Watched::default();
        for pass in on_threads(shards, options.threads, |shard| caught(|| self.watch(&truths, events, shard, options)))
        {
            match pass {
                Ok(pass) => watched.merge(pass),
                Err(why) => out.push(Err(because(why))),
            }
        }
        let with = |truth: Truth| {
            let followed = watched.followed.remove(&truth.data);
            (truth, followed)
        };
        let rest = truths.into_iter().map(with).collect();
        let finish = |(truth, followed)| caught(|| self.finish(truth, followed, options)).map_err(because);
        out.extend(on_threads(rest, options.threads, finish));
        (watched, out)
    }
}

fn add_unserved(unserved: &[Unserved], findings: &mut Findings) {
    for unserved in unserved {
        findings.push(Finding {
            kind: Kind::Stale,
            time: unserved.time,
            client: unserved.client,
            subscription: Some(unserved.subscription),
            node: None,
            data: unserved.data,
            content: None,
            version: None,
            seen: Seen::Nothing(unserved.forgotten),
            window: Span::new(unserved.since, unserved.time),
            concerned: Vec::new(),
            foreign: Vec::new(),
            amount: unserved.time - unserved.since,
        });
    }
}

/// Everything gathered from all dataIds.
struct Gathered {
    findings: Findings,
    convergence: Convergence,
    changes: u64,
    steps: u64,
    pinned: (u128, u128),
    reasons: Vec<String>,
}

fn gather(watched: &Watched, results: Vec<Result<Judged, String>>, options: &Options) -> Gathered {
    let mut out = Gathered {
        findings: Findings::default(),
        convergence: Convergence::default(),
        changes: 0,
        steps: 0,
        pinned: (0, 0),
        reasons: Vec::new(),
    };
    let mut series = Vec::new();
    for result in results {
        let judged = match result {
            Ok(judged) => judged,
            Err(reason) => {
                out.reasons.push(reason);
                continue;
            }
        };
        if let Some(Stopped::Damaged(id)) = judged.stopped {
            out.reasons.push(format!("content {id} removes what its base does not have: the history is damaged"));
        }
        out.findings.merge(judged.findings);
        out.steps += judged.steps;
        out.pinned = (out.pinned.0 + judged.pinned.0, out.pinned.1 + judged.pinned.1);
        let Some(times) = judged.times else { continue };
        out.changes += times.changes;
        out.convergence.samples += times.samples;
        out.convergence.coalesced += times.coalesced;
        out.convergence.unfinished += times.unfinished;
        series.push(times.series);
    }
    if out.steps > options.steps_max {
        out.reasons.push(format!("the check would take more than {} steps and gave up", options.steps_max));
    }
    let Gauges { calm, rough, under_fault } = &watched.gauges;
    let mut all = Gauge::default();
    all.merge(calm);
    all.merge(rough);
    out.convergence.all = all.distribution();
    out.convergence.calm = calm.distribution();
    out.convergence.under_fault = under_fault.iter().map(|(id, g)| (*id, g.distribution())).collect();
    out.convergence.series = Series::joined(series);
    add_unserved(&watched.unserved, &mut out.findings);
    out.findings.finish();
    out
}

fn checked(record: Record, events: &dyn Source, options: &Options) -> Report {
    if let Some(at) = record.goes_back {
        let reason =
            format!("event {} of the history is earlier than what clients saw before it: it is damaged", at + 1);
        return given_up(options, reason);
    }
    let prepared = Prepared::new(record, options);
    let (mut watched, results) = prepared.judge_all(events, options);
    watched.unserved.sort_by_key(|u| (u.time, u.client, u.subscription));
    let mut gathered = gather(&watched, results, options);
    let Prepared { record, contents, troubles, .. } = &prepared;
    let seen = Sufficiency::new(record, contents, troubles, &watched, gathered.pinned);
    gathered.reasons.extend(reasons(&seen, &prepared.record, options));
    let evidence = Evidence {
        record: &prepared.record,
        contents: prepared.contents,
        troubles: &prepared.troubles,
        hearings: &prepared.hearings,
        options,
    };
    let mut checkers = options.checkers.clone();
    checkers.sort_unstable();
    checkers.dedup();
    let checks: Vec<CheckResult> =
        checkers.iter().map(|c| result(*c, &prepared, &gathered, &seen, &evidence)).collect();
    let verdict = checks.iter().fold(Verdict::Pass, |v, c| v.merge(c.verdict));
    Report { verdict, checks, reasons: gathered.reasons, convergence: Some(gathered.convergence), suspect: None }
}

fn result(
    checker: Checker,
    prepared: &Prepared,
    gathered: &Gathered,
    seen: &Sufficiency,
    evidence: &Evidence,
) -> CheckResult {
    let counts = gathered.findings.counts.iter().filter(|c| Checker::of(*c.0) == checker);
    let violations: u64 = counts.clone().map(|c| c.1).sum();
    let mut figures: BTreeMap<String, Figure> =
        counts.map(|(k, n)| (format!("{}_count", name(*k)), Figure::Whole(*n as i64))).collect();
    figures.insert("judged_permille".to_owned(), Figure::Whole(seen.judged_permille()));
    if let Some(permille) = seen.pinned_must_permille() {
        figures.insert("pinned_must_permille".to_owned(), Figure::Whole(permille));
    }
    if checker == Checker::Convergence {
        convergence_figures(&mut figures, prepared, &gathered.convergence);
    }
    let inconclusive = !gathered.reasons.is_empty();
    CheckResult {
        checker: checker.name().to_owned(),
        verdict: match (violations, inconclusive) {
            (1.., _) => Verdict::Violation,
            (0, true) => Verdict::Inconclusive,
            (0, false) => Verdict::Pass,
        },
        checked: if checker == Checker::Convergence { gathered.changes } else { seen.pushes },
        unit: unit(checker).to_owned(),
        violations,
        examples: evidence.examples(checker, &gathered.findings),
        figures,
        reason: (violations == 0 && inconclusive).then(|| gathered.reasons.join("; ")),
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Phantom => "phantom",
        Kind::Duplicate => "duplicate",
        Kind::Ghost => "ghost",
        Kind::Incomplete => "incomplete",
        Kind::Stale => "stale",
        Kind::Torn => "torn",
        Kind::Backwards => "backwards",
        Kind::VersionFell => "version_fell",
        Kind::Late => "late",
        Kind::WrongAtEnd => "wrong_at_end",
    }
}

/// Times in milliseconds, the declared bound, and whether it is slack: wider than twice what was measured.
fn convergence_figures(figures: &mut BTreeMap<String, Figure>, prepared: &Prepared, convergence: &Convergence) {
    let ms = |t: Nanos| Figure::Real(t as f64 / MILLI as f64);
    let mut whole = |name: &str, n: u64| figures.insert(name.to_owned(), Figure::Whole(n as i64));
    whole("samples", convergence.samples);
    whole("coalesced", convergence.coalesced);
    whole("unfinished", convergence.unfinished);
    let bound = prepared.horizon.calm_age;
    if convergence.calm.count > 0 {
        whole("bound_is_slack", u64::from(bound > 2 * convergence.calm.max));
    }
    figures.insert("visible_ms_max".to_owned(), ms(bound));
    let mut times = |prefix: &str, d: &crate::verdict::Distribution| {
        if d.count > 0 {
            for (name, t) in [("p50", d.p50), ("p90", d.p90), ("p99", d.p99), ("p999", d.p999), ("max", d.max)] {
                figures.insert(format!("{prefix}{name}_ms"), ms(t));
            }
        }
    };
    times("", &convergence.all);
    times("calm_", &convergence.calm);
    let Prepared { record, hearings, .. } = prepared;
    let again = record.publishers.iter().filter_map(|p| reregistered_after(record, hearings, p)).max();
    if let (Some(again), Some(_)) = (again, record.header.contract.reregister_ms_max) {
        figures.insert("measured_reregister_ms_max".to_owned(), Figure::Whole(again.div_ceil(MILLI) as i64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checker_that_breaks_down_is_inconclusive() {
        let report = guarded(&Options::default(), || panic!("no {}", "luck"));
        assert_eq!(report.verdict, Verdict::Inconclusive);
        assert_eq!(report.checks.len(), 4);
        assert!(report.checks.iter().all(|c| c.verdict == Verdict::Inconclusive));
        assert_eq!(report.reasons, vec!["the checkers broke down: no luck"]);
    }
}
