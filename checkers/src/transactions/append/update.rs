//! Updates that are lost, and updates of what was never committed.

use super::super::finding::Findings;
use super::super::history::{Does, NONE};
use super::super::words;
use super::{Lists, MISFIT};
use history::calls::Ended;
use rustc_hash::FxHashMap;

pub(super) fn find(lists: &Lists<'_, '_>, findings: &mut Findings) {
    lost(lists, findings);
    for key in 0..lists.longest.len() {
        dirty(lists, key as u32, findings);
    }
}

/// Two transactions that read the same version of a key, and then both appended to it.
fn lost(lists: &Lists<'_, '_>, findings: &mut Findings) {
    let (mut last, mut before) = (FxHashMap::default(), Vec::new());
    let mut updates: Vec<(u32, u32, u32)> = Vec::new();
    for (number, txn) in lists.history.numbers().zip(&lists.history.txns) {
        let mops = lists.history.mops(number);
        if !txn.ok() || mops.len() < 2 {
            continue;
        }
        lists.history.before(number, &mut last, &mut before);
        let base = lists.history.range(number).start;
        for (i, mop) in mops.iter().enumerate().filter(|(i, mop)| mop.does == Does::Write && before[*i] != NONE) {
            // The first read of the key, if nothing was appended to it before.
            let (mut at, mut first) = (before[i], NONE);
            while at != NONE && mops[at as usize].does == Does::Read {
                first = at;
                at = before[at as usize];
            }
            if at == NONE && lists.at[base + first as usize] != MISFIT {
                updates.push((mop.key, lists.at[base + first as usize], number));
            }
        }
    }
    updates.sort_unstable();
    for group in updates.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter(|group| group.len() > 1) {
        findings.found("lost-update", || {
            let key = words::key(lists.history, group[0].0);
            let seen = words::list(lists.history, &lists.longest[group[0].0 as usize][..group[0].1 as usize]);
            let names: Vec<String> = group.iter().map(|(_, _, txn)| words::txn(lists.history, *txn)).collect();
            format!("{} all read key {key} as {seen} and appended to it", names.join(" and "))
        });
    }
}

/// A committed append on top of one that failed.
fn dirty(lists: &Lists<'_, '_>, key: u32, findings: &mut Findings) {
    let mut failed = None;
    for version in lists.start[key as usize]..lists.start[key as usize + 1] {
        let writer = lists.writer[version as usize];
        if writer == NONE {
            continue;
        }
        match (lists.history.txns[writer as usize].ended, failed) {
            (Ended::Fail, None) => failed = Some(writer),
            (Ended::Ok, Some(before)) => {
                failed = None;
                findings.found("dirty-update", || {
                    let (key, writer) = (words::key(lists.history, key), words::txn(lists.history, writer));
                    let before = words::txn(lists.history, before);
                    format!("{writer} appended to key {key} on top of what {before} had appended, and that failed")
                });
            }
            _ => {}
        }
    }
}
