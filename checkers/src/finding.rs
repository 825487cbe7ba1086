//! Violations before they are dressed as evidence: small, many, counted.

use crate::span::Span;
use crate::verdict::Kind;
use crate::views::View;
use history::{ClientId, DataIx, Nanos, NodeIx};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// Where it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    /// In the push with this index.
    Push(usize),
    /// In the view that came with this push, later.
    View(usize),
    /// In the read with this operation index.
    Read(usize),
    /// In a push that did not come; true if nothing was asked again after a reconnect.
    Nothing(bool),
}

/// One violation.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub kind: Kind,
    pub time: Nanos,
    pub client: ClientId,
    pub subscription: Option<u32>,
    pub node: Option<NodeIx>,
    pub data: DataIx,
    pub content: Option<usize>,
    pub version: Option<u64>,
    pub seen: Seen,
    /// The instants that could have explained it.
    pub window: Span,
    /// Publishers concerned, with the value shown; none: missing. At most [`CONCERNED_MAX`].
    pub concerned: Vec<(usize, Option<u32>)>,
    /// Values that nobody published, or not for this dataId.
    pub foreign: Vec<u32>,
    /// A number for the sentence: the time it took, or the version before.
    pub amount: u64,
}

/// Publishers named by one finding.
pub(crate) const CONCERNED_MAX: usize = 200;
const KEPT_MAX: usize = 4_096;

/// Whose view is wrong about whom: findings alike in this are one story.
pub(crate) type Story = (ClientId, Option<u32>, Option<usize>, Option<u32>);

impl Finding {
    /// In the push of a view, at a time at which `window` could have explained it; nobody is concerned yet.
    pub fn in_view(kind: Kind, data: DataIx, view: &View, time: Nanos, window: Span) -> Finding {
        Finding {
            kind,
            time,
            client: view.client,
            subscription: Some(view.subscription),
            node: view.node,
            data,
            content: Some(view.content as usize),
            version: view.version,
            seen: Seen::Push(view.push as usize),
            window,
            concerned: Vec::new(),
            foreign: Vec::new(),
            amount: 0,
        }
    }

    pub fn story(&self) -> Story {
        (self.client, self.subscription, self.concerned.first().map(|c| c.0), self.foreign.first().copied())
    }
}

/// Every violation counted, the first of each story kept.
#[derive(Default)]
pub(crate) struct Findings {
    pub counts: BTreeMap<Kind, u64>,
    pub kept: BTreeMap<Kind, Vec<Finding>>,
}

impl Findings {
    pub fn push(&mut self, finding: Finding) {
        *self.counts.entry(finding.kind).or_default() += 1;
        let kept = self.kept.entry(finding.kind).or_default();
        kept.push(finding);
        if kept.len() >= KEPT_MAX {
            thin(kept);
        }
    }

    pub fn merge(&mut self, other: Findings) {
        for (kind, n) in other.counts {
            *self.counts.entry(kind).or_default() += n;
        }
        for (kind, more) in other.kept {
            let kept = self.kept.entry(kind).or_default();
            kept.extend(more);
            if kept.len() >= KEPT_MAX {
                thin(kept);
            }
        }
    }

    /// In order of time, one of each story.
    pub fn finish(&mut self) {
        self.kept.values_mut().for_each(thin);
    }
}

fn thin(kept: &mut Vec<Finding>) {
    kept.sort_by_key(|f| (f.time, f.data, f.client, f.subscription, f.seen));
    let mut told: FxHashSet<Story> = FxHashSet::default();
    kept.retain(|f| told.insert(f.story()));
    kept.truncate(KEPT_MAX / 4);
}
