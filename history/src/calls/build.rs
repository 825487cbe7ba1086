//! Joins invocations and completions, and takes independent keys apart.

use super::scan::Place;
use super::symbols::{Sym, Symbols};
use super::value::Value;
use super::{Call, Calls, Ended, NO_PROCESS, OPEN};
use rustc_hash::FxHashMap;

/// The type of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invoke,
    Ended(Ended),
}

impl Kind {
    pub(super) fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "invoke" => Kind::Invoke,
            "ok" => Kind::Ended(Ended::Ok),
            "fail" => Kind::Ended(Ended::Fail),
            "info" => Kind::Ended(Ended::Info),
            _ => return None,
        })
    }
}

/// One invocation or completion, as it stands in a file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) kind: Option<Kind>,
    pub(super) process: Value,
    pub(super) f: Option<Sym>,
    pub(super) value: Value,
    pub(super) key: Option<Value>,
    pub(super) time_ns: i64,
    pub(super) error: bool,
}

impl Entry {
    pub(super) fn at(place: Place) -> Entry {
        Entry {
            place,
            kind: None,
            process: Value::Nil,
            f: None,
            value: Value::Nil,
            key: None,
            time_ns: -1,
            error: false,
        }
    }
}

/// Builds [`Calls`] from entries in their order.
#[derive(Debug, Default)]
pub struct Builder {
    pub(super) calls: Calls,
    /// Open calls by what pairs them, mostly the process; several only where the file names none. Looked up only.
    open: FxHashMap<i64, Vec<u32>>,
    place: u32,
}

impl Builder {
    /// Words, for the values of entries.
    pub fn symbols(&mut self) -> &mut Symbols {
        &mut self.calls.symbols
    }

    /// A call begins. Times are nanoseconds, -1 if unknown.
    pub fn invoke(&mut self, process: i64, f: &str, input: Value, time_ns: i64) -> Result<(), String> {
        let f = self.calls.symbols.intern(f);
        self.begin(process, f, input, None, time_ns).map(|_| ())
    }

    /// A call on one of several independent keys begins.
    pub fn invoke_on(
        &mut self,
        process: i64,
        f: &str,
        key: Option<Value>,
        input: Value,
        time_ns: i64,
    ) -> Result<(), String> {
        let f = self.calls.symbols.intern(f);
        self.begin(process, f, input, key, time_ns).map(|_| ())
    }

    /// The open call of a process ends.
    pub fn complete(&mut self, process: i64, ended: Ended, output: Value, time_ns: i64) -> Result<(), String> {
        self.end(process, None, ended, output, time_ns, false)
    }

    pub(super) fn entry(&mut self, entry: Entry) -> Result<(), String> {
        let Some(kind) = entry.kind else { return Err("this operation has no :type".into()) };
        let process = match &entry.process {
            Value::Int(process) => *process,
            Value::Nil => NO_PROCESS,
            other => match other.word() {
                Some(symbol) if self.calls.symbols.name(symbol) != "nemesis" => i64::MIN / 2 + i64::from(symbol.0),
                _ => {
                    self.calls.others += 1;
                    return Ok(());
                }
            },
        };
        let f = entry.f.unwrap_or_else(|| self.calls.symbols.intern(""));
        match kind {
            Kind::Invoke => self.begin(process, f, entry.value, entry.key, entry.time_ns).map(|_| ()),
            Kind::Ended(ended) => self.end(process, Some(f), ended, entry.value, entry.time_ns, entry.error),
        }
    }

    pub(super) fn begin(
        &mut self,
        process: i64,
        f: Sym,
        input: Value,
        key: Option<Value>,
        start_ns: i64,
    ) -> Result<u32, String> {
        let number = u32::try_from(self.calls.calls.len()).map_err(|_| "more than 2^32 operations".to_owned())?;
        let open = self.open.entry(process).or_default();
        if process != NO_PROCESS && !open.is_empty() {
            return Err(format!("process {process} begins an operation while its last one is still open"));
        }
        open.push(number);
        let invoke = self.next_place()?;
        self.calls.keyed |= key.is_some();
        let (ended, output) = (Ended::Info, Value::Nil);
        let (complete, end_ns) = (OPEN, -1);
        let error = false;
        self.calls.calls.push(Call {
            process,
            f,
            ended,
            error,
            invoke,
            complete,
            start_ns,
            end_ns,
            key,
            input,
            output,
        });
        Ok(number)
    }

    fn end(
        &mut self,
        process: i64,
        f: Option<Sym>,
        ended: Ended,
        output: Value,
        end_ns: i64,
        error: bool,
    ) -> Result<(), String> {
        let calls = &self.calls.calls;
        let open = self.open.entry(process).or_default();
        let fits = |number: &u32| f.is_none_or(|f| calls[*number as usize].f == f);
        // Without processes a completion belongs to the call with the same value, or else to the first of its kind.
        let same = |number: &u32| fits(number) && calls[*number as usize].input == output;
        let found = match process {
            NO_PROCESS => open.iter().position(same).or_else(|| open.iter().position(fits)),
            _ => open.iter().position(fits),
        };
        let Some(found) = found else {
            let whose = if process == NO_PROCESS { "somebody".to_owned() } else { format!("process {process}") };
            let name = f.map(|f| self.calls.symbols.name(f)).filter(|name| !name.is_empty()).unwrap_or("an operation");
            return Err(format!("{whose} completes {name} without having invoked it"));
        };
        let number = open.remove(found);
        self.close(number, ended, output, end_ns, error)
    }

    /// Completes a call that is known by its number.
    pub(super) fn end_known(
        &mut self,
        number: u32,
        ended: Ended,
        output: Value,
        end_ns: i64,
        error: bool,
    ) -> Result<(), String> {
        let process = self.calls.calls[number as usize].process;
        if let Some(open) = self.open.get_mut(&process) {
            open.retain(|open| *open != number);
        }
        self.close(number, ended, output, end_ns, error)
    }

    fn close(&mut self, number: u32, ended: Ended, output: Value, end_ns: i64, error: bool) -> Result<(), String> {
        let place = self.next_place()?;
        let call = &mut self.calls.calls[number as usize];
        call.ended = ended;
        call.output = output;
        call.error = error;
        call.end_ns = end_ns;
        call.complete = place;
        Ok(())
    }

    fn next_place(&mut self) -> Result<u32, String> {
        let place = self.place;
        // The last numbers are kept free, so that places can be moved behind all others.
        self.place = place.checked_add(1).filter(|place| *place < OPEN / 2).ok_or("more than 2^31 entries")?;
        Ok(place)
    }

    /// The whole history.
    pub fn finish(mut self) -> Calls {
        if !self.calls.keyed && has_tuples(&self.calls) {
            self.calls.keyed = true;
            for call in &mut self.calls.calls {
                split(call);
            }
        }
        self.calls.calls.shrink_to_fit();
        self.calls
    }
}

/// True if every call's value is a tuple `[key value]`, and some show beyond doubt that it is not the value itself: a read
/// that knows no value yet, a compare-and-set whose second part is a pair, or a transaction whose second part is one. What came
/// back must be such tuples too.
fn has_tuples(calls: &Calls) -> bool {
    let mut certain = false;
    for call in &calls.calls {
        let Some([key, value]) = call.input.list() else { return false };
        if key.is_nil() || key.list().is_some() {
            return false;
        }
        if call.ended == Ended::Ok && !matches!(call.output.list(), Some([again, _]) if again == key) {
            return false;
        }
        if matches!(calls.f(call), "cas" | "compare-and-set") {
            let Some([_, _]) = value.list() else { return false };
            certain = true;
        }
        certain |= value.is_nil() || calls.f(call) == "txn" && is_transaction(value);
    }
    certain
}

/// True for a list of lists that begin with the name of a function.
fn is_transaction(value: &Value) -> bool {
    let part = |part: &Value| part.list().and_then(<[Value]>::first).is_some_and(|f| f.word().is_some());
    value.list().is_some_and(|parts| !parts.is_empty() && parts.iter().all(part))
}

fn split(call: &mut Call) {
    let Value::List(pair) = std::mem::take(&mut call.input) else { return };
    if let Ok([key, value]) = <[Value; 2]>::try_from(pair.into_vec()) {
        let same = matches!(call.output.list(), Some([first, _]) if *first == key);
        if same && let Value::List(output) = std::mem::take(&mut call.output) {
            call.output = output.into_vec().into_iter().nth(1).unwrap_or_default();
        }
        call.key = Some(key);
        call.input = value;
    }
}
