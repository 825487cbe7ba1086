//! How long a session is surely alive at the keeper of leases, possibly alive, and surely gone.
//!
//! *Surely heard*: connected and no fault on any hop to the keeper. From the last such instant plus `lease_ms_min` the
//! session may be gone; an operation of it that ends ok and was invoked later proves that it lived at its invocation, so
//! the lease starts again there, and from its ok on the registrations count as there again. Spans of silence that lie
//! closer together than a lease count as one: no heartbeat need have fallen in between.
//!
//! *Surely gone* only `lease_ms_max` after the last heartbeat that could have arrived: the end of the last connection, or
//! of an attempt to come back whose outcome is unknown (it may have reached the keeper). A fault on the way that is active
//! then may hold a heartbeat back until it ends, and where `lease_restarts_on_keeper_change` any fault at all may give a
//! full lease again at its end; each extension can reach the next fault, so this is a fixpoint.

use crate::record::{Record, Session};
use crate::span::{Span, joined, millis, without};
use crate::trouble::{Touch, Trouble};
use history::Nanos;

/// What is known about the life of one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hearing {
    /// Everything of the session may be gone: its lease may have run out.
    pub gone: Vec<Span>,
    /// The hop from the keeping node to the rest is impaired; joined.
    pub cut: Vec<Span>,
    /// Connected with no fault anywhere on the way.
    pub clean: Vec<Span>,
    /// The client's node was killed.
    pub killed: Vec<Nanos>,
    /// From then on nothing of the session is there (apart from operations in flight).
    pub absent: Option<Nanos>,
}

impl Hearing {
    pub fn new(record: &Record, session: &Session, troubles: &[Trouble]) -> Hearing {
        let contract = &record.header.contract;
        let lease = millis(contract.lease_ms_min);
        let (mut silent, mut cut) = (Vec::new(), Vec::new());
        for pair in session.stretches.windows(2) {
            silent.push(Span::new(pair[0].to, pair[1].from));
        }
        if let Some(last) = session.stretches.last().filter(|s| s.to != Nanos::MAX) {
            silent.push(Span::new(last.to, Nanos::MAX));
        }
        for stretch in &session.stretches {
            let connected = Span::new(stretch.from, stretch.to);
            for trouble in troubles {
                let Some(common) = trouble.span.common(connected) else { continue };
                match trouble.touch(record.header, session.client, stretch.node) {
                    Touch::Free => {}
                    Touch::Keeper => silent.push(common),
                    Touch::Rest => cut.push(common),
                    Touch::Both => {
                        silent.push(common);
                        cut.push(common);
                    }
                }
            }
        }
        silent.retain(|s| s.from < s.to);
        let holes = joined(silent.iter().chain(&cut).copied().collect(), 0);
        let clean = session.stretches.iter().flat_map(|s| without(Span::new(s.from, s.to), &holes)).collect();
        let absent = absent_from(record, session, troubles);
        let mut gone = gone_spans(&joined(silent, lease), lease, &session.proofs);
        if let Some(expired) = session.expired {
            gone.push(Span::new(expired, Nanos::MAX));
        }
        let node_lease = millis(contract.node_lease_ms_min.unwrap_or(contract.lease_ms_min));
        let killed = if contract.survives_node_loss { Vec::new() } else { kills(record, session, troubles) };
        Hearing { gone, cut: joined(cut, node_lease), clean, killed, absent }
    }

    /// As [`Hearing::gone`], for the hop behind the keeping node, which has a lease of its own: what the client's operations
    /// prove about its own node says nothing about that hop while it is cut; `accepted` are publishes of the registration
    /// itself, which passed it.
    pub fn gone_behind(&self, record: &Record, session: &Session, accepted: &[(Nanos, Nanos)]) -> Vec<Span> {
        if self.cut.is_empty() {
            return Vec::new();
        }
        let contract = &record.header.contract;
        let lease = millis(contract.node_lease_ms_min.unwrap_or(contract.lease_ms_min));
        let during_cut = |t: Nanos| self.cut.iter().any(|c| c.from <= t && t < c.to);
        let mut proofs: Vec<_> = session.proofs.iter().copied().filter(|p| !during_cut(p.0)).collect();
        proofs.extend_from_slice(accepted);
        gone_spans(&self.cut, lease, &proofs)
    }
}

/// For each span of silence: from which instant until which one the lease may have run out. `proofs` are (invoke, ok).
fn gone_spans(silent: &[Span], lease: Nanos, proofs: &[(Nanos, Nanos)]) -> Vec<Span> {
    let mut proofs = proofs.to_vec();
    proofs.sort_unstable_by_key(|p| p.1);
    let mut out = Vec::new();
    for span in silent {
        let mut base = span.from;
        // Runs from `base` to the next proof that moves it.
        let mut since = span.from;
        let first = proofs.partition_point(|p| p.1 < span.from);
        for &(invoke, ok) in &proofs[first..] {
            if base.saturating_add(lease) >= span.to {
                break;
            }
            if invoke > base {
                let lapse = base.saturating_add(lease).max(since);
                if lapse < ok {
                    out.push(Span::new(lapse, ok));
                }
                base = invoke;
                since = ok;
            }
        }
        let lapse = base.saturating_add(lease);
        if lapse < span.to {
            out.push(Span::new(lapse.max(since), Nanos::MAX));
        }
    }
    out
}

fn absent_from(record: &Record, session: &Session, troubles: &[Trouble]) -> Option<Nanos> {
    if session.closed.is_some() {
        return session.closed;
    }
    let contract = &record.header.contract;
    let last = session.stretches.last()?;
    if last.to == Nanos::MAX {
        return None;
    }
    let mut heartbeat = last.to.max(session.possible);
    for &(invoke, end) in record.attempts.get(&session.client).into_iter().flatten() {
        if end >= last.to && !connected_between(record, session, last.to, invoke) {
            heartbeat = heartbeat.max(end);
        }
    }
    let lease = millis(contract.lease_ms_max);
    let mut absent = heartbeat.saturating_add(lease);
    loop {
        let extended = troubles
            .iter()
            .filter(|t| t.span.meets(Span::new(last.to, absent)))
            .filter(|t| {
                contract.lease_restarts_on_keeper_change
                    || t.touch(record.header, session.client, last.node) != Touch::Free
            })
            .map(|t| t.span.to.saturating_add(lease))
            .fold(absent, Nanos::max);
        if extended == absent {
            break;
        }
        absent = extended;
    }
    (absent != Nanos::MAX).then_some(absent)
}

/// Whether the client had begun another session by `t`: later attempts to connect offer that one.
fn connected_between(record: &Record, session: &Session, from: Nanos, t: Nanos) -> bool {
    record.sessions_of(session.client).any(|s| s.stretches.iter().any(|x| x.from > from && x.from <= t))
}

fn kills(record: &Record, session: &Session, troubles: &[Trouble]) -> Vec<Nanos> {
    let begin = session.stretches.first().map_or(Nanos::MAX, |s| s.from);
    let mut out: Vec<Nanos> = troubles
        .iter()
        .filter(|t| t.span.from >= begin)
        .filter(|t| {
            let at = session.stretches.partition_point(|s| s.from <= t.span.from);
            // Just moved counts for both nodes: the registration may not have moved yet.
            session.stretches[at.saturating_sub(2)..at].iter().any(|s| t.kills(record.header, s.node))
        })
        .map(|t| t.span.from)
        .collect();
    out.sort_unstable();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_becomes_doubt_after_the_lease() {
        let silent = [Span::new(10, 30)];
        assert_eq!(gone_spans(&silent, 20, &[]), vec![]);
        assert_eq!(gone_spans(&silent, 5, &[]), vec![Span::new(15, Nanos::MAX)]);
        // A proof before the lapse moves it; one after it ends the doubt at its ok.
        assert_eq!(gone_spans(&silent, 5, &[(12, 13)]), vec![Span::new(17, Nanos::MAX)]);
        assert_eq!(gone_spans(&silent, 5, &[(27, 28)]), vec![Span::new(15, 28)]);
        assert_eq!(gone_spans(&silent, 5, &[(40, 44)]), vec![Span::new(15, 44)]);
        // Proven at 18 only, silent until 30: the doubt comes back at once.
        assert_eq!(gone_spans(&silent, 5, &[(18, 26)]), vec![Span::new(15, 26), Span::new(26, Nanos::MAX)]);
        // Invoked before the silence: proves nothing about it.
        assert_eq!(gone_spans(&silent, 5, &[(9, 20)]), vec![Span::new(15, Nanos::MAX)]);
    }
}
