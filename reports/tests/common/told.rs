//! A small run of a registry with its messages: a ghost after a lost push.

use super::{Sample1, facts, fault, header, ms, operation, phase, snapshot};
use checkers::{Kind, Violation};
use history::{Event, FaultKind, FaultStage, Function, Node, Outcome, PhaseName, Push};
use reports::RunFacts;
use reports::tale::{Message, tell};

const VALUE: &str = "10.0.0.1:9000#1";

/// The session node has this name.
pub fn ghost(session: &str) -> Sample1 {
    let mut sample = super::violation();
    let node = |name: &str, role: &str| Node { name: name.to_owned(), role: role.to_owned(), serves_clients: true };
    sample.header = header();
    sample.header.nodes = vec![node(session, "session"), node("data-1", "data"), node("meta-1", "meta")];
    sample.header.clients = 2;
    sample.events = events(session);
    let check = &mut sample.report.checks[1];
    check.examples = vec![violation()];
    sample.facts = RunFacts { tale: None, ..facts() };
    sample.facts.tale = tell(&sample.run(), &messages(session), "from 1,388 operations and 9 faults down to 6 and 1");
    sample
}

fn push(time: u64, snapshot: u32) -> Event {
    Event::Push(Push {
        time: ms(time),
        client: 0,
        session: 0,
        subscription: 0,
        data: 0,
        snapshot,
        version: Some((1 << 32) + u64::from(snapshot)),
        node: Some(0),
    })
}

fn events(session: &str) -> Vec<Event> {
    let cut = |time: u64, stage: FaultStage| fault(ms(time), 0, stage, FaultKind::Kill, session, None);
    let op = |time: u64, outcome, op, client, f, value| operation(ms(time), outcome, op, client, f, value);
    use Function as F;
    use Outcome::{Info, Invoke, Ok};
    vec![
        phase(0, PhaseName::WarmUp),
        op(0, Invoke, 0, 0, F::Subscribe, None),
        op(2, Ok, 0, 0, F::Subscribe, None),
        op(5, Invoke, 1, 1, F::Publish, Some(VALUE)),
        op(9, Ok, 1, 1, F::Publish, Some(VALUE)),
        snapshot(0, 0, None, &[VALUE], &[]),
        push(120, 0),
        op(200, Invoke, 2, 1, F::Unpublish, Some(VALUE)),
        cut(210, FaultStage::Start),
        op(900, Info, 2, 1, F::Unpublish, Some(VALUE)),
        cut(1_200, FaultStage::End),
        phase(ms(1_300), PhaseName::Settle),
    ]
}

fn messages(session: &str) -> Vec<Message> {
    let message = |sent: u64, arrives: Option<u64>, from: &str, to: &str, says: &str| Message {
        sent: ms(sent),
        arrives: arrives.map(ms),
        from: from.to_owned(),
        to: to.to_owned(),
        says: says.to_owned(),
    };
    vec![
        message(0, Some(1), "client-0", session, "op 0: subscribe d0 (c0@1)"),
        message(1, Some(2), session, "client-0", "op 0: ok (c0@1)"),
        message(3, Some(4), session, "meta-1", "heartbeat of life 1, knows table v3"),
        message(5, Some(6), "client-1", session, "op 1: publish d0 10.0.0.1:9000#1 (c1@1)"),
        message(6, Some(7), session, "data-1", "write 3 to slot 5: d0 10.0.0.1:9000#1"),
        message(7, Some(8), "data-1", session, "write 3 to slot 5 applied"),
        message(8, Some(9), session, "client-1", "op 1: ok (c1@1)"),
        message(60, Some(61), session, "data-1", "fetch 4: d0?"),
        message(61, Some(62), "data-1", session, "fetch 4: d0 is v4294967297 [10.0.0.1:9000#1]"),
        message(119, Some(120), session, "client-0", "push d0 v4294967297 [10.0.0.1:9000#1], attempt 1 (c0@1)"),
        message(130, Some(131), session, "data-1", "write 9 to slot 7: d12 10.0.0.9:9000#1"),
        message(200, None, "client-1", session, "op 2: unpublish d0, registration 0 (c1@1)"),
        message(250, None, "meta-1", session, "heartbeat confirmed"),
        message(9_000, Some(9_001), session, "data-1", "fetch 5: d0?"),
    ]
}

fn violation() -> Violation {
    Violation {
        kind: Kind::Stale,
        time: ms(5_000),
        client: Some(0),
        subscription: Some(0),
        node: Some(0),
        data: 0,
        snapshot: Some(0),
        version: Some((1 << 32) + 1),
        expected: vec![],
        shown: vec![VALUE.to_owned()],
        missing: vec![],
        extra: vec![VALUE.to_owned()],
        sentence: "client 0 still had orders/checkout with 1 addresses, 10.0.0.1:9000#1 still shown or wrong"
            .to_owned(),
        explained: "by no instant in the last 500 ms".to_owned(),
        trail: vec![],
        faults: vec![0],
        role: "churning".to_owned(),
    }
}
