//! What a world tells beyond what clients see: its messages, its steps.

use super::world;
use crate::world::{Call, Request, World};
use history::{MILLI, Nanos};

fn pass(world: &mut impl World, time: Nanos) {
    let until = world.now() + time;
    while world.now() < until {
        world.wait(until, &mut Vec::new()).unwrap();
    }
}

#[test]
fn a_publish_is_traced_from_the_client_to_the_data_node() {
    let mut world = world(3, 5, None);
    world.submit(Call { op: 0, client: 2, request: Request::Connect { node: 1, resume: false } });
    pass(&mut world, 100 * MILLI);
    assert!(world.messages(0).is_empty(), "off until asked for");
    let steps = world.steps();
    world.trace();
    let request = Request::Publish { data: 1, registration: 0, value: "10.0.0.3:9000#1".into(), previous: None };
    world.submit(Call { op: 1, client: 2, request });
    pass(&mut world, 100 * MILLI);
    let trace = world.messages(0);
    assert!(world.steps() > steps);
    assert!(trace.windows(2).all(|pair| pair[0].sent <= pair[1].sent));
    assert!(
        trace.iter().all(|message| message.arrives.is_some_and(|at| at > message.sent) && !message.says.is_empty())
    );
    let asked = trace.iter().find(|message| message.from == "client-2").unwrap();
    assert_eq!((asked.to.as_str(), asked.says.as_str()), ("session-2", "op 1: publish d1 10.0.0.3:9000#1 (c2@1)"));
    let said = |from: &str, to: &str, says: &str| {
        trace.iter().any(|m| m.from.starts_with(from) && m.to.starts_with(to) && m.says.contains(says))
    };
    assert!(said("session-2", "data-", "d1 10.0.0.3:9000#1"), "{trace:#?}");
    assert!(said("session-2", "client-2", "op 1: ok (c2@1)"));
    assert_eq!(world.messages(trace.len() - 1), trace[trace.len() - 1..]);
}
