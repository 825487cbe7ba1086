//! Random tiny histories: operations take effect somewhere within their time, and then, half of the time, one of the results is
//! changed.

use super::Op;
use super::brute::{Object, possible};
use super::dice::Dice;
use history::calls::{Ended, OPEN};

fn pick<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[dice.below(of.len() as u64) as usize]
}

/// A call and its input.
fn draw(object: Object, dice: &mut Dice, next: &mut i64) -> (&'static str, Vec<i64>) {
    let value = dice.below(3) as i64;
    *next += 1;
    let f = match object {
        Object::Register => pick(dice, &["read", "read", "write", "cas"]),
        Object::Unique => pick(dice, &["read", "read", "write"]),
        Object::Registers => "txn",
        Object::Text => pick(dice, &["get", "get", "put", "append", "append"]),
        Object::Mutex | Object::Reentrant | Object::Fenced => pick(dice, &["acquire", "release"]),
        Object::Set => pick(dice, &["add", "remove", "contains", "contains"]),
        Object::WholeSet => pick(dice, &["add", "remove", "contains", "read"]),
        Object::GrowSet => pick(dice, &["add", "read"]),
        Object::Queue | Object::UniqueQueue | Object::Unordered => pick(dice, &["enqueue", "dequeue"]),
        Object::Stack => pick(dice, &["push", "pop"]),
        Object::Counter => pick(dice, &["add", "read"]),
        Object::Lease => pick(dice, &["elect", "renew", "resign", "read"]),
    };
    let input = match f {
        "cas" => vec![value, dice.below(3) as i64],
        "txn" => (0..1 + dice.below(2))
            .flat_map(|_| [dice.below(2) as i64, dice.below(3) as i64, 1 + dice.below(2) as i64])
            .collect(),
        "write" | "enqueue" if matches!(object, Object::Unique | Object::UniqueQueue) => vec![*next],
        "add" if object == Object::GrowSet => vec![*next],
        "write" | "put" | "append" | "enqueue" | "push" | "add" | "remove" | "contains" => vec![value],
        _ => vec![],
    };
    (f, input)
}

/// Results that a call could have.
fn results(object: Object, op: &Op, state: &[i64], next: i64) -> Vec<Vec<i64>> {
    let ints = |range: std::ops::Range<i64>| range.map(|n| vec![n]).collect::<Vec<_>>();
    match (object, op.f) {
        (Object::Set | Object::WholeSet, "add" | "remove") => vec![vec![], vec![0], vec![1]],
        (Object::WholeSet | Object::GrowSet, "read") => {
            let all = state.to_vec();
            let less = state.iter().copied().skip(1).collect();
            vec![
                all.clone(),
                all.clone(),
                all,
                less,
                vec![],
                state.iter().copied().chain([1]).collect::<std::collections::BTreeSet<_>>().into_iter().collect(),
            ]
        }
        (Object::Text, "get") => vec![
            state.to_vec(),
            state.to_vec(),
            state.iter().copied().skip(1).collect(),
            state.iter().rev().copied().collect(),
        ],
        (Object::Registers, _) => {
            let one = |n: i64| op.input.chunks(3).map(|_| n).collect();
            let (mut state, count) = (state.to_vec(), op.input.len() / 3);
            state.resize(3, 0);
            let now = op.input.chunks(3).map(|micro| state[micro[1] as usize]).collect();
            vec![now, one(0), one(1), one(2), (0..count as i64).collect()]
        }
        (_, "dequeue" | "pop") => {
            [vec![], vec![]].into_iter().chain(ints(0..3)).chain(state.iter().map(|v| vec![*v])).collect()
        }
        (_, "contains") => ints(0..2),
        (Object::Lease, "read") => ints(-1..4),
        (Object::Fenced | Object::Lease, "acquire" | "elect" | "renew") => ints(0..5),
        (Object::Unique, "read") => ints(0..next + 1),
        (_, "read") => ints(0..4),
        _ => vec![vec![]],
    }
}

/// One history.
pub fn history(object: Object, dice: &mut Dice) -> Vec<Op> {
    let count = 2 + dice.below(6) as usize;
    let flight = 1 + dice.below(4) as usize;
    let (mut ops, mut state): (Vec<Op>, Vec<i64>) = (Vec::new(), Vec::new());
    let mut open: Vec<(usize, bool)> = Vec::new();
    let (mut place, mut next, mut fresh) = (0, 0, flight as i64);
    let mut idle: Vec<i64> = (0..flight as i64).collect();
    let changed = if dice.below(2) == 0 { dice.below(count as u64) as usize } else { usize::MAX };
    while ops.len() < count || !open.is_empty() {
        match dice.below(3) {
            0 if ops.len() < count && !idle.is_empty() => {
                let process = idle.remove(dice.below(idle.len() as u64) as usize);
                let (f, input) = draw(object, dice, &mut next);
                open.push((ops.len(), false));
                ops.push(Op { process, f, input, output: vec![], invoke: place, complete: OPEN, ended: Ended::Ok });
                place += 1;
            }
            1 if !open.is_empty() => {
                let which = dice.below(open.len() as u64) as usize;
                let number = open[which].0;
                open[which].1 |= act(object, &mut ops[number], &mut state, dice, next);
            }
            2 if !open.is_empty() => {
                let (number, acted) = open.remove(dice.below(open.len() as u64) as usize);
                let op = &mut ops[number];
                let acted = acted || act(object, op, &mut state, dice, next);
                let unknown = dice.below(8) == 0;
                op.ended = match (unknown, acted) {
                    (true, _) => Ended::Info,
                    (false, true) => Ended::Ok,
                    (false, false) => Ended::Fail,
                };
                if number == changed && op.ended != Ended::Info {
                    op.ended = Ended::Ok;
                    let all = results(object, op, &state, next);
                    op.output = all[dice.below(all.len() as u64) as usize].clone();
                }
                op.complete = place;
                place += 1;
                let again = if unknown { fresh } else { op.process };
                fresh += i64::from(unknown);
                idle.push(again);
            }
            _ => {}
        }
    }
    ops
}

/// Lets an operation take effect with a result that is possible now; false if none is.
fn act(object: Object, op: &mut Op, state: &mut Vec<i64>, dice: &mut Dice, next: i64) -> bool {
    let mut all = results(object, op, state, next);
    while !all.is_empty() {
        op.output = all.swap_remove(dice.below(all.len() as u64) as usize);
        let mut after = state.clone();
        if possible(object, &mut after, op) {
            *state = after;
            return true;
        }
    }
    false
}
