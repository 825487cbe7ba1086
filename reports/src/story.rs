//! Sentences that the terminal and the page share.

use crate::digest::Digest;
use crate::facts::Run;
use crate::{format, names};
use checkers::{CheckResult, Convergence, Kind, Report, Verdict, Violation};
use history::{Header, Nanos};

/// Evidence lists are cut at this length by the checkers.
pub const EVIDENCE_MAX: usize = 200;

/// The verdict in one word.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Violation => "violation",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Error => "error",
    }
}

/// A kind of violation for a headline.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Phantom => "phantom address",
        Kind::Duplicate => "duplicate address",
        Kind::Ghost => "ghost address",
        Kind::Incomplete => "incomplete push",
        Kind::Stale => "stale view",
        Kind::Torn => "torn push",
        Kind::Backwards => "view went backwards",
        Kind::VersionFell => "version fell",
        Kind::Late => "late change",
        Kind::WrongAtEnd => "wrong at the end",
    }
}

/// What a kind of violation means, for who does not know the word.
pub fn kind_means(kind: Kind) -> &'static str {
    match kind {
        Kind::Phantom => "an element that nobody ever published, or of another dataId",
        Kind::Duplicate => "one publisher is there twice",
        Kind::Ghost => "an element that had been gone for longer than the bound",
        Kind::Incomplete => "a publisher that was there all along is missing",
        Kind::Stale => "the view did not follow in time",
        Kind::Torn => "each element is explained by some instant, but no single instant explains all",
        Kind::Backwards => "the view went back to an earlier state",
        Kind::VersionFell => "a push carried a lower version than the one before",
        Kind::Late => "a change took longer than the bound to be seen",
        Kind::WrongAtEnd => "the content was still wrong after everything had settled",
    }
}

/// Why the verdict is what it is, in a sentence or two.
pub fn why(run: &Run<'_>, digest: &Digest) -> String {
    match run.report.verdict {
        Verdict::Pass => passed(run, digest),
        Verdict::Violation => violated(run),
        Verdict::Inconclusive | Verdict::Error => {
            let mut reasons: Vec<String> = reasons(run);
            if reasons.is_empty() {
                reasons.push("no reason was given".to_owned());
            }
            sentence(&reasons.join("; "))
        }
    }
}

/// Why it is inconclusive or an error, each once.
pub fn reasons(run: &Run<'_>) -> Vec<String> {
    let mut all: Vec<String> = run.report.reasons.to_vec();
    // A reason is told once: those of checkers usually repeat each other's and the report's.
    let mut of_checks: Vec<(&str, Vec<&str>)> = Vec::new();
    for check in &run.report.checks {
        for reason in check.reason.iter().flat_map(|reasons| reasons.split("; ")) {
            match of_checks.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, checkers)) => checkers.push(&check.checker),
                None => of_checks.push((reason, vec![&check.checker])),
            }
        }
    }
    let known = |reason: &str| run.report.reasons.iter().any(|told| told.ends_with(reason));
    let new = of_checks.iter().filter(|(reason, _)| !known(reason));
    all.extend(new.map(|(reason, checkers)| format!("{}: {reason}", checkers.join(", "))));
    all.iter().map(|reason| names::clean_long(reason)).collect()
}

fn passed(run: &Run<'_>, digest: &Digest) -> String {
    // Checkers that judged the same things share one figure.
    let mut judged: Vec<(String, Vec<String>)> = Vec::new();
    for check in &run.report.checks {
        let what = format::counted(check.checked, &names::clean(&check.unit));
        let checker = names::clean(&check.checker);
        match judged.iter_mut().find(|(known, _)| *known == what) {
            Some((_, checkers)) => checkers.push(checker),
            None => judged.push((what, vec![checker])),
        }
    }
    let judged: Vec<String> =
        judged.into_iter().map(|(what, checkers)| format!("{what} ({})", checkers.join(", "))).collect();
    let faults = match (digest.bit(), digest.faults.len() as u64) {
        (_, 0) => "without any fault".to_owned(),
        (bit, all) if bit == all => format!("while {} bit", format::counted(all, "faults")),
        (bit, all) => format!("while {} of {} bit", format::count(bit), format::counted(all, "faults")),
    };
    format!("Everything that was judged holds, {faults}: {}.", names::list(&judged, usize::MAX))
}

fn violated(run: &Run<'_>) -> String {
    let found: Vec<String> = run
        .report
        .checks
        .iter()
        .filter(|check| check.violations > 0)
        .map(|check| {
            format!("{} found {}", names::clean(&check.checker), format::counted(check.violations, "violations"))
        })
        .collect();
    let found = if found.is_empty() { "a check failed".to_owned() } else { names::list(&found, usize::MAX) };
    match first_violation(run) {
        None => format!("{}.", capital(&found)),
        Some((_, first)) => format!(
            "{}. For example, at {}: {}",
            capital(&found),
            format::instant(first.time),
            sentence(&names::clean_long(&first.sentence))
        ),
    }
}

/// The first violation to tell: the earliest of those whose kind tells most.
pub fn first_violation<'a>(run: &Run<'a>) -> Option<(&'a CheckResult, &'a Violation)> {
    violations(run).into_iter().min_by_key(|(_, violation)| (rank(violation.kind), violation.time))
}

/// The earliest violation.
pub fn earliest(report: &Report) -> Option<&Violation> {
    let all = report.checks.iter().flat_map(|check| &check.examples);
    all.min_by_key(|violation| (violation.time, violation.kind, violation.client, violation.data))
}

/// Kinds that show what is wrong by themselves come before those that need an explanation.
pub fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Phantom | Kind::Duplicate | Kind::Ghost | Kind::Incomplete | Kind::Stale => 0,
        Kind::Backwards | Kind::VersionFell | Kind::WrongAtEnd => 1,
        Kind::Late | Kind::Torn => 2,
    }
}

/// All violations with evidence, checker by checker.
pub fn violations<'a>(run: &Run<'a>) -> Vec<(&'a CheckResult, &'a Violation)> {
    run.report.checks.iter().flat_map(|check| check.examples.iter().map(move |example| (check, example))).collect()
}

/// How many violations were counted.
pub fn violations_counted(run: &Run<'_>) -> u64 {
    run.report.checks.iter().map(|check| check.violations).sum()
}

/// First letter large, full stop at the end.
pub fn sentence(text: &str) -> String {
    let text = capital(text.trim());
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

/// Names stay as they are: only a word of lowercase letters gets a large first letter.
fn capital(text: &str) -> String {
    let word = text.split([' ', ':', ',', ';']).next().unwrap_or_default();
    if word.is_empty() || !word.chars().all(|c| c.is_ascii_lowercase()) {
        return text.to_owned();
    }
    format!("{}{}", word[..1].to_ascii_uppercase(), &text[1..])
}

/// Whose view a violation is about: `subscriber c17 through session-2`.
pub fn observer(header: &Header, violation: &Violation) -> String {
    let who = match violation.client {
        None => "a fresh reader".to_owned(),
        Some(client) => format!("subscriber {}", names::client(client)),
    };
    match violation.node {
        None => who,
        Some(node) => format!("{who} through {}", names::node(header, node)),
    }
}

/// `40 addresses`, or `at least 200 addresses` where the evidence was cut.
pub fn addresses(list: &[String]) -> String {
    let counted = format::counted(list.len() as u64, "addresses");
    if list.len() >= EVIDENCE_MAX { format!("at least {counted}") } else { counted }
}

/// The longest convergence and the fault that was active then, as the checkers attributed it.
pub fn worst(convergence: &Convergence, digest: &Digest) -> String {
    let all = &convergence.all;
    let began = all.max_at.saturating_sub(all.max);
    let overlap = |id: &u32| -> Option<Nanos> {
        let fault = digest.fault(*id)?;
        let until = fault.over(digest.end).min(all.max_at);
        Some(until.saturating_sub(fault.start.max(began)))
    };
    let blamed = convergence
        .under_fault
        .iter()
        .filter(|(_, under)| under.max == all.max && under.max_at == all.max_at)
        .map(|(id, _)| *id)
        .max_by_key(|id| (overlap(id), std::cmp::Reverse(*id)))
        .and_then(|id| digest.fault(id));
    match blamed {
        Some(fault) => format!("{} at {}", fault.title(), format::instant_short(fault.start)),
        None if all.max == convergence.calm.max => format!("in calm, at {}", format::instant_short(all.max_at)),
        None => format!("at {}", format::instant_short(all.max_at)),
    }
}

/// `5.0-10.5 s`: when the suspect was worse than its peers.
pub fn stretch(suspect: &checkers::suspect::Suspect) -> String {
    let tenths = |ms: u64| format!("{}.{}", ms / 1_000, ms / 100 % 10);
    format!("{}-{} s", tenths(suspect.from_ms), tenths(suspect.until_ms))
}
