//! Histories of this program as operation histories: what clients asked for, and what their reads saw. Pushes are not calls
//! and are left out.

use super::build::Builder;
use super::value::Value;
use super::{Calls, Ended};
use crate::{Contents, Error, Event, Loaded, OpId, Operation, Outcome, stats};
use rustc_hash::FxHashMap;

/// The operations of a history. Keys are dataIds by name; a read gives the set of values that it saw.
pub fn from_events(loaded: &Loaded) -> Result<Calls, Error> {
    let mut own = Own { builder: Builder::default(), contents: Contents::new(), open: FxHashMap::default() };
    for event in &loaded.events {
        match event {
            Event::Snapshot(snapshot) => own.contents.add(snapshot)?,
            Event::Op(op) => own.operation(op, &loaded.header.data_ids)?,
            _ => own.builder.calls.others += 1,
        }
    }
    let mut calls = own.builder.finish();
    calls.cut = match (&loaded.damage, &loaded.closing) {
        (Some(damage), _) => Some(format!("damaged at byte {} (line {}): {}", damage.offset, damage.line, damage.what)),
        (None, None) => Some("there is no closing line: the run did not come to its end".to_owned()),
        (None, Some(_)) => None,
    };
    Ok(calls)
}

struct Own {
    builder: Builder,
    contents: Contents,
    // Looked up only.
    open: FxHashMap<OpId, u32>,
}

impl Own {
    fn operation(&mut self, op: &Operation, data_ids: &[String]) -> Result<(), Error> {
        let value = match (op.snapshot, &op.value) {
            (Some(snapshot), _) => {
                let content = self.contents.resolve(snapshot)?;
                let symbols = self.builder.symbols();
                Value::Set(Box::new(content.iter().map(|value| Value::Text(symbols.intern(value))).collect()))
            }
            (None, Some(value)) => Value::Text(self.builder.symbols().intern(value)),
            (None, None) => Value::Nil,
        };
        let time_ns = i64::try_from(op.time).unwrap_or(i64::MAX);
        let odd = |what: String| Error::NotHistory { path: "the history".into(), what };
        let ended = match op.outcome {
            Outcome::Invoke => {
                let f = self.builder.symbols().intern(&stats::function(op.f));
                let name = op.data.and_then(|data| data_ids.get(data as usize));
                let key = name.map(|name| Value::Text(self.builder.symbols().intern(name)));
                let number = self.builder.begin(i64::from(op.process), f, value, key, time_ns).map_err(odd)?;
                self.open.insert(op.op, number);
                return Ok(());
            }
            Outcome::Ok => Ended::Ok,
            Outcome::Fail => Ended::Fail,
            Outcome::Info => Ended::Info,
        };
        let number = self.open.remove(&op.op);
        let number = number.ok_or_else(|| odd(format!("operation {} completes without having been invoked", op.op)))?;
        self.builder.end_known(number, ended, value, time_ns, op.error.is_some()).map_err(odd)
    }
}
