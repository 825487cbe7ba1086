//! Was enough seen? Too little is inconclusive, never a pass.

use crate::content::Contents;
use crate::options::Options;
use crate::record::Record;
use crate::trouble::Trouble;
use crate::views::Watched;
use history::{Function, Nanos, Outcome, PhaseName};

/// How much was seen and judged.
pub(crate) struct Seen {
    pub pushes: u64,
    /// Pushes judged under a finite horizon.
    pub pushes_judged: u64,
    pub subscribed: u128,
    pub judged: u128,
    /// Operations that ended ok, without those that put nothing to the test: pings, connects, final reads.
    pub operations_ok: u64,
    pub faults: u64,
    pub faults_bit: u64,
    /// Those that were still going on when the history ended.
    pub faults_open: u64,
    pub final_reads: u64,
    pub pinned: (u128, u128),
    /// Pushes and reads that refer to contents that are not there.
    pub unknown_contents: u64,
    pub damaged_contents: u64,
}

impl Seen {
    pub fn new(
        record: &Record,
        contents: &Contents,
        troubles: &[Trouble],
        watched: &Watched,
        pinned: (u128, u128),
    ) -> Seen {
        let finals = record.phases.get(&PhaseName::Final);
        let ok = |op: &&crate::record::Op| op.outcome == Outcome::Ok;
        let tells = |op: &&crate::record::Op| {
            !matches!(op.f, Function::Ping | Function::Connect) && finals.is_none_or(|f| op.invoke < *f)
        };
        let reads = || record.ops.iter().filter(ok).filter(|op| op.f == Function::Read);
        let known = |id: Option<u32>| id.is_some_and(|id| contents.find(id).is_some());
        let mut faults: Vec<u32> = record.faults.iter().map(|fault| fault.id).collect();
        faults.sort_unstable();
        faults.dedup();
        Seen {
            pushes: record.pushes,
            pushes_judged: watched.pushes_judged,
            subscribed: watched.subscribed,
            judged: watched.judged,
            operations_ok: record.ops.iter().filter(ok).filter(tells).count() as u64,
            faults: faults.len() as u64,
            faults_bit: troubles.iter().filter(|t| t.bit).count() as u64,
            faults_open: troubles.iter().filter(|t| t.span.to == Nanos::MAX).count() as u64,
            final_reads: reads().filter(|op| finals.is_some_and(|f| op.invoke >= *f)).count() as u64,
            pinned,
            unknown_contents: watched.unknown + reads().filter(|op| !known(op.snapshot)).count() as u64,
            damaged_contents: contents.damaged.len() as u64,
        }
    }

    /// Share of the time with a subscription and of the pushes that was judged under a finite horizon; the lesser of both.
    pub fn judged_permille(&self) -> i64 {
        let permille = |part: u128, whole: u128| (part * 1000).checked_div(whole).unwrap_or(0) as i64;
        let pushes = permille(u128::from(self.pushes_judged), u128::from(self.pushes));
        permille(self.judged, self.subscribed).min(pushes)
    }

    /// Share of the time of chaos in which pinned publishers had to be there; none without chaos or pinned publishers.
    pub fn pinned_must_permille(&self) -> Option<i64> {
        (self.pinned.0 * 1000).checked_div(self.pinned.1).map(|p| p as i64)
    }
}

/// Why the history is not enough for a verdict, in sentences.
pub(crate) fn reasons(seen: &Seen, record: &Record, options: &Options) -> Vec<String> {
    let mut out = Vec::new();
    if seen.pushes == 0 {
        out.push("no subscriber was ever shown anything".to_owned());
    } else if seen.judged_permille() < 300 {
        let share = seen.judged_permille() / 10;
        out.push(format!("only {share} % of what subscribers saw was judged under a finite bound; 30 % is the least"));
    }
    if seen.operations_ok < options.operations_min {
        let (ok, min) = (seen.operations_ok, options.operations_min);
        out.push(format!("only {ok} operations ended ok; {min} is the least"));
    }
    let whole = record.phases.contains_key(&PhaseName::End);
    // What goes on where the history breaks off is measured at its end only.
    let measured = if whole { seen.faults } else { seen.faults - seen.faults_open };
    if measured > 0 && seen.faults_bit == 0 {
        out.push(match measured {
            1 => "the only fault did not bite".to_owned(),
            n => format!("{n} faults were planned and none of them bit"),
        });
    }
    if let Some(permille) = seen.pinned_must_permille().filter(|p| *p < 500) {
        let share = permille / 10;
        out.push(format!(
            "pinned publishers had to be there for only {share} % of the time of chaos; half is the least"
        ));
    }
    if !whole {
        out.push("the history does not reach the end of the run".to_owned());
    }
    if seen.final_reads < u64::from(record.header.final_reads) {
        let (got, all) = (seen.final_reads, record.header.final_reads);
        out.push(format!("only {got} of {all} final reads were made"));
    }
    if seen.unknown_contents + seen.damaged_contents > 0 {
        let n = seen.unknown_contents + seen.damaged_contents;
        out.push(format!("{n} contents are missing or damaged in the history"));
    }
    if let Some(value) = record.ambiguous.first() {
        out.push(format!("values are not unique: {value} was published more than once"));
    }
    out
}
