//! The contract beside what was measured.

use super::checks::head;
use super::markup::Markup;
use crate::digest::Digest;
use crate::facts::Run;
use crate::{figures, format, story};
use checkers::Verdict;
use history::{Keeper, MILLI, Nanos};

/// A bound and what was measured of it.
struct Bound {
    name: &'static str,
    meaning: &'static str,
    promised_ms: Option<u64>,
    measured: Measured,
    /// Only an upper bound can be slack.
    upper: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Measured {
    Exactly(Nanos),
    AtLeast(Nanos),
    Nothing,
}

/// The section.
pub(super) fn section(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    m.open("section", &[("id", "contract")]);
    m.el("h2", &[], "Contract");
    m.open("div", &[("class", "wide")]);
    m.open("table", &[]);
    m.el(
        "caption",
        &[],
        "What the system promises beside what was measured. A bound wider than twice the measured maximum is slack.",
    );
    head(m, &[("Bound", ""), ("Promised", "number"), ("Measured", "number"), ("", ""), ("Meaning", "")]);
    m.open("tbody", &[]);
    for bound in bounds(run, digest) {
        bound_row(run, m, &bound);
    }
    m.close();
    m.close();
    m.close();
    promises(run, m);
    m.close();
}

fn bounds(run: &Run<'_>, digest: &Digest) -> Vec<Bound> {
    let contract = &run.header.contract;
    let upper =
        |name, meaning, promised_ms| Bound { name, meaning, promised_ms, measured: figure(run, name), upper: true };
    let lower = |name, meaning, promised_ms| Bound { upper: false, ..upper(name, meaning, promised_ms) };
    let mut bounds = vec![
        upper(
            "visible_ms_max",
            "an acknowledged change is in what subscribers see, in calm",
            Some(contract.visible_ms_max),
        ),
        upper("recovered_ms_max", "the same, counted from the end of the last fault", Some(contract.recovered_ms_max)),
        upper(
            "staleness_ms_max",
            "how old a view may be under a fault and while it recovers",
            contract.staleness_ms_max,
        ),
        lower(
            "lease_ms_min",
            "a registration outlives the last heartbeat by at least this",
            Some(contract.lease_ms_min),
        ),
        upper("lease_ms_max", "and by at most this", Some(contract.lease_ms_max)),
        upper(
            "in_flight_ms_max",
            "how long an unknown operation may still take effect",
            Some(contract.in_flight_ms_max),
        ),
    ];
    if let Some(lease) = contract.node_lease_ms_min {
        bounds.push(lower("node_lease_ms_min", "lease between the client's node and the rest", Some(lease)));
    }
    if let Some(reregister) = contract.reregister_ms_max {
        bounds.push(upper("reregister_ms_max", "a new session has registered everything again", Some(reregister)));
    }
    for bound in &mut bounds {
        if bound.measured == Measured::Nothing {
            bound.measured = from_convergence(run, digest, bound.name);
        }
    }
    bounds
}

/// Checkers that measure a bound say so in a figure `measured_<bound>`.
fn figure(run: &Run<'_>, name: &str) -> Measured {
    run.report
        .checks
        .iter()
        .find_map(|check| figures::whole(check, &format!("measured_{name}")))
        .map_or(Measured::Nothing, |ms| Measured::Exactly(ms.max(0) as u64 * MILLI))
}

/// What the distribution of convergence times tells about a bound.
fn from_convergence(run: &Run<'_>, digest: &Digest, name: &str) -> Measured {
    let Some(convergence) = &run.report.convergence else { return Measured::Nothing };
    match name {
        "visible_ms_max" if convergence.calm.count > 0 => Measured::Exactly(convergence.calm.max),
        // Only the slowest under each fault are known with their instants, so this is a lower bound.
        "recovered_ms_max" => convergence
            .under_fault
            .values()
            .filter(|under| under.count > 0)
            .map(|under| {
                let end = digest
                    .faults
                    .iter()
                    .filter(|fault| fault.start <= under.max_at)
                    .map(|fault| fault.over(digest.end))
                    .max();
                under.max_at.saturating_sub(end.unwrap_or(under.max_at))
            })
            .max()
            .filter(|longest| *longest > 0)
            .map_or(Measured::Nothing, Measured::AtLeast),
        _ => Measured::Nothing,
    }
}

/// Whether a checker found the bound slack; then this is not decided again.
fn slack(run: &Run<'_>, name: &str) -> Option<bool> {
    let mut checks = run.report.checks.iter().filter(|_| name == "visible_ms_max");
    checks.find_map(|check| figures::whole(check, "bound_is_slack")).map(|slack| slack != 0)
}

fn bound_row(run: &Run<'_>, m: &mut Markup, bound: &Bound) {
    m.open("tr", &[]);
    m.open("th", &[("scope", "row")]);
    m.el("code", &[], bound.name);
    m.close();
    m.el("td", &[("class", "number")], &bound.promised_ms.map_or_else(|| "no bound".to_owned(), format::duration_ms));
    let measured = match bound.measured {
        Measured::Exactly(time) => format::duration(time),
        Measured::AtLeast(time) => format!("at least {}", format::duration(time)),
        Measured::Nothing => "not measured".to_owned(),
    };
    let class = if bound.measured == Measured::Nothing { "number faint" } else { "number" };
    m.el("td", &[("class", class)], &measured);
    m.open("td", &[]);
    if let (Some(promised_ms), true) = (bound.promised_ms, bound.upper) {
        let promised = promised_ms.saturating_mul(MILLI);
        match bound.measured {
            Measured::Exactly(time) | Measured::AtLeast(time) if time > promised => over(run, m),
            Measured::Exactly(time) if slack(run, bound.name).unwrap_or(promised > time.saturating_mul(2)) => {
                m.el(
                    "span",
                    &[("class", "badge inconclusive"), ("title", "wider than twice the measured maximum")],
                    "! slack",
                );
            }
            _ => {}
        }
    }
    m.close();
    m.el("td", &[("class", "small")], bound.meaning);
    m.close();
}

/// Longer than promised. That alone is a violation only where a subscriber saw what came of it.
fn over(run: &Run<'_>, m: &mut Markup) {
    if run.report.verdict == Verdict::Violation {
        m.el("span", &[("class", "badge violation")], "✕ exceeded");
    } else {
        let seen_by_nobody = [("class", "badge inconclusive"), ("title", "longer than promised; no subscriber saw it")];
        m.el("span", &seen_by_nobody, "! over, seen by nobody");
    }
}

/// Promises without a number.
fn promises(run: &Run<'_>, m: &mut Markup) {
    let c = &run.header.contract;
    let promises = [
        (c.atomic_snapshots, "atomic snapshots", "snapshots may be torn"),
        (c.atomic_replace, "atomic replace", "no atomic replace"),
        (c.monotonic_pushes, "pushes never go back", "pushes may go back"),
        (c.monotonic_versions, "versions never fall", "versions may fall"),
        (c.stale_writes_rejected, "stale writes rejected", "stale writes may be applied"),
        (c.linearizable_reads, "linearizable reads", "reads may be stale"),
        (c.memory.is_none(), "the newest is never forgotten", "the newest may be forgotten with its last copy"),
        (!c.first_push_may_be_empty, "first push is whole", "first push may be empty"),
        (c.survives_node_loss, "survives the loss of a node", "does not survive the loss of a node"),
    ];
    let keeper = match c.lease_keeper {
        Keeper::OwnNode => "leases are kept by the client's own node",
        Keeper::AnyNode => "leases are kept by any node",
    };
    let restart = if c.lease_restarts_on_keeper_change { "they restart" } else { "they go on" };
    let leases = format!("{keeper}; when the keeper changes {restart}");
    m.open("ul", &[("class", "promises")]);
    for (promised, kept, not_kept) in promises {
        let (class, sign, text) = if promised { ("yes", "✓ ", kept) } else { ("no", "– ", not_kept) };
        m.open("li", &[("class", class)]);
        m.el("span", &[("class", "sign")], sign);
        m.text(text);
        m.close();
    }
    m.close();
    m.el("p", &[("class", "note")], &story::sentence(&leases));
}
