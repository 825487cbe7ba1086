//! Closed-loop histories as checkers.md of the peers' figures describes them: always the same number of operations in flight, each
//! takes effect at a random instant within its time.

#[path = "../../tests/dice/mod.rs"]
mod dice;

use dice::Dice;
use history::calls::{Builder, Calls, Ended, Value};

/// What clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Reads and writes of distinct values, half each.
    Unique,
    /// Reads, writes and compare-and-sets of the values 0 to 4, a third each.
    Cas5,
}

/// How a history is made.
#[derive(Clone, Copy, Debug)]
pub struct ClosedLoop {
    /// What clients do.
    pub load: Load,
    /// Operations in all.
    pub operations: u32,
    /// Operations in flight, for each key.
    pub flight: u32,
    /// Keys.
    pub keys: u32,
    /// One read near this share (per mille) of the history sees a value that nobody ever writes.
    pub impossible_permille: Option<u32>,
    /// So many outcomes of a thousand are unknown.
    pub unknown_permille: u32,
    /// The seed.
    pub seed: u64,
}

#[derive(Clone, Copy)]
enum Op {
    Read,
    Write(i64),
    Cas(i64, i64),
}

/// One operation in flight.
struct Open {
    key: u32,
    process: i64,
    op: Op,
    /// Its result once it took effect: a value read, or whether a compare-and-set succeeded.
    result: Option<Result<i64, ()>>,
}

impl ClosedLoop {
    /// The history.
    pub fn calls(&self) -> Calls {
        let mut dice = Dice(self.seed);
        let mut builder = Builder::default();
        let mut values = vec![-1i64; self.keys as usize];
        let mut open: Vec<Open> = Vec::new();
        let (mut begun, mut ended, mut next) = (0, 0, 0);
        let mut fresh = i64::from(self.flight * self.keys);
        let bad_at =
            self.impossible_permille.map(|share| (u64::from(self.operations) * u64::from(share) / 1000) as u32);
        let mut bad_due = false;
        for slot in 0..self.flight * self.keys {
            begun += 1;
            open.push(self.begin(&mut builder, &mut dice, slot / self.flight, i64::from(slot), &mut next));
        }
        while !open.is_empty() {
            let at = dice.below(open.len() as u64) as usize;
            if open[at].result.is_none() {
                let key = open[at].key as usize;
                open[at].result = Some(take_effect(open[at].op, &mut values[key]));
            }
            // Half of the draws let an operation take effect only, so that it need not end at once.
            if dice.below(2) == 0 {
                continue;
            }
            bad_due |= bad_at == Some(ended);
            ended += 1;
            let mut done = open.swap_remove(at);
            if bad_due && matches!(done.op, Op::Read) {
                (done.result, bad_due) = (Some(Ok(-77)), false);
            }
            let unknown = dice.below(1000) < u64::from(self.unknown_permille);
            finish(&mut builder, &done, unknown);
            if begun < self.operations {
                begun += 1;
                let process = if unknown { fresh } else { done.process };
                fresh += i64::from(unknown);
                open.push(self.begin(&mut builder, &mut dice, done.key, process, &mut next));
            }
        }
        builder.finish()
    }

    fn begin(&self, builder: &mut Builder, dice: &mut Dice, key: u32, process: i64, next: &mut i64) -> Open {
        let op = match (self.load, dice.below(6)) {
            (Load::Unique, 0..3) | (Load::Cas5, 0..2) => Op::Read,
            (Load::Unique, _) => {
                *next += 1;
                Op::Write(*next)
            }
            (Load::Cas5, 2..4) => Op::Write(dice.below(5) as i64),
            (Load::Cas5, _) => Op::Cas(dice.below(5) as i64, dice.below(5) as i64),
        };
        let (f, input) = match op {
            Op::Read => ("read", Value::Nil),
            Op::Write(value) => ("write", Value::Int(value)),
            Op::Cas(old, new) => ("cas", Value::List(vec![Value::Int(old), Value::Int(new)].into())),
        };
        let key_of = self.keyed(key);
        builder.invoke_on(process, f, key_of, input, -1).expect("a free process");
        Open { key, process, op, result: None }
    }

    fn keyed(&self, key: u32) -> Option<Value> {
        (self.keys > 1).then(|| Value::Int(i64::from(key)))
    }
}

fn take_effect(op: Op, value: &mut i64) -> Result<i64, ()> {
    match op {
        Op::Read => {}
        Op::Write(new) => *value = new,
        Op::Cas(old, _) if old != *value => return Err(()),
        Op::Cas(_, new) => *value = new,
    }
    Ok(*value)
}

fn finish(builder: &mut Builder, done: &Open, unknown: bool) {
    let ended = match (unknown, done.result) {
        (true, _) => Ended::Info,
        (false, Some(Err(()))) => Ended::Fail,
        (false, _) => Ended::Ok,
    };
    let output = match (done.op, done.result) {
        (Op::Read, Some(Ok(-1))) => Value::Nil,
        (Op::Read, Some(Ok(value))) => Value::Int(value),
        (Op::Write(value), _) => Value::Int(value),
        _ => Value::Nil,
    };
    builder.complete(done.process, ended, output, -1).expect("an open operation");
}

/// Writes a history of registers for other checkers, an operation a line, by tabs: key, process, places of invocation and completion
/// (-1: nobody knows), r, w or c, two arguments, outcome, value seen (-1: nil).
pub fn write_tsv(calls: &Calls, out: &mut impl std::io::Write) -> std::io::Result<()> {
    let int = |value: &Value| value.int().unwrap_or(-1);
    for call in &calls.calls {
        let key = call.key.as_ref().map_or(0, int);
        let (f, a, b) = match (calls.f(call), call.input.list()) {
            ("read", _) => ('r', 0, 0),
            ("cas", Some([old, new])) => ('c', int(old), int(new)),
            _ => ('w', int(&call.input), 0),
        };
        let (end, outcome) = match call.ended {
            Ended::Ok => (i64::from(call.complete), "ok"),
            Ended::Fail => (i64::from(call.complete), "fail"),
            Ended::Info => (-1, "info"),
        };
        let (process, begin, seen) = (call.process, call.invoke, int(&call.output));
        writeln!(out, "{key}\t{process}\t{begin}\t{end}\t{f}\t{a}\t{b}\t{outcome}\t{seen}")?;
    }
    out.flush()
}
