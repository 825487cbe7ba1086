//! The oracle: all orders, one after the other. It shares no code with what it judges.

use super::Op;
use history::calls::{Ended, OPEN};

/// What is tried, with how its histories are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Register,
    Unique,
    Registers,
    Text,
    Mutex,
    Reentrant,
    Fenced,
    Set,
    WholeSet,
    GrowSet,
    Queue,
    UniqueQueue,
    Unordered,
    Stack,
    Counter,
    Lease,
}

/// True if some order explains everything.
pub fn linearizable(object: Object, ops: &[Op], observed: bool) -> bool {
    let counts = |op: &&Op| op.ended != Ended::Fail || (observed && op.f == "cas");
    let ops: Vec<&Op> = ops.iter().filter(counts).collect();
    search(object, &ops, &mut vec![false; ops.len()], &[])
}

fn search(object: Object, ops: &[&Op], done: &mut Vec<bool>, state: &[i64]) -> bool {
    let due = (0..ops.len()).filter(|&i| !done[i]).map(|i| ops[i].ret()).min().unwrap_or(OPEN);
    if due == OPEN {
        return true;
    }
    for i in 0..ops.len() {
        let mut next = state.to_vec();
        if !done[i] && ops[i].invoke < due && possible(object, &mut next, ops[i]) {
            done[i] = true;
            if search(object, ops, done, &next) {
                return true;
            }
            done[i] = false;
        }
    }
    false
}

/// Some of the operations, up to a place; what goes on after it may have taken effect or not.
pub fn part(ops: &[Op], chosen: &[usize], end: Option<u32>) -> Vec<Op> {
    let end = end.unwrap_or(0);
    let mut part: Vec<Op> = chosen.iter().map(|i| ops[*i].clone()).collect();
    part.iter_mut().filter(|op| op.complete > end).for_each(|op| op.complete = OPEN);
    part
}

/// Does an operation to a state, if it is possible there. Outputs of unknown operations are not looked at.
pub fn possible(object: Object, s: &mut Vec<i64>, op: &Op) -> bool {
    let known = op.ended == Ended::Ok;
    let input = op.input.first().copied().unwrap_or(0);
    let output = op.output.first().copied();
    let seen = |value: i64| !known || output == Some(value);
    match (object, op.f) {
        (Object::Register | Object::Unique, f) => {
            let value = s.first().copied().unwrap_or(0);
            match f {
                "read" => return seen(value),
                "write" => *s = vec![input],
                _ if op.ended == Ended::Fail => return value != input,
                _ if value != input => return false,
                _ => *s = vec![op.input[1]],
            }
        }
        (Object::Registers, _) => {
            s.resize(3, 0);
            for (i, micro) in op.input.chunks(3).enumerate() {
                match micro[0] {
                    0 if known && op.output[i] != s[micro[1] as usize] => return false,
                    0 => {}
                    _ => s[micro[1] as usize] = micro[2],
                }
            }
        }
        (Object::Text, "get") => return !known || op.output == *s,
        (Object::Text, "put") => *s = vec![input],
        (Object::Text, _) => s.push(input),
        (Object::Mutex, "acquire") => {
            return s.is_empty() && {
                s.push(1);
                true
            };
        }
        (Object::Mutex, _) => return s.pop().is_some(),
        (Object::Reentrant, "acquire") => {
            return s.iter().all(|p| *p == op.process) && {
                s.push(op.process);
                true
            };
        }
        (Object::Reentrant, _) => return s.last() == Some(&op.process) && s.pop().is_some(),
        (Object::Fenced, f) => {
            s.resize(2, -1);
            match f {
                "acquire" if s[0] >= 0 || known && output.unwrap() <= s[1] => return false,
                "acquire" => *s = vec![op.process, if known { output.unwrap() } else { s[1] }],
                _ if s[0] != op.process => return false,
                _ => s[0] = -1,
            }
        }
        (Object::Set | Object::WholeSet | Object::GrowSet, f) => {
            let there = s.contains(&input);
            match f {
                "add" | "remove" if known && output.is_some_and(|told| (told == 1) != (there == (f == "remove"))) => {
                    return false;
                }
                "add" if !there => s.push(input),
                "remove" => s.retain(|e| *e != input),
                "contains" => return !known || output == Some(i64::from(there)),
                "read" => return !known || s.len() == op.output.len() && s.iter().all(|e| op.output.contains(e)),
                _ => {}
            }
        }
        (Object::Queue | Object::UniqueQueue | Object::Stack | Object::Unordered, "enqueue" | "push") => s.push(input),
        (Object::Unordered, _) => match (known, output) {
            (true, None) => return s.is_empty(),
            (true, Some(v)) => return s.iter().position(|e| *e == v).map(|at| s.remove(at)).is_some(),
            // Any value may have gone; those of an empty queue tell, so all ways to take are tried by the caller's order.
            (false, _) => drop((!s.is_empty()).then(|| s.remove(0))),
        },
        (Object::Queue | Object::UniqueQueue | Object::Stack, f) => {
            let taken =
                if s.is_empty() { None } else { Some(if f == "pop" { s.remove(s.len() - 1) } else { s.remove(0) }) };
            return !known || taken == output;
        }
        (Object::Counter, "add") => *s = vec![s.first().unwrap_or(&0) + input],
        (Object::Counter, _) => return seen(s.first().copied().unwrap_or(0)),
        (Object::Lease, f) => {
            s.resize(2, -1);
            match f {
                "elect" if known && output.unwrap() <= s[1] => return false,
                "elect" => *s = vec![op.process, if known { output.unwrap() } else { s[1] }],
                "renew" => return !known || s[0] == op.process && output == Some(s[1]),
                "resign" if s[0] != op.process => return false,
                "resign" => s[0] = -1,
                _ => return seen(s[0]),
            }
        }
    }
    true
}
