//! The whole check: prepares, judges each dataId, gathers.

use crate::changes::{Changes, Times};
use crate::content::Contents;
use crate::distribution::{Gauge, Series};
use crate::evidence::Evidence;
use crate::finding::{Finding, Findings, Seen};
use crate::ground::Ground;
use crate::hearing::Hearing;
use crate::judge::{Judge, Mine, Stopped};
use crate::options::{Checker, Options};
use crate::presence::reregistered_after;
use crate::record::Record;
use crate::span::Span;
use crate::sufficiency::{Seen as Sufficiency, reasons};
use crate::trouble::{Horizon, Trouble, troubles};
use crate::verdict::{CheckResult, Convergence, Figure, Kind, Report, Verdict};
use crate::views::Views;
use history::{DataIx, Event, Function, Header, MILLI, Nanos, Outcome, PhaseName};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Everything that is known before the first judgement.
struct Prepared<'a> {
    record: Record<'a>,
    contents: Contents,
    troubles: Vec<Trouble>,
    horizon: Horizon,
    hearings: Vec<Hearing>,
    views: Views,
    by_data: BTreeMap<DataIx, Mine>,
}

/// What came out for one dataId.
struct Judged {
    findings: Findings,
    times: Times,
    steps: u64,
    stopped: Option<Stopped>,
    /// Time of chaos during which pinned publishers had to be there, and the whole of it, summed.
    pinned: (u128, u128),
}

/// Checks a history. The result depends on nothing but the history and the options (not on `options.threads`).
pub fn check(header: &Header, events: &[Event], options: &Options) -> Report {
    if let Some(at) = goes_back(events) {
        let reason =
            format!("event {} of the history is earlier than what clients saw before it: it is damaged", at + 1);
        return given_up(options, reason);
    }
    guarded(options, || checked(header, events, options))
}

/// The first event of a client that is earlier than one before it. Faults and phases have clocks of their own.
fn goes_back(events: &[Event]) -> Option<usize> {
    let mut last = 0;
    let mut earlier = |time: Nanos| std::mem::replace(&mut last, time) > time;
    events.iter().position(|event| match event {
        Event::Op(op) => earlier(op.time),
        Event::Push(push) => earlier(push.time),
        Event::Connection(connection) => earlier(connection.time),
        _ => false,
    })
}

/// A checker that breaks down has not passed.
fn guarded(options: &Options, work: impl FnOnce() -> Report) -> Report {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(report) => report,
        Err(panic) => given_up(options, format!("the checkers broke down: {}", words(panic.as_ref()))),
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_else(|| "no reason given".to_owned())
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
    fn new(header: &'a Header, events: &'a [Event], options: &Options) -> Prepared<'a> {
        let mut record = Record::new(header, events);
        let contents = Contents::new(&mut record);
        let troubles = troubles(events);
        let horizon = Horizon::new(&header.contract, options, &troubles);
        let hearings: Vec<Hearing> = record.sessions.iter().map(|s| Hearing::new(&record, s, &troubles)).collect();
        let views = Views::new(&record, &contents, &horizon, &hearings, options);
        // Hashed while it is filled: every view has to find its dataId.
        let mut by_data: FxHashMap<DataIx, Mine> = FxHashMap::default();
        record.publishers.iter().for_each(|p| {
            by_data.entry(p.data).or_default();
        });
        contents.all.iter().for_each(|c| {
            by_data.entry(c.data).or_default();
        });
        for (at, view) in views.all.iter().enumerate() {
            by_data.entry(contents.all[view.content()].data).or_default().views.push(at as u32);
        }
        for (at, run) in views.runs.iter().enumerate() {
            by_data.entry(run.data).or_default().runs.push(at);
        }
        for (at, op) in record.ops.iter().enumerate() {
            if let (Function::Read, Outcome::Ok, Some(data)) = (op.f, op.outcome, op.data) {
                by_data.entry(data).or_default().reads.push(at);
            }
        }
        let by_data = by_data.into_iter().collect();
        Prepared { record, contents, troubles, horizon, hearings, views, by_data }
    }

    fn judge(&self, data: DataIx, options: &Options) -> Judged {
        let ground = Ground::new(&self.record, options, &self.horizon, &self.hearings, data);
        let mine = &self.by_data[&data];
        let mut judge =
            Judge::new(&self.record, &self.contents, &self.horizon, &self.views, &ground, options.steps_max);
        let stopped = judge.run(mine).err();
        let mut changes = Changes::new(&self.record, &self.horizon, &self.troubles, &self.views, &ground, &judge.pairs);
        if stopped.is_none() {
            changes.run(mine);
        }
        let (times, steps) = (changes.times, judge.steps + changes.steps);
        let mut findings = judge.findings;
        findings.merge(changes.findings);
        Judged { findings, times, steps, stopped, pinned: self.pinned(&ground) }
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

    /// All dataIds, on so many threads; the order of the results is that of the dataIds.
    fn judge_all(&self, options: &Options) -> Vec<Result<Judged, String>> {
        let datas: Vec<DataIx> = self.by_data.keys().copied().collect();
        let results: Vec<Mutex<Option<Result<Judged, String>>>> = datas.iter().map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((&data, slot)) = {
                let at = next.fetch_add(1, Ordering::Relaxed);
                datas.get(at).zip(results.get(at))
            } {
                let judged = catch_unwind(AssertUnwindSafe(|| self.judge(data, options)));
                let judged = judged.map_err(|p| format!("judging dataId {data} broke down: {}", words(p.as_ref())));
                *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(judged);
            }
        };
        let threads = options.threads.clamp(1, datas.len().max(1));
        std::thread::scope(|scope| {
            (1..threads).for_each(|_| {
                scope.spawn(work);
            });
            work();
        });
        let taken = results.into_iter().map(|r| r.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
        taken.map(|r| r.unwrap_or_else(|| Err("a dataId was not judged".to_owned()))).collect()
    }

    fn add_unserved(&self, findings: &mut Findings) {
        for unserved in &self.views.unserved {
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

fn gather(prepared: &Prepared, results: Vec<Result<Judged, String>>, options: &Options) -> Gathered {
    let mut out = Gathered {
        findings: Findings::default(),
        convergence: Convergence::default(),
        changes: 0,
        steps: 0,
        pinned: (0, 0),
        reasons: Vec::new(),
    };
    let (mut all, mut calm, mut under) = (Gauge::new(), Gauge::new(), BTreeMap::<u32, Gauge>::new());
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
        out.changes += judged.times.changes;
        out.convergence.samples += judged.times.samples;
        out.convergence.coalesced += judged.times.coalesced;
        out.convergence.unfinished += judged.times.unfinished;
        all.merge(&judged.times.all);
        calm.merge(&judged.times.calm);
        for (id, gauge) in &judged.times.under_fault {
            under.entry(*id).or_insert_with(Gauge::new).merge(gauge);
        }
        series.push(judged.times.series);
    }
    if out.steps > options.steps_max {
        out.reasons.push(format!("the check would take more than {} steps and gave up", options.steps_max));
    }
    out.convergence.all = all.distribution();
    out.convergence.calm = calm.distribution();
    out.convergence.under_fault = under.into_iter().map(|(id, g)| (id, g.distribution())).collect();
    out.convergence.series = Series::joined(series);
    prepared.add_unserved(&mut out.findings);
    out.findings.finish();
    out
}

fn checked(header: &Header, events: &[Event], options: &Options) -> Report {
    let prepared = Prepared::new(header, events, options);
    let results = prepared.judge_all(options);
    let mut gathered = gather(&prepared, results, options);
    let seen = Sufficiency::new(
        &prepared.record,
        &prepared.contents,
        &prepared.troubles,
        &prepared.horizon,
        &prepared.views,
        gathered.pinned,
    );
    gathered.reasons.extend(reasons(&seen, &prepared.record, options));
    let evidence = Evidence {
        record: &prepared.record,
        contents: &prepared.contents,
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
