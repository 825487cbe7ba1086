//! Judges everything at every instant.

use super::tale::*;
use super::truth::*;
use checkers::Kind;
use history::{FaultKind, Function, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Found {
    pub kind: Kind,
    pub time: u64,
    pub what: String,
}

#[derive(Clone, Debug)]
struct Sight {
    push: Push,
    /// Instants 2 at < g < 2 until see it too.
    until: u64,
    judged: bool,
    viewed: bool,
    run: usize,
    stretch: u64,
}

struct World<'a> {
    tale: &'a Tale,
    all: &'a [Who],
    memory: &'a mut Memory,
    found: Vec<Found>,
    /// Of each run: first push, subscribed since.
    runs: Vec<(u64, u64)>,
}

/// What is said about a publisher: a value, or nothing.
type Said = (usize, Option<String>);

/// What was found for everything that it depends on besides the truth, so that histories that share the truth and most
/// pushes are not judged from the start each time.
#[derive(Default)]
pub struct Memory {
    judged: BTreeMap<String, Vec<Found>>,
    /// Of everything that is said, the last instant until each at which it was true, plus one.
    lasts: BTreeMap<Said, Arc<Vec<u64>>>,
    /// By dataId and value: who published it, and at which place of its steps.
    owners: Option<BTreeMap<(u32, String), (usize, usize)>>,
}

pub fn brute(tale: &Tale) -> Vec<Found> {
    brute_with(tale, &truth(tale), &mut Memory::default())
}

/// The same where the truth is known. A memory may only be used for one truth and one contract.
pub fn brute_with(tale: &Tale, all: &[Who], memory: &mut Memory) -> Vec<Found> {
    memory.owners.get_or_insert_with(|| owners(all));
    let mut world = World { tale, all, memory, found: Vec::new(), runs: Vec::new() };
    let clients = tale.conns.iter().map(|c| c.client).chain(tale.pushes.iter().map(|p| p.client)).max();
    let sights: Vec<Sight> = (0..=clients.unwrap_or(0)).flat_map(|c| world.sights(c)).collect();
    for sight in &sights {
        let key = format!("{sight:?} {:?}", world.runs.get(sight.run));
        world.once(key, |w| w.judge(sight));
    }
    for op in tale.ops.iter().filter(|o| o.f == Function::Read && o.ok().is_some()) {
        world.once(format!("{op:?}"), |w| w.read(op));
    }
    let stretches: BTreeSet<(u32, u64)> = sights.iter().map(|s| (s.push.client, s.stretch)).collect();
    for key in stretches {
        let mine: Vec<&Sight> = sights.iter().filter(|s| s.viewed && (s.push.client, s.stretch) == key).collect();
        let runs: Vec<(u64, u64)> = mine.iter().map(|s| world.runs[s.run]).collect();
        world.once(format!("{mine:?} {runs:?}"), |w| w.follow(&mine));
    }
    world.found
}

fn owners(all: &[Who]) -> BTreeMap<(u32, String), (usize, usize)> {
    let mut out = BTreeMap::new();
    for (at, who) in all.iter().enumerate() {
        for (place, op) in who.steps.iter().enumerate().filter(|s| is_put(s.1)) {
            out.entry((who.data, op.value.clone())).or_insert((at, place));
        }
    }
    out
}

impl World<'_> {
    /// Does something unless it is known what it finds.
    fn once(&mut self, key: String, mut look: impl FnMut(&mut Self)) {
        if let Some(known) = self.memory.judged.get(&key) {
            self.found.extend(known.iter().cloned());
            return;
        }
        let before = self.found.len();
        look(self);
        self.memory.judged.insert(key, self.found[before..].to_vec());
    }

    fn lasts(&mut self, said: &Said) -> Arc<Vec<u64>> {
        if let Some(lasts) = self.memory.lasts.get(said) {
            return lasts.clone();
        }
        let mut last = 0;
        let mut out = Vec::new();
        for g in 0..self.all[said.0].may.len() as u64 {
            last = if self.true_at(said, g) { g + 1 } else { last };
            out.push(last);
        }
        self.memory.lasts.entry(said.clone()).or_insert(Arc::new(out)).clone()
    }

    /// Twice the age allowed at this instant.
    fn age(&self, g: u64) -> u64 {
        let c = &self.tale.contract;
        let rough =
            self.tale.faults.iter().any(|f| 2 * f.t <= g && f.until.is_none_or(|u| g <= 2 * (u + c.recovered_ms_max)));
        match (rough, c.staleness_ms_max) {
            (false, _) => 2 * c.visible_ms_max,
            (true, Some(ms)) => 2 * ms.max(c.visible_ms_max),
            (true, None) => FOREVER,
        }
    }

    fn window(&self, g: u64) -> std::ops::RangeInclusive<u64> {
        g.saturating_sub(self.age(g))..=g
    }

    fn overdue(&self, base: u64, g: u64) -> bool {
        g > 2 * base + self.age(g)
    }

    fn found(&mut self, kind: Kind, g: u64, what: String) {
        self.found.push(Found { kind, time: g / 2, what });
    }

    fn true_at(&self, said: &Said, g: u64) -> bool {
        let may = &self.all[said.0].may[g as usize];
        said.1.as_ref().map_or(may.none, |v| may.values.contains(v))
    }

    fn explained(&self, said: &Said, mut window: std::ops::RangeInclusive<u64>) -> bool {
        window.any(|g| self.true_at(said, g))
    }

    fn owner(&self, data: u32, value: &str) -> Option<usize> {
        self.memory.owners.as_ref().unwrap().get(&(data, value.to_owned())).map(|o| o.0)
    }

    /// What a content says about each publisher; foreign elements; whether someone is in it twice.
    fn says(&self, data: u32, shown: &[String]) -> (BTreeSet<Said>, bool, bool) {
        let mut said = BTreeSet::new();
        let (mut foreign, mut double) = (false, false);
        for value in shown {
            match self.owner(data, value) {
                None => foreign = true,
                Some(who) => double |= !said.insert((who, Some(value.clone()))),
            }
        }
        for (who, _) in self.all.iter().enumerate().filter(|w| w.1.data == data) {
            match said.iter().filter(|s| s.0 == who).count() {
                0 => drop(said.insert((who, None))),
                1 => {}
                _ => double |= self.tale.contract.atomic_replace,
            }
        }
        (said, foreign, double)
    }

    fn kinds(&self, wrong: &BTreeSet<Said>, window: std::ops::RangeInclusive<u64>) -> BTreeSet<Kind> {
        let kind = |said: &Said| {
            let steps = &self.all[said.0].steps;
            let asked = |v: &String| steps.iter().any(|o| is_put(o) && o.value == *v && 2 * o.t <= *window.end());
            match &said.1 {
                None => Kind::Incomplete,
                Some(v) if !asked(v) => Kind::Phantom,
                Some(_) if window.clone().all(|g| self.all[said.0].may[g as usize].values.is_empty()) => Kind::Ghost,
                Some(_) => Kind::Stale,
            }
        };
        wrong.iter().map(kind).collect()
    }

    fn judge(&mut self, sight: &Sight) {
        let at = 2 * sight.push.t;
        let (said, foreign, double) = self.says(sight.push.data, &sight.push.shown);
        let lasts: Vec<(Said, Arc<Vec<u64>>)> = said.iter().map(|s| (s.clone(), self.lasts(s))).collect();
        let bad = |g: u64| -> BTreeSet<Said> {
            let from = *self.window(g).start();
            lasts.iter().filter(|s| s.1[g as usize] <= from).map(|s| s.0.clone()).collect()
        };
        let mut known = BTreeSet::new();
        let mut found = Vec::new();
        if sight.judged {
            known = bad(at);
            let mut kinds = self.kinds(&known, self.window(at));
            kinds.extend(foreign.then_some(Kind::Phantom));
            kinds.extend(double.then_some(Kind::Duplicate));
            let whole = self.window(at).any(|g| said.iter().all(|s| self.true_at(s, g)));
            if kinds.is_empty() && self.tale.contract.atomic_snapshots && !whole {
                kinds.insert(Kind::Torn);
            }
            found.extend(kinds.into_iter().map(|k| (k, at)));
        }
        if sight.viewed {
            let base = self.runs[sight.run].1;
            if let Some(end) = self.tale.last.map(|t| 2 * t).filter(|g| at <= *g && *g < 2 * sight.until) {
                let wrong = self.overdue(base, end) && !bad(end).is_empty();
                found.extend((wrong || foreign || double).then_some((Kind::WrongAtEnd, end)));
            }
            let until = (2 * sight.until).min(2 * self.tale.end + 1);
            let news = |g: &u64| self.overdue(base, *g) && bad(*g).difference(&known).next().is_some();
            found.extend((at + 1..until).find(news).map(|g| (Kind::Stale, g)));
        }
        for (kind, g) in found {
            self.found(kind, g, format!("{sight:?}"));
        }
    }

    fn read(&mut self, op: &Op) {
        let ok = op.ok().unwrap();
        let linear = self.tale.contract.linearizable_reads;
        let oldest = (2 * op.t..=2 * ok).map(|g| self.age(g)).max().unwrap();
        let window = if linear { 2 * op.t } else { (2 * op.t).saturating_sub(oldest) }..=2 * ok;
        let (said, foreign, double) = self.says(op.data, &op.shown);
        let wrong: BTreeSet<Said> = said.iter().filter(|s| !self.explained(s, window.clone())).cloned().collect();
        let mut kinds = BTreeSet::new();
        if self.tale.last.is_some_and(|t| op.t >= t) {
            kinds.extend((!wrong.is_empty() || foreign || double).then_some(Kind::WrongAtEnd));
        } else {
            let plain = |k: Kind| if linear && k != Kind::Phantom { Kind::Stale } else { k };
            kinds.extend(self.kinds(&wrong, window.clone()).into_iter().map(plain));
            kinds.extend(foreign.then_some(Kind::Phantom));
            kinds.extend(double.then_some(Kind::Duplicate));
            let whole = window.clone().any(|g| said.iter().all(|s| self.true_at(s, g)));
            if kinds.is_empty() && self.tale.contract.atomic_snapshots && !whole {
                kinds.insert(Kind::Torn);
            }
        }
        for kind in kinds {
            self.found(kind, 2 * ok, format!("{op:?}"));
        }
    }

    /// All pushes of a client's only subscription, and what becomes of each.
    fn sights(&mut self, client: u32) -> Vec<Sight> {
        let tale = self.tale;
        let stretches = stretches(tale, client);
        let mut out: Vec<Sight> = Vec::new();
        // The times at which a view becomes undefined.
        let mine = || tale.ops.iter().filter(|o| o.client == client);
        let ends =
            |o: &&Op| matches!(o.f, Function::Subscribe | Function::Unsubscribe | Function::Vanish | Function::Close);
        let mut breaks: Vec<u64> = mine().filter(ends).map(|o| o.t).collect();
        breaks.extend(tale.conns.iter().filter(|c| c.client == client).map(|c| c.t));
        breaks.push(tale.end + 1);
        breaks.sort_unstable();
        // Between two breaks there is at most one run.
        let mut from = 0;
        for to in breaks {
            let wanted = mine()
                .rfind(|o| o.t <= from && matches!(o.f, Function::Subscribe | Function::Unsubscribe | Function::Close));
            let wanted = wanted.filter(|o| o.f == Function::Subscribe);
            let live = stretches.iter().find(|s| s.from <= from && from < s.to);
            let data = wanted.map(|o| o.data);
            let pushes = tale.pushes.iter().filter(|p| p.client == client && p.t >= from && p.t < to);
            let mut run = None;
            let session_begin =
                live.and_then(|l| stretches.iter().find(|s| s.session == l.session)).map_or(0, |s| s.from);
            let asked_now = wanted.filter(|o| o.t == from);
            for push in pushes {
                let current = live.is_some_and(|l| push.session.is_none_or(|s| s == l.session));
                let viewed = current && data == Some(push.data);
                let first = viewed && run.is_none();
                if first {
                    let ok = asked_now.and_then(Op::ok).filter(|t| *t < to);
                    // Confirmed before the push, or after it.
                    let base = match ok {
                        Some(ok) => ok,
                        None => push.t,
                    };
                    self.runs.push((push.t, base));
                    run = Some(self.runs.len() - 1);
                }
                let same_run = |s: &&mut Sight| viewed && s.viewed && Some(s.run) == run;
                if let Some(before) = out.iter_mut().rev().find(same_run) {
                    before.until = push.t;
                }
                let excused = first && tale.contract.first_push_may_be_empty && push.shown.is_empty();
                let stretch = wanted.map_or(0, |o| o.t.max(session_begin));
                out.push(Sight {
                    push: push.clone(),
                    until: to,
                    judged: !excused,
                    viewed,
                    run: run.unwrap_or(0),
                    stretch,
                });
            }
            if let (Some(asked), Some(live)) = (wanted, live) {
                let first = tale.pushes.iter().filter(|p| p.client == client && p.data == asked.data);
                let first = first.filter(|p| p.session.is_none_or(|s| s == live.session));
                let first = first.filter(|p| p.t >= from && p.t < to).map(|p| p.t).min();
                self.unserved(client, asked, from, first.unwrap_or(to), live);
            }
            from = to;
        }
        out
    }

    /// Nothing came between `from` and `to`, in which the client was subscribed and connected.
    fn unserved(&mut self, client: u32, asked: &Op, from: u64, to: u64, live: &Stretch) {
        let until = (2 * to).min(2 * self.tale.end + 1);
        let due = if asked.t == from {
            let ok = asked.ok().filter(|t| *t < to);
            ok.and_then(|ok| (2 * ok..until).find(|g| self.overdue(ok, *g)))
        } else {
            self.tale.contract.reregister_ms_max.and_then(|promise| {
                let touched = |h: u64| undisturbed(self.tale, client, live, h);
                (2 * from..until).find(|g| {
                    // The clean span that this instant belongs to or ends.
                    let h = if g % 2 == 0 { (g / 2).checked_sub(1) } else { Some(g / 2) };
                    let Some(h) = h.filter(|h| *h >= live.from && touched(*h)) else { return false };
                    let since = (live.from..=h).rev().take_while(|x| touched(*x)).last().unwrap();
                    *g >= 2 * (since + promise) && self.overdue(since + promise, *g)
                })
            })
        };
        if let Some(g) = due {
            self.found(Kind::Stale, g, format!("c{client} unserved from {from} to {to}"));
        }
    }

    fn place(&self, who: usize, value: &str) -> usize {
        let owner = self.memory.owners.as_ref().unwrap()[&(self.all[who].data, value.to_owned())];
        assert_eq!(owner.0, who);
        1 + owner.1
    }

    /// Order and delays over one stretch.
    fn follow(&mut self, sights: &[&Sight]) {
        let c = self.tale.contract.clone();
        let mut floors: BTreeMap<usize, usize> = BTreeMap::new();
        let mut version: Option<u64> = None;
        let mut before: Option<&Sight> = None;
        for sight in sights {
            let t = sight.push.t;
            if let (Some(was), Some(is)) = (version, sight.push.version)
                && is < was
                && c.monotonic_versions
            {
                self.found(Kind::VersionFell, 2 * t, format!("{sight:?}"));
            }
            version = sight.push.version.or(version);
            let (mut back, mut late) = (false, false);
            for who in 0..self.all.len() {
                if self.all[who].data != sight.push.data {
                    continue;
                }
                let places = |s: &Sight| -> BTreeSet<usize> {
                    let mine = s.push.shown.iter().filter(|v| self.owner(s.push.data, v) == Some(who));
                    mine.map(|v| self.place(who, v)).collect()
                };
                let now = places(sight);
                let Some(mut earlier) = before.map(&places) else { continue };
                if earlier == now {
                    continue;
                }
                let asked = |p: &usize| self.all[who].steps[p - 1].t <= t;
                earlier.retain(asked);
                let floor = floors.get(&who).copied().unwrap_or(0).max(earlier.first().copied().unwrap_or(0));
                if !now.iter().all(asked) {
                    floors.insert(who, floor);
                    continue;
                }
                let (place, went_back) = self.reflects(who, t, &now, floor);
                back |= went_back;
                floors.insert(who, place);
                let top = |s: &BTreeSet<usize>| s.last().copied();
                let gone = |o: &Op| !is_put(o) && o.outcome() != Outcome::Fail && o.t <= t;
                let gone = self.all[who].steps.iter().rposition(gone).map_or(0, |at| at + 1);
                let from = top(&earlier).unwrap_or(gone).max(floor);
                let to = top(&now).unwrap_or(place.max(gone));
                late |= (from + 1..=to).any(|p| self.too_late(who, p, sight));
            }
            if back && c.monotonic_pushes {
                self.found(Kind::Backwards, 2 * t, format!("{sight:?}"));
            }
            if late {
                self.found(Kind::Late, 2 * t, format!("{sight:?}"));
            }
            before = Some(sight);
        }
    }

    fn reflects(&self, who: usize, t: u64, now: &BTreeSet<usize>, floor: usize) -> (usize, bool) {
        let steps = &self.all[who].steps;
        if let (Some(&least), Some(&most)) = (now.first(), now.last()) {
            let afloat = now.iter().any(|p| {
                let step = &steps[p - 1];
                let settled = steps[*p..floor.max(*p)]
                    .iter()
                    .any(|o| o.session == step.session && o.ok().is_some() && o.f != Function::Close);
                step.outcome() == Outcome::Info && !(self.tale.contract.stale_writes_rejected && settled)
            });
            let back = most < floor && !afloat && !self.forgotten(who, t, most, floor);
            return if back { (floor, true) } else { (floor.max(least), false) };
        }
        if floor == 0 {
            return (0, false);
        }
        let takes = |o: &Op| !is_put(o) && o.outcome() != Outcome::Fail;
        let asked = steps[floor - 1].t;
        let vanished = (2 * asked..=2 * t).any(|g| self.all[who].may[g as usize].soft);
        if takes(&steps[floor - 1]) || vanished {
            return (floor, false);
        }
        let next = (floor..steps.len()).find(|at| takes(&steps[*at]) && steps[*at].t <= t);
        next.map_or((floor, true), |at| (at + 1, false))
    }

    /// Nobody may know any more of the operation at `floor`.
    fn forgotten(&self, who: usize, t: u64, place: usize, floor: usize) -> bool {
        let Some(copies) = &self.tale.contract.memory else { return false };
        let (older, newer) = (&self.all[who].steps[place - 1], &self.all[who].steps[floor - 1]);
        let down = |name: &&str| {
            let during = |f: &Fault| f.t <= t && f.until.unwrap_or(FOREVER) >= newer.t;
            self.tale.faults.iter().any(|f| f.kind == FaultKind::Kill && f.target == **name && during(f))
        };
        let lost = ["n0", "n1"].into_iter().filter(down).count();
        let vanished = (2 * newer.t..=2 * t).any(|g| self.all[who].may[g as usize].soft);
        older.session != newer.session && vanished && lost >= copies.count as usize
    }

    /// Whether the step at this place was bound to be seen before this push, which is the first to reflect it.
    fn too_late(&self, who: usize, place: usize, sight: &Sight) -> bool {
        let steps = &self.all[who].steps;
        let (start, base) = self.runs[sight.run];
        let Some(ok) = steps[place - 1].ok().filter(|ok| *ok >= start) else { return false };
        if steps[place - 1].f == Function::Close {
            let last = steps[..place - 1].iter().rfind(|o| o.outcome() != Outcome::Fail);
            if !last.is_some_and(is_put) {
                return false;
            }
        }
        let t = sight.push.t;
        let older = |v: &String| self.place(who, v) < place;
        let firm = (ok..t).all(|h| {
            let may = &self.all[who].may[2 * h as usize + 1];
            let vanished = is_put(&steps[place - 1]) && may.soft;
            !vanished && !may.values.iter().any(older)
        });
        let due = ok.max(base);
        firm && (2 * due + 1..2 * t).any(|g| self.overdue(due, g))
    }
}

fn undisturbed(tale: &Tale, client: u32, live: &Stretch, h: u64) -> bool {
    h < live.to && clean(tale, client, live.node, h)
}
