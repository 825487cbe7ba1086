//! The lines that make up nearly all of a history, pushes and operations, written by hand: the same bytes as serde_json
//! writes, several times faster. `tests` compare the two.

use crate::{Function, Operation, Outcome, Push};

/// Appends the line of a push, without its newline.
pub(crate) fn put_push(out: &mut Vec<u8>, push: &Push) {
    out.extend_from_slice(b"{\"push\":{\"time\":");
    number(out, push.time);
    field(out, b",\"client\":", push.client);
    field(out, b",\"session\":", push.session);
    field(out, b",\"subscription\":", push.subscription);
    field(out, b",\"data\":", push.data);
    field(out, b",\"snapshot\":", push.snapshot);
    if let Some(version) = push.version {
        field(out, b",\"version\":", version);
    }
    if let Some(node) = push.node {
        field(out, b",\"node\":", node);
    }
    out.extend_from_slice(b"}}");
}

/// Appends the line of an operation, without its newline.
pub(crate) fn put_operation(out: &mut Vec<u8>, op: &Operation) -> Result<(), serde_json::Error> {
    out.extend_from_slice(b"{\"op\":{\"time\":");
    number(out, op.time);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(outcome(op.outcome));
    field(out, b"\",\"op\":", op.op);
    field(out, b",\"process\":", op.process);
    field(out, b",\"client\":", op.client);
    out.extend_from_slice(b",\"f\":\"");
    out.extend_from_slice(function(op.f));
    out.push(b'"');
    let numbers: [(&[u8], Option<u64>); 3] = [
        (b",\"data\":", op.data.map(u64::from)),
        (b",\"registration\":", op.registration.map(u64::from)),
        (b",\"subscription\":", op.subscription.map(u64::from)),
    ];
    optional(out, &numbers);
    text(out, b",\"value\":", op.value.as_deref())?;
    let numbers: [(&[u8], Option<u64>); 4] = [
        (b",\"session\":", op.session.map(u64::from)),
        (b",\"node\":", op.node.map(u64::from)),
        (b",\"snapshot\":", op.snapshot.map(u64::from)),
        (b",\"late_ns\":", Some(op.late_ns).filter(|late| *late > 0)),
    ];
    optional(out, &numbers);
    if op.reaction {
        out.extend_from_slice(b",\"reaction\":true");
    }
    text(out, b",\"error\":", op.error.as_deref())?;
    out.extend_from_slice(b"}}");
    Ok(())
}

fn outcome(outcome: Outcome) -> &'static [u8] {
    match outcome {
        Outcome::Invoke => b"invoke",
        Outcome::Ok => b"ok",
        Outcome::Fail => b"fail",
        Outcome::Info => b"info",
    }
}

fn function(f: Function) -> &'static [u8] {
    match f {
        Function::Connect => b"connect",
        Function::Publish => b"publish",
        Function::Unpublish => b"unpublish",
        Function::Subscribe => b"subscribe",
        Function::Unsubscribe => b"unsubscribe",
        Function::Read => b"read",
        Function::Ping => b"ping",
        Function::Close => b"close",
        Function::Vanish => b"vanish",
    }
}

fn optional(out: &mut Vec<u8>, fields: &[(&[u8], Option<u64>)]) {
    for (name, value) in fields {
        if let Some(value) = value {
            field(out, name, *value);
        }
    }
}

fn text(out: &mut Vec<u8>, name: &[u8], value: Option<&str>) -> Result<(), serde_json::Error> {
    let Some(value) = value else { return Ok(()) };
    out.extend_from_slice(name);
    // Escapes are rare, and serde_json's business.
    if value.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
        return Ok(());
    }
    serde_json::to_writer(out, value)
}

fn field(out: &mut Vec<u8>, name: &[u8], value: impl Into<u64>) {
    out.extend_from_slice(name);
    number(out, value.into());
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Event;

    fn numbers(draw: u64) -> impl Fn(u64) -> u64 {
        // Any mixture of small, large and absent numbers.
        move |which| {
            let mixed = (draw.wrapping_mul(31) + which).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed >> (mixed % 64)
        }
    }

    fn even<T>(draw: u64, value: T) -> Option<T> {
        draw.is_multiple_of(2).then_some(value)
    }

    fn same(event: &Event) {
        let mut line = Vec::new();
        match event {
            Event::Push(push) => put_push(&mut line, push),
            Event::Op(op) => put_operation(&mut line, op).unwrap(),
            _ => {}
        }
        assert_eq!(String::from_utf8(line).unwrap(), serde_json::to_string(event).unwrap());
    }

    #[test]
    fn pushes_are_the_bytes_of_serde_json() {
        for draw in 0..2_000 {
            let n = numbers(draw);
            same(&Event::Push(Push {
                time: n(0),
                client: n(1) as u32,
                session: n(2) as _,
                subscription: n(3) as u32,
                data: n(4) as u32,
                snapshot: n(5) as _,
                version: even(n(6), n(7)),
                node: even(n(8), n(9) as _),
            }));
        }
        let all = |n: u64| Push {
            time: n,
            client: n as u32,
            session: n as _,
            subscription: n as u32,
            data: n as u32,
            snapshot: n as _,
            version: Some(n),
            node: Some(n as _),
        };
        same(&Event::Push(all(0)));
        same(&Event::Push(all(u64::MAX)));
    }

    #[test]
    fn operations_are_the_bytes_of_serde_json() {
        let outcomes = [Outcome::Invoke, Outcome::Ok, Outcome::Fail, Outcome::Info];
        let functions = [
            Function::Connect,
            Function::Publish,
            Function::Unpublish,
            Function::Subscribe,
            Function::Unsubscribe,
            Function::Read,
            Function::Ping,
            Function::Close,
            Function::Vanish,
        ];
        let texts = ["", "10.0.0.1:9000#1", "a \"quoted\\\" one", "tab\tline\nnul\0", "münchen \u{7f} \u{2028}", "/"];
        for draw in 0..5_000 {
            let n = numbers(draw);
            let word =
                |which| (!n(which).is_multiple_of(3)).then(|| texts[n(which + 1) as usize % texts.len()].to_owned());
            same(&Event::Op(Box::new(Operation {
                time: n(0),
                outcome: outcomes[n(1) as usize % outcomes.len()],
                op: n(2) as _,
                process: n(3) as _,
                client: n(4) as u32,
                f: functions[draw as usize % functions.len()],
                data: even(n(5), n(6) as u32),
                registration: even(n(7), n(8) as u32),
                subscription: even(n(9), n(10) as u32),
                value: word(11),
                session: even(n(13), n(14) as _),
                node: even(n(15), n(16) as _),
                snapshot: even(n(17), n(18) as _),
                late_ns: n(19),
                reaction: n(20).is_multiple_of(2),
                error: word(21),
            })));
        }
    }
}
