//! Aborted, intermediate, internal and future reads, elements that nobody wrote or that are there twice, orders that contradict.

use super::super::finding::Findings;
use super::super::history::{Does, NONE};
use super::super::words;
use super::{Lists, MISFIT, items};
use history::calls::Value;
use rustc_hash::{FxHashMap, FxHashSet};

/// What is wrong with the beginnings of a key's longest read, counted up to each length.
#[derive(Default)]
struct Wrong {
    aborted: Vec<u32>,
    unwritten: Vec<u32>,
    /// From this length on an element is there twice.
    twice_from: Option<u32>,
}

pub(super) fn find(lists: &Lists<'_, '_>, findings: &mut Findings) {
    let wrong: Vec<Option<Wrong>> = (0..lists.longest.len()).map(|key| of_key(lists, key)).collect();
    let (mut last, mut before) = (FxHashMap::default(), Vec::new());
    for (number, txn) in lists.history.numbers().zip(&lists.history.txns) {
        if !txn.ok() {
            continue;
        }
        for at in lists.history.range(number) {
            let mop = &lists.history.all()[at];
            match (mop.does, lists.at[at]) {
                (Does::Read, MISFIT) => misfit(lists, number, mop.key, items(mop.value), findings),
                (Does::Read, length) => {
                    if let Some(wrong) = &wrong[mop.key as usize] {
                        read(lists, number, mop.key, length, wrong, findings);
                    }
                    if length > 0 {
                        intermediate(lists, number, lists.start[mop.key as usize] + length - 1, mop.key, findings);
                    }
                }
                _ => {}
            }
        }
        if lists.history.range(number).len() > 1 {
            lists.history.before(number, &mut last, &mut before);
            inside(lists, number, &before, findings);
        }
    }
    for (txn, first, second) in lists.torn.iter().filter(|(txn, ..)| lists.possible(*txn)) {
        findings.found("incompatible-order", || {
            let part = |at: &u32| &lists.history.all()[*at as usize];
            let (txn, key) = (words::txn(lists.history, *txn), words::key(lists.history, part(first).key));
            let element = |at: &u32| words::value(lists.history, part(at).value);
            let (first, second) = (element(first), element(second));
            format!(
                "{txn} appended {first} to key {key} and then {second}, and {second} was read without {first} before it"
            )
        });
    }
}

fn of_key(lists: &Lists<'_, '_>, key: usize) -> Option<Wrong> {
    let mut wrong = Wrong::default();
    let (mut aborted, mut unwritten) = (0, 0);
    for (i, version) in (lists.start[key]..lists.start[key + 1]).enumerate() {
        let element = &lists.longest[key][i];
        let first = lists.version.get(key as u32, element) == Some(version);
        let writer = lists.writer[version as usize];
        if !first {
            wrong.twice_from.get_or_insert(i as u32 + 1);
        } else if writer == NONE {
            unwritten += 1;
        } else if !lists.possible(writer) {
            aborted += 1;
        }
        if aborted + unwritten > 0 && wrong.aborted.is_empty() {
            wrong.aborted = vec![0; i];
            wrong.unwritten = vec![0; i];
        }
        if aborted + unwritten > 0 {
            wrong.aborted.push(aborted);
            wrong.unwritten.push(unwritten);
        }
    }
    (wrong.twice_from.is_some() || aborted + unwritten > 0).then_some(wrong)
}

fn read(lists: &Lists<'_, '_>, txn: u32, key: u32, length: u32, wrong: &Wrong, findings: &mut Findings) {
    let upto = |counts: &[u32]| length.checked_sub(1).and_then(|at| counts.get(at as usize)).copied().unwrap_or(0);
    let (aborted, unwritten) = (upto(&wrong.aborted), upto(&wrong.unwritten));
    let element = |counts: &[u32]| &lists.longest[key as usize][counts.partition_point(|count| *count == 0)];
    if aborted > 0 {
        let element = element(&wrong.aborted);
        findings.several("G1a", u64::from(aborted), || aborted_sentence(lists, txn, key, element));
    }
    if unwritten > 0 {
        let element = element(&wrong.unwritten);
        findings.several("unwritten-element", u64::from(unwritten), || unwritten_sentence(lists, txn, key, element));
    }
    if let Some(from) = wrong.twice_from.filter(|from| *from <= length) {
        let element = &lists.longest[key as usize][from as usize - 1];
        findings.found("duplicate-elements", || twice_sentence(lists, txn, key, element));
    }
}

fn aborted_sentence(lists: &Lists<'_, '_>, txn: u32, key: u32, element: &Value) -> String {
    let (reader, key_name) = (words::txn(lists.history, txn), words::key(lists.history, key));
    let writer = lists.version.get(key, element).map_or(NONE, |version| lists.writer[version as usize]);
    let (element, writer) = (words::value(lists.history, element), words::txn(lists.history, writer));
    format!("{reader} read {element} in key {key_name}, which {writer} appended, and that failed")
}

fn unwritten_sentence(lists: &Lists<'_, '_>, txn: u32, key: u32, element: &Value) -> String {
    let (reader, key) = (words::txn(lists.history, txn), words::key(lists.history, key));
    format!("{reader} read {} in key {key}, which nobody appended", words::value(lists.history, element))
}

fn twice_sentence(lists: &Lists<'_, '_>, txn: u32, key: u32, element: &Value) -> String {
    let (reader, key) = (words::txn(lists.history, txn), words::key(lists.history, key));
    format!("{reader} read {} in key {key} twice, and it was appended once", words::value(lists.history, element))
}

/// A read that is no beginning of the longest one.
fn misfit(lists: &Lists<'_, '_>, txn: u32, key: u32, list: &[Value], findings: &mut Findings) {
    findings.found("incompatible-order", || {
        let (reader, key_name) = (words::txn(lists.history, txn), words::key(lists.history, key));
        let longest = words::list(lists.history, lists.longest[key as usize]);
        let list = words::list(lists.history, list);
        format!("{reader} read key {key_name} as {list}, which is no beginning of {longest}, that others read")
    });
    let mut seen = FxHashSet::default();
    for element in list {
        if !seen.insert(element) {
            findings.found("duplicate-elements", || twice_sentence(lists, txn, key, element));
            continue;
        }
        match lists.version.get(key, element).map(|version| lists.writer[version as usize]) {
            None | Some(NONE) => findings.found("unwritten-element", || unwritten_sentence(lists, txn, key, element)),
            Some(writer) if !lists.possible(writer) => {
                findings.found("G1a", || aborted_sentence(lists, txn, key, element));
            }
            Some(_) => {}
        }
    }
    if let Some(version) = list.last().and_then(|element| lists.version.get(key, element)) {
        intermediate(lists, txn, version, key, findings);
    }
}

fn intermediate(lists: &Lists<'_, '_>, txn: u32, version: u32, key: u32, findings: &mut Findings) {
    let writer = lists.writer[version as usize];
    if lists.intermediate[version as usize] && writer != txn && lists.possible(writer) {
        findings.found("G1b", || {
            let (reader, key) = (words::txn(lists.history, txn), words::key(lists.history, key));
            let writer = words::txn(lists.history, writer);
            format!("{reader} read key {key} as {writer} left it in between, before its last append to it")
        });
    }
}

/// A transaction against itself.
fn inside(lists: &Lists<'_, '_>, txn: u32, before: &[u32], findings: &mut Findings) {
    let mops = lists.history.mops(txn);
    let base = lists.history.range(txn).start;
    for (i, mop) in mops.iter().enumerate().filter(|(i, _)| before[*i] != NONE) {
        match mop.does {
            Does::Read if !follows(lists, txn, i, before) => findings.found("internal", || {
                let (name, key) = (words::txn(lists.history, txn), words::key(lists.history, mop.key));
                let list = words::list(lists.history, items(mop.value));
                format!("{name} read key {key} as {list}, which contradicts what it read and appended before")
            }),
            Does::Write if foresaw(lists, base, i, before) => findings.found("future-read", || {
                let (name, key) = (words::txn(lists.history, txn), words::key(lists.history, mop.key));
                let element = words::value(lists.history, mop.value);
                format!("{name} read {element} in key {key} before it appended it itself")
            }),
            _ => {}
        }
    }
}

/// True if a read shows what the transaction knows of the key.
fn follows(lists: &Lists<'_, '_>, txn: u32, i: usize, before: &[u32]) -> bool {
    let mops = lists.history.mops(txn);
    let mut rest = items(mops[i].value);
    let mut at = before[i];
    while at != NONE {
        let mop = &mops[at as usize];
        match mop.does {
            Does::Write => match rest.split_last() {
                Some((last, shorter)) if last == mop.value => rest = shorter,
                _ => return false,
            },
            Does::Read => return rest == items(mop.value),
            Does::Unknown => return true,
        }
        at = before[at as usize];
    }
    true
}

/// True if an append was seen before it was made.
fn foresaw(lists: &Lists<'_, '_>, base: usize, i: usize, before: &[u32]) -> bool {
    let (version, element) = (lists.at[base + i], &lists.history.all()[base + i]);
    if version == NONE {
        return false;
    }
    let mut at = before[i];
    while at != NONE {
        let mop = &lists.history.all()[base + at as usize];
        let seen = match (mop.does, lists.at[base + at as usize]) {
            (Does::Read, MISFIT) => items(mop.value).contains(element.value),
            (Does::Read, length) => {
                let begin = lists.start[mop.key as usize];
                (begin..begin + length).contains(&version)
            }
            _ => false,
        };
        if seen {
            return true;
        }
        at = before[at as usize];
    }
    false
}
