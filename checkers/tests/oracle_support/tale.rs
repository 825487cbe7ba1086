//! A tiny history in whole milliseconds, no two events at the same time.

use crate::support;
use history::{ConnectionState, Contract, Event, FaultKind, Function, Header, Outcome, PhaseName};

#[derive(Clone, Debug)]
pub struct Op {
    pub t: u64,
    pub client: u32,
    pub session: u32,
    pub f: Function,
    pub data: u32,
    pub value: String,
    pub end: Option<(Outcome, u64)>,
    pub shown: Vec<String>,
}

impl Op {
    pub fn outcome(&self) -> Outcome {
        self.end.map_or(Outcome::Info, |e| e.0)
    }

    pub fn ok(&self) -> Option<u64> {
        self.end.filter(|e| e.0 == Outcome::Ok).map(|e| e.1)
    }
}

#[derive(Clone, Debug)]
pub struct Conn {
    pub t: u64,
    pub client: u32,
    pub session: u32,
    pub node: u32,
    pub state: ConnectionState,
}

#[derive(Clone, Debug)]
pub struct Push {
    pub t: u64,
    pub client: u32,
    pub data: u32,
    pub shown: Vec<String>,
    pub version: Option<u64>,
    /// None: the client's latest.
    pub session: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct Fault {
    pub t: u64,
    pub kind: FaultKind,
    pub target: String,
    pub until: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Tale {
    pub contract: Contract,
    pub ops: Vec<Op>,
    pub conns: Vec<Conn>,
    pub pushes: Vec<Push>,
    pub faults: Vec<Fault>,
    pub last: Option<u64>,
    pub end: u64,
}

impl Tale {
    pub fn header(&self) -> Header {
        support::header(self.contract.clone())
    }

    pub fn events(&self) -> Vec<Event> {
        let mut writer = support::Writer::default();
        for t in 0..=self.end {
            for c in self.conns.iter().filter(|c| c.t == t) {
                let at = matches!(c.state, ConnectionState::Connected | ConnectionState::Resumed);
                writer.connection(t, c.client, c.state, at.then_some((c.node, c.session)));
            }
            for op in self.ops.iter().filter(|o| o.t == t) {
                let publishes = matches!(op.f, Function::Publish | Function::Unpublish);
                let about = publishes || matches!(op.f, Function::Subscribe | Function::Unsubscribe | Function::Read);
                let read =
                    (op.f == Function::Read && op.ok().is_some()).then(|| writer.snapshot(op.data, op.shown.clone()));
                let value = publishes.then_some(op.value.as_str());
                writer.op(t, op.client, op.f, about.then_some((op.data, 0)), value, read, op.end);
            }
            for p in self.pushes.iter().filter(|p| p.t == t) {
                writer.push(t, p.client, (p.data, 0), p.shown.clone(), p.version);
            }
            for f in self.faults.iter().filter(|f| f.t == t) {
                writer.fault(t, f.kind, &f.target, f.until);
            }
        }
        if let Some(last) = self.last {
            writer.phase(last, PhaseName::Final);
        }
        writer.phase(self.end, PhaseName::End);
        writer.finish()
    }

    pub fn describe(&self) -> String {
        let mut lines: Vec<(u64, String)> = Vec::new();
        lines.extend(
            self.conns.iter().map(|c| (c.t, format!("c{} {:?} n{} s{}", c.client, c.state, c.node, c.session))),
        );
        lines.extend(self.ops.iter().map(|o| {
            (o.t, format!("c{} {:?} d{} {} s{} {:?} {:?}", o.client, o.f, o.data, o.value, o.session, o.end, o.shown))
        }));
        lines.extend(
            self.pushes.iter().map(|p| (p.t, format!("c{} push d{} {:?} {:?}", p.client, p.data, p.shown, p.version))),
        );
        lines.extend(self.faults.iter().map(|f| (f.t, format!("fault {:?} {} {:?}", f.kind, f.target, f.until))));
        lines.sort();
        let body: Vec<String> = lines.into_iter().map(|(t, l)| format!("{t:3} {l}")).collect();
        format!("{:#?}\n{}\nfinal {:?} end {}", self.contract, body.join("\n"), self.last, self.end)
    }
}
