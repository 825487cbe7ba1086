//! What each view made of each change: whether it went back, and how long it took.
//!
//! A publisher's operations have positions. What a view says about the publisher reflects a position: that of the value shown;
//! when nothing is shown, the least admissible one that is not below the position before: the same one if the registration
//! may have vanished since without an operation, else the next unpublish or close. A view that has none goes back. A publish
//! whose outcome was unknown may take effect after later ones, so showing it is not going back, unless the system rejects
//! stale writes and a later operation of that session ended ok. Nor is it going back to show an earlier session's operation when all
//! who knew of the later one may have lost their memory, where the contract says who they are.
//!
//! A change takes from its ok until the first push of a run that reflects it or a later one, if the run had begun before and if
//! the change stayed in force that long (a registration whose lease may have run out proves nothing about delays). It is late
//! if some instant in between was bound to show it.

use crate::content::Contents;
use crate::distribution::{Gauges, Series};
use crate::finding::{Finding, Findings};
use crate::ground::Ground;
use crate::judge::{Shown, Transition};
use crate::record::{Publisher, Record, Step, What};
use crate::span::{Span, meets};
use crate::trouble::{Horizon, Trouble};
use crate::verdict::{Kind, Sample};
use crate::views::{Run, View};
use history::{Nanos, NodeIx, Outcome};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What is told of the convergence of one dataId, beside its times.
pub(crate) struct Times {
    pub samples: u64,
    pub coalesced: u64,
    pub unfinished: u64,
    pub series: Series,
    /// Operations that changed something and were acknowledged.
    pub changes: u64,
}

/// How long an acknowledged step keeps its meaning.
#[derive(Clone, Copy)]
struct Force {
    /// Until then nothing older can be there: a view that shows something older is wrong.
    definite: Nanos,
    /// Until then it has not vanished by itself: its delay says something.
    kept: Nanos,
}

/// The step from a content's base to it where that is a single change of one publisher, seen by nearly every view: a value
/// instead of its predecessor. Only what depends on the view is left to ask.
struct Plain {
    /// By then both had been asked for.
    asked: Nanos,
    /// When it was acknowledged, and how long it counts; none if it was not.
    acknowledged: Option<(Nanos, Force)>,
}

/// Where one stretch stands. There is one to a subscription, which is touched with every push: small.
#[derive(Default)]
pub(crate) struct Stretch {
    /// Positions reflected, by publisher, where the view does not tell them; none, mostly.
    floors: Option<Box<Floors>>,
    version: Option<u64>,
    /// The content shown last.
    content: Option<u32>,
}

#[derive(Default)]
struct Floors(FxHashMap<usize, usize>);

impl Stretch {
    fn floor(&self, local: usize) -> Option<usize> {
        self.floors.as_ref()?.0.get(&local).copied()
    }

    fn set_floor(&mut self, local: usize, position: usize) {
        self.floors.get_or_insert_default().0.insert(local, position);
    }

    fn no_floor(&mut self, local: usize) {
        let Some(floors) = &mut self.floors else { return };
        floors.0.remove(&local);
        if floors.0.is_empty() {
            self.floors = None;
        }
    }
}

/// What the views of one dataId make of its changes, as they pass by.
pub(crate) struct Changes<'a, 'b> {
    record: &'b Record<'a>,
    contents: &'b Contents,
    horizon: &'b Horizon,
    troubles: &'b [Trouble],
    ground: &'b Ground,
    shown: &'b [Shown],
    /// By the place of the content.
    plain: Vec<Option<Plain>>,
    pub findings: Findings,
    pub times: Times,
    pub steps: u64,
    forces: Vec<Vec<Option<Force>>>,
    /// The positions of what takes back, by publisher: looked through at every push, and few.
    taken: Vec<Vec<u32>>,
    /// When changes were acknowledged, sorted.
    oks: Vec<Nanos>,
    /// What differs between contents of which none is the other's base.
    pairs: FxHashMap<(u32, u32), Rc<[Transition]>>,
}

impl<'a, 'b> Changes<'a, 'b> {
    pub fn new(
        record: &'b Record<'a>,
        contents: &'b Contents,
        horizon: &'b Horizon,
        troubles: &'b [Trouble],
        (ground, shown): (&'b Ground, &'b [Shown]),
        series: Series,
    ) -> Changes<'a, 'b> {
        let steps_of = |local: usize| record.publishers[ground.first + local].steps.iter();
        let forces: Vec<Vec<Option<Force>>> =
            (0..ground.locals.len()).map(|local| forces(record, ground, local)).collect();
        let taken = |local| {
            let steps = steps_of(local).enumerate();
            steps.filter(|(_, step)| takes_back(step)).map(|(at, _)| at as u32).collect()
        };
        let taken: Vec<Vec<u32>> = (0..ground.locals.len()).map(taken).collect();
        let plain = |shown: &Shown| {
            let [only] = shown.edge.as_slice() else { return None };
            let (forces, taken) = (&forces[only.local], &taken[only.local]);
            let steps = &record.publishers[ground.first + only.local].steps;
            plain(only, steps, forces, taken)
        };
        let plain = shown.iter().map(plain).collect();
        let mut oks: Vec<Nanos> = Vec::new();
        for (local, forces) in forces.iter().enumerate() {
            oks.extend(forces.iter().zip(steps_of(local)).filter(|f| f.0.is_some()).map(|f| f.1.end));
        }
        oks.sort_unstable();
        let times = Times { samples: 0, coalesced: 0, unfinished: 0, series, changes: oks.len() as u64 };
        let (findings, pairs) = (Findings::default(), FxHashMap::default());
        Changes {
            record,
            contents,
            horizon,
            troubles,
            ground,
            shown,
            plain,
            findings,
            times,
            steps: 0,
            forces,
            taken,
            oks,
            pairs,
        }
    }

    /// One view, when everything is known about its run but the end.
    pub fn follow(&mut self, view: &View, run: &mut Run, stretch: &mut Stretch, gauges: &mut Gauges) {
        self.version(view, stretch);
        let Some(before) = stretch.content.replace(view.content) else { return };
        if before == view.content {
            return;
        }
        let (contents, shown) = (self.contents, self.shown);
        let content = &contents.all[view.content as usize];
        if content.base == Some(before as usize) {
            if stretch.floors.is_none() && self.plainly(view, run, content.place, gauges) {
                return;
            }
            self.transitions(view, run, stretch, (&shown[content.place as usize].edge, gauges));
            return;
        }
        let known = self.pairs.get(&(before, view.content)).cloned();
        let transitions = known.unwrap_or_else(|| {
            let made: Rc<[Transition]> =
                between(self.record, contents, shown, before as usize, view.content as usize).into();
            self.pairs.insert((before, view.content), Rc::clone(&made));
            made
        });
        self.transitions(view, run, stretch, (&transitions, gauges));
    }

    /// Follows a single change of which nothing but its delay is to be said; false if there may be more to say.
    fn plainly(&mut self, view: &View, run: &mut Run, place: u32, gauges: &mut Gauges) -> bool {
        let Some(plain) = self.plain[place as usize].as_ref().filter(|plain| plain.asked <= view.at) else {
            return false;
        };
        self.steps += 1;
        let Some((ok, force)) = plain.acknowledged.filter(|(ok, _)| *ok >= run.start) else { return true };
        if view.at <= force.definite && self.horizon.too_old_before(ok.max(run.base), view.at) {
            self.steps -= 1;
            return false;
        }
        self.steps += 1;
        run.reached += 1;
        if view.at <= force.kept {
            self.sample(ok, view.at.saturating_sub(ok), gauges);
        }
        true
    }

    fn transitions(
        &mut self,
        view: &View,
        run: &mut Run,
        stretch: &mut Stretch,
        (transitions, gauges): (&[Transition], &mut Gauges),
    ) {
        let mut back = Vec::new();
        let (mut late, mut slowest) = (Vec::new(), 0);
        for transition in transitions {
            self.steps += 1;
            let local = transition.local;
            let floor = self.floor(stretch, transition, view.at);
            if view.at < transition.asked && transition.after.iter().any(|v| !self.asked(*v, view.at)) {
                // A value from the future is a phantom, and tells nothing about order.
                stretch.set_floor(local, floor);
                continue;
            }
            let (position, went_back) = self.position(view.at, transition, floor);
            if went_back {
                back.push((local + self.ground.first, transition.after.first().copied()));
            }
            if position != transition.places_after.0 {
                stretch.set_floor(local, position);
            } else {
                stretch.no_floor(local);
            }
            // A view without the publisher reflects every taking back asked for by then, also one that changed nothing
            // to see: the registration may have been gone for another reason before.
            let taken = self.taken_back(local, view.at);
            let before = match self.most_before(transition, view.at) {
                Some(place) => place.max(floor),
                None => floor.max(taken),
            };
            let after = if transition.after.is_empty() { position.max(taken) } else { transition.places_after.1 };
            if let Some(took) = self.sampled(view, run, local, (before, after), gauges) {
                late.push((local + self.ground.first, transition.before.first().copied()));
                slowest = slowest.max(took);
            }
        }
        if !back.is_empty() && self.record.header.contract.monotonic_pushes {
            self.report(Kind::Backwards, view, back, 0);
        }
        if !late.is_empty() {
            self.report(Kind::Late, view, late, slowest);
        }
    }

    /// A run is over: counts what it did not get to see, overtaken before the last push, unfinished after it.
    pub fn ended(&mut self, run: &Run, end: Nanos) {
        let before = |t: Nanos| self.oks.partition_point(|ok| *ok < t) as u64;
        let due = before(end) - before(run.start);
        let rest = due.saturating_sub(run.reached);
        let after_last = (before(end) - before(run.last)).min(rest);
        self.times.unfinished += after_last;
        self.times.coalesced += rest - after_last;
    }

    fn place(&self, value: u32) -> usize {
        self.record.values[value as usize].owner.map_or(0, |o| o.1)
    }

    fn publisher(&self, local: usize) -> &'b Publisher {
        &self.record.publishers[self.ground.first + local]
    }

    fn version(&mut self, view: &View, stretch: &mut Stretch) {
        if let (Some(before), Some(now)) = (stretch.version, view.version)
            && now < before
            && self.record.header.contract.monotonic_versions
        {
            self.report(Kind::VersionFell, view, Vec::new(), before);
        }
        stretch.version = view.version.or(stretch.version);
    }

    fn asked(&self, value: u32, now: Nanos) -> bool {
        self.record.values[value as usize].invoke <= now
    }

    /// What was shown before and had been asked for by then.
    fn asked_before(&self, transition: &Transition, now: Nanos) -> impl Iterator<Item = usize> {
        transition.before.iter().filter(move |v| self.asked(**v, now)).map(|v| self.place(*v))
    }

    fn most_before(&self, transition: &Transition, now: Nanos) -> Option<usize> {
        if transition.asked <= now {
            return (!transition.before.is_empty()).then_some(transition.places_before.1);
        }
        self.asked_before(transition, now).max()
    }

    fn floor(&self, stretch: &Stretch, transition: &Transition, now: Nanos) -> usize {
        let kept = stretch.floor(transition.local);
        let least = match transition.asked <= now {
            true => transition.places_before.0,
            false => self.asked_before(transition, now).min().unwrap_or(0),
        };
        least.max(kept.unwrap_or(0))
    }

    /// The position that the new view reflects, and whether that is a step back.
    fn position(&self, now: Nanos, transition: &Transition, floor: usize) -> (usize, bool) {
        let steps = &self.publisher(transition.local).steps;
        if !transition.after.is_empty() {
            let (least, most) = transition.places_after;
            let mut places = transition.after.iter().map(|v| self.place(*v));
            let mut afloat = || places.any(|p| may_come_late(steps, p, floor, &self.record.header.contract));
            return match most < floor && !afloat() && !self.forgotten(now, transition.local, most, floor) {
                // What had been seen stays seen: the next view is measured against it, not against the slip.
                true => (floor, true),
                false => (floor.max(least), false),
            };
        }
        let Some(step) = floor.checked_sub(1).map(|at| &steps[at]) else { return (0, false) };
        if takes_back(step) || meets(&self.ground.locals[transition.local].doubt, Span::new(step.invoke, now)) {
            return (floor, false);
        }
        match (floor..steps.len()).find(|at| takes_back(&steps[*at]) && steps[*at].invoke <= now) {
            Some(at) => (at + 1, false),
            None => (floor, true),
        }
    }

    /// True if by now whoever knew of the operation at `floor` may have lost its memory, so that what another session of the
    /// publisher still holds, from the earlier operation at `place`, counts again.
    fn forgotten(&self, now: Nanos, local: usize, place: usize, floor: usize) -> bool {
        let header = self.record.header;
        let Some(copies) = &header.contract.memory else { return false };
        let steps = &self.publisher(local).steps;
        let step = |place: usize| place.checked_sub(1).and_then(|at| steps.get(at));
        let (Some(older), Some(newer)) = (step(place), step(floor)) else { return false };
        let since = Span::new(newer.invoke, now);
        let lost = |node: &usize| {
            header.nodes[*node].role == copies.role
                && self.troubles.iter().any(|t| t.span.meets(since) && t.kills(header, Some(*node as NodeIx)))
        };
        older.session != newer.session
            && meets(&self.ground.locals[local].doubt, since)
            && (0..header.nodes.len()).filter(lost).count() >= copies.count as usize
    }

    /// The position of the latest taking back asked for until `now`; 0 if there is none.
    fn taken_back(&self, local: usize, now: Nanos) -> usize {
        let steps = &self.publisher(local).steps;
        let taken = self.taken[local].iter().rev().map(|at| *at as usize);
        taken.into_iter().find(|at| steps[*at].invoke <= now).map_or(0, |at| at + 1)
    }

    /// Records the changes after position `before` up to `after` that this view was the first of its run to reflect. Answers
    /// how long the slowest one took that came too late.
    fn sampled(
        &mut self,
        view: &View,
        run: &mut Run,
        local: usize,
        places: (usize, usize),
        gauges: &mut Gauges,
    ) -> Option<Nanos> {
        let (before, after) = places;
        let steps = &self.publisher(local).steps;
        let mut late = None;
        for place in before + 1..=after.min(steps.len()) {
            let Some(force) = self.forces[local][place - 1] else { continue };
            let ok = steps[place - 1].end;
            if ok < run.start {
                continue;
            }
            self.steps += 1;
            run.reached += 1;
            self.times.coalesced += u64::from(place < after);
            if view.at > force.kept {
                continue;
            }
            let took = view.at.saturating_sub(ok);
            self.sample(ok, took, gauges);
            let due = ok.max(run.base);
            if view.at <= force.definite && self.horizon.too_old_before(due, view.at) {
                late = late.max(Some(took));
            }
        }
        late
    }

    fn sample(&mut self, ok: Nanos, took: Nanos, gauges: &mut Gauges) {
        let span = Span::new(ok, ok + took);
        self.times.samples += 1;
        if !meets(&self.horizon.rough, span) {
            gauges.calm.record(took, span.to);
        } else {
            gauges.rough.record(took, span.to);
            for trouble in self.troubles.iter().filter(|t| t.span.meets(span)) {
                gauges.under_fault.entry(trouble.id).or_default().record(took, span.to);
            }
        }
        self.times.series.record(Sample { at: ok, took });
    }

    fn report(&mut self, kind: Kind, view: &View, concerned: Vec<(usize, Option<u32>)>, amount: u64) {
        let window = self.horizon.window(view.at);
        let concerned = concerned.into_iter().take(crate::finding::CONCERNED_MAX).collect();
        let data = self.ground.data;
        self.findings.push(Finding { concerned, amount, ..Finding::in_view(kind, data, view, view.at, window) });
    }
}

/// What differs between two contents, by publisher: what the first of the steps from one to the other finds there, and what
/// the last of them leaves.
fn between(record: &Record, contents: &Contents, shown: &[Shown], from: usize, to: usize) -> Vec<Transition> {
    let edge = |at: usize| &shown[contents.all[at].place as usize].edge;
    let mut changed: BTreeMap<usize, (&[u32], &[u32])> = BTreeMap::new();
    // First to what both come from, which undoes steps, then from there.
    let (down, up) = contents.path(from, to);
    for step in down.into_iter().flat_map(edge) {
        changed.entry(step.local).or_insert((&step.after, &[])).1 = &step.before;
    }
    for step in up.into_iter().rev().flat_map(edge) {
        changed.entry(step.local).or_insert((&step.before, &[])).1 = &step.after;
    }
    let differing = changed.into_iter().filter(|(_, (before, after))| before != after);
    differing.map(|(local, (before, after))| Transition::new(record, local, before.into(), after.into())).collect()
}

/// What a transition is to a view of which no floor is known, if that is the same for all views from some instant on.
fn plain(transition: &Transition, steps: &[Step], forces: &[Option<Force>], taken: &[u32]) -> Option<Plain> {
    let (least_before, most_before) = transition.places_before;
    let (least, most) = transition.places_after;
    // A view without the publisher reflects what was taken back by then.
    let told = !transition.after.is_empty() && (!transition.before.is_empty() || taken.is_empty());
    if !told || least < least_before || most > most_before + 1 {
        return None;
    }
    let force = (most > most_before).then(|| forces[most - 1].map(|force| (steps[most - 1].end, force)));
    Some(Plain { asked: transition.asked, acknowledged: force.flatten() })
}

/// Whether nothing of the publisher is left after this step.
fn takes_back(step: &Step) -> bool {
    matches!(step.what, What::Take | What::Close) && step.outcome != Outcome::Fail
}

/// Whether the publish at this position may take effect after the operation at `floor`.
fn may_come_late(steps: &[Step], place: usize, floor: usize, contract: &history::Contract) -> bool {
    let Some(step) = place.checked_sub(1).map(|at| &steps[at]).filter(|s| s.outcome == Outcome::Info) else {
        return false;
    };
    let settles =
        |s: &Step| s.session == step.session && s.outcome == Outcome::Ok && matches!(s.what, What::Put(_) | What::Take);
    !(contract.stale_writes_rejected && steps[place..floor.max(place)].iter().any(settles))
}

/// For each step of a publisher: how long it stays in force; none for those that were not acknowledged or changed nothing.
fn forces(record: &Record, ground: &Ground, local: usize) -> Vec<Option<Force>> {
    let steps = &record.publishers[ground.first + local].steps;
    let timeline = &ground.locals[local].timeline;
    let place = |v: &u32| record.values[*v as usize].owner.map_or(0, |o| o.1);
    // The least position possible in each gap, and in any gap from it on; the next gap with a doubt.
    let oldest: Vec<usize> =
        timeline.gaps.iter().map(|g| g.values.iter().map(place).min().unwrap_or(usize::MAX)).collect();
    let mut oldest_from = oldest.clone();
    let mut soft_from: Vec<Option<usize>> = vec![None; oldest.len()];
    for gap in (0..oldest.len()).rev() {
        if gap + 1 < oldest.len() {
            oldest_from[gap] = oldest_from[gap].min(oldest_from[gap + 1]);
            soft_from[gap] = soft_from[gap + 1];
        }
        if timeline.gaps[gap].soft {
            soft_from[gap] = Some(gap);
        }
    }
    let mut held = false;
    let mut out = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        let changes = step.outcome == Outcome::Ok && (step.what != What::Close || held);
        if step.outcome != Outcome::Fail {
            held = matches!(step.what, What::Put(_));
        }
        if !changes {
            out.push(None);
            continue;
        }
        let first = timeline.bounds.partition_point(|b| *b <= step.end);
        let since = |gap: usize| if gap == first { step.end } else { timeline.bounds[gap - 1] };
        let put = matches!(step.what, What::Put(_));
        let kept = if put { soft_from[first].map_or(Nanos::MAX, since) } else { Nanos::MAX };
        let older = match oldest_from[first] <= at {
            true => (first..oldest.len()).find(|gap| oldest[*gap] <= at).map_or(Nanos::MAX, since),
            false => Nanos::MAX,
        };
        let definite = kept.min(older);
        out.push(Some(Force { definite, kept }));
    }
    out
}
