//! What each subscriber had before its eyes, from when until when.
//!
//! A view is the last push of a subscription; it is undefined from a disconnect, from the invocation of another subscribe and
//! from that of an unsubscribe until the next push. A subscription is an intention: it survives reconnects until unsubscribe
//! or a clean close. Views in a row without a gap form a *run*; a *stretch* is one subscription in one session, over
//! which nothing may go back.

use crate::changes::Times;
use crate::content::Contents;
use crate::distribution::Gauges;
use crate::finding::Findings;
use crate::hearing::Hearing;
use crate::judge::Shown;
use crate::options::Options;
use crate::record::Record;
use crate::span::meets;
use crate::trouble::Horizon;
use history::{ClientId, DataIx, Nanos, NodeIx};
use std::collections::BTreeMap;

/// One push, and how long it stayed the view.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Number of the push in the history.
    pub push: u64,
    /// What it shows: an index into [`Contents::all`].
    pub content: u32,
    pub client: ClientId,
    pub subscription: u32,
    pub node: Option<NodeIx>,
    pub version: Option<u64>,
    pub at: Nanos,
    /// The first instant at which it is not the view any more; `at` if it never was one.
    pub until: Nanos,
    /// The instant of the push is judged.
    pub judged: bool,
    /// Subscribed since; none if it never was the view of a subscription.
    pub base: Option<Nanos>,
}

/// Views in a row.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// First push.
    pub start: Nanos,
    /// Subscribed since; never before the first push if the subscribe was confirmed after it.
    pub base: Nanos,
    /// Last push.
    pub last: Nanos,
    /// Acknowledged changes seen by it.
    pub reached: u64,
}

/// A first push that did not come.
#[derive(Clone, Debug)]
pub(crate) struct Unserved {
    pub client: ClientId,
    pub subscription: u32,
    pub data: DataIx,
    pub since: Nanos,
    pub time: Nanos,
    /// Nothing was asked again after a reconnect.
    pub forgotten: bool,
}

/// What a walk over all views found.
#[derive(Default)]
pub(crate) struct Watched {
    pub unserved: Vec<Unserved>,
    /// Time with a subscription and a connection, summed over subscriptions.
    pub subscribed: u128,
    /// Of it, the time with a view judged under a finite horizon.
    pub judged: u128,
    /// Pushes judged under a finite horizon.
    pub pushes_judged: u64,
    /// Pushes that refer to contents that are not there.
    pub unknown: u64,
    /// How long changes took, over all dataIds.
    pub gauges: Gauges,
    /// Of each dataId that could be followed.
    pub followed: BTreeMap<DataIx, Followed>,
}

impl Watched {
    /// With what a walk over other dataIds found.
    pub fn merge(&mut self, other: Watched) {
        self.unserved.extend(other.unserved);
        self.subscribed += other.subscribed;
        self.judged += other.judged;
        self.pushes_judged += other.pushes_judged;
        self.unknown += other.unknown;
        self.gauges.merge(&other.gauges);
        self.followed.extend(other.followed);
    }
}

/// What became of one dataId.
pub(crate) struct Followed {
    pub findings: Findings,
    pub times: Times,
    pub steps: u64,
    /// Views that are not in order, or not surely.
    pub aside: Vec<View>,
}

/// What a walk needs to know beforehand.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a, 'b> {
    pub record: &'b Record<'a>,
    pub contents: &'b Contents,
    pub horizon: &'b Horizon,
    pub hearings: &'b [Hearing],
    pub options: &'b Options,
}

/// Whether nothing can be wrong about a view, at no instant of it.
pub(crate) fn in_order(known: &Known, view: &View, shown: &Shown) -> bool {
    let fresh = shown.fresh.partition_point(|span| span.to < view.at);
    let Some(fresh) = shown.fresh.get(fresh).filter(|span| !shown.odd && span.from <= view.at) else { return false };
    let at_once = !view.judged
        || !known.record.header.contract.atomic_snapshots
        || meets(&shown.explained, known.horizon.window(view.at));
    // The rest of it, with the final instant.
    at_once && (view.base.is_none() || view.until <= fresh.to.saturating_add(1))
}
