//! The kernel: true time, the queue of events, the links between nodes, and each node's process and clock.
//!
//! Invariant: the kernel knows nothing of what nodes say or do. Same machines, same seed, same calls: the same steps.

mod faults;

use crate::host::{Admission, Host, InputOf};
use crate::machine::{Channel, Input, Machine, Message, NodeId, Outputs};
use crate::network::{Arrival, Network, Way};
use crate::trace::{Trace, Traced};
use crate::{Clock, EventQueue, Latency, Now};
use history::Nanos;
use std::collections::BTreeMap;

type OutputsOf<M> = Outputs<<M as Machine>::Message, <M as Machine>::Timer, <M as Machine>::Report>;

/// Something in the queue. `life` is the incarnation of the process that it is meant for.
struct Due<M: Machine> {
    node: NodeId,
    life: u32,
    what: What<M>,
}

enum What<M: Machine> {
    /// Something reaches the node.
    Input(InputOf<M>),
    /// A slow node is done with the first input of its backlog.
    Served,
    /// Nothing.
    Nothing,
}

impl<M: Machine> Default for Due<M> {
    fn default() -> Self {
        Due { node: 0, life: 0, what: What::Nothing }
    }
}

/// What a kernel counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls of `step`.
    pub steps: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages that cuts, losses or the death of a process swallowed.
    pub dropped: u64,
}

/// Nodes, links and time.
pub struct Kernel<M: Machine> {
    now: Nanos,
    queue: EventQueue<Due<M>>,
    hosts: Vec<Host<M>>,
    network: Network,
    reached: Vec<(&'static str, u64)>,
    trace: Trace,
    reports: Vec<(Nanos, M::Report)>,
    /// Empty between steps; keeps its memory.
    outputs: OutputsOf<M>,
    counters: Counters,
}

/// What a host says when it answers for a process that is gone.
const RESET_BYTES: u64 = 64;

impl<M: Machine> Kernel<M> {
    /// These nodes, all started at time 0, with links between all of them; `latency(from, to)` tells how slow each is.
    pub fn new(seed: u64, machines: Vec<M>, latency: impl FnMut(NodeId, NodeId) -> Latency) -> Kernel<M> {
        let count = machines.len() as u32;
        let hosts = machines.into_iter().map(Host::new).collect();
        let mut kernel = Kernel {
            now: 0,
            queue: EventQueue::new(),
            hosts,
            network: Network::new(seed, count, latency),
            reached: Vec::new(),
            trace: Trace::default(),
            reports: Vec::new(),
            outputs: Outputs::default(),
            counters: Counters::default(),
        };
        for node in 0..count {
            kernel.expect(0, node, 1, Input::Start);
        }
        kernel
    }

    /// True time.
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// A node's state, for looking at.
    pub fn machine(&self, node: NodeId) -> &M {
        &self.hosts[node as usize].machine
    }

    /// A node's state, for faults that change what a node is.
    pub fn machine_mut(&mut self, node: NodeId) -> &mut M {
        &mut self.hosts[node as usize].machine
    }

    /// True if the node's process runs (it may be paused).
    pub fn is_up(&self, node: NodeId) -> bool {
        self.hosts[node as usize].up
    }

    /// True if the node's process stands still.
    pub fn is_paused(&self, node: NodeId) -> bool {
        self.hosts[node as usize].condition.paused
    }

    /// Incarnation of the node's process: rises at each kill and start.
    pub fn life(&self, node: NodeId) -> u64 {
        u64::from(self.hosts[node as usize].life)
    }

    /// How many steps this node has made.
    pub fn steps_of(&self, node: NodeId) -> u64 {
        self.hosts[node as usize].steps
    }

    /// Inputs that wait for a node that is paused, slow or half-dead.
    pub fn backlog(&self, node: NodeId) -> usize {
        self.hosts[node as usize].backlog.len()
    }

    /// A node's clocks.
    pub fn clock(&self, node: NodeId) -> &Clock {
        &self.hosts[node as usize].clock
    }

    /// Counts so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Interesting states that nodes said they reached, and how often so far, in order of name.
    pub fn reached(&self) -> BTreeMap<&'static str, u64> {
        let mut reached = BTreeMap::new();
        for (name, count) in &self.reached {
            *reached.entry(*name).or_insert(0) += count;
        }
        reached
    }

    /// From now on every message between nodes is remembered. Costs memory.
    pub fn trace(&mut self) {
        self.trace.start();
    }

    /// The messages remembered so far, in order of sending.
    pub fn messages(&self) -> &[Traced] {
        self.trace.messages()
    }

    /// How many messages this fault has touched so far.
    pub fn touched(&self, fault: u32) -> u64 {
        self.network.touched(fault)
    }

    /// When the next event is due.
    pub fn next_time(&mut self) -> Option<Nanos> {
        self.queue.next_time()
    }

    /// What was reported since the last call, in order.
    pub fn take_reports(&mut self) -> std::vec::Drain<'_, (Nanos, M::Report)> {
        self.reports.drain(..)
    }

    /// What was reported and not taken yet, in order.
    pub fn reports(&self) -> &[(Nanos, M::Report)] {
        &self.reports
    }

    /// Runs the next event if it is due by `until`; false, and time stands at `until`, if there is none.
    pub fn run_one(&mut self, until: Nanos) -> bool {
        self.run_next(until).is_some()
    }

    /// Runs what is due by `until` as long as `go_on`, which is told after each event for which node it was, says so; false,
    /// and time stands at `until`, if nothing is left.
    pub fn run_while(&mut self, until: Nanos, mut go_on: impl FnMut(&Kernel<M>, NodeId) -> bool) -> bool {
        while let Some(node) = self.run_next(until) {
            if !go_on(self, node) {
                return true;
            }
        }
        false
    }

    #[inline(always)]
    fn run_next(&mut self, until: Nanos) -> Option<NodeId> {
        let (hosts, network) = (&self.hosts, &self.network);
        let soon = |due: &Due<M>| {
            if let What::Input(input) = &due.what {
                hosts[due.node as usize].machine.prepare(input);
                if let Input::Message { from, channel, .. } = input {
                    network.prepare(due.node, *from, *channel);
                }
            }
        };
        let Some((time, place)) = self.queue.due(until, soon) else {
            self.now = self.now.max(until);
            return None;
        };
        assert!(time >= self.now, "time never goes back");
        self.now = time;
        let due = self.queue.at(&place);
        let (node, host) = (due.node, &self.hosts[due.node as usize]);
        if host.prompt == Some(due.life) && matches!(due.what, What::Input(_)) {
            let due = self.queue.take(place);
            self.handle(due);
        } else {
            let here = due.life == host.life && host.up;
            let due = self.queue.take(place);
            self.arrive(here, due);
        }
        Some(node)
    }

    /// Hands an input to a node at once, from outside.
    pub fn tell(&mut self, node: NodeId, channel: Channel, message: M::Message) {
        let host = &self.hosts[node as usize];
        let what = What::Input(Input::Message { from: node, channel, message });
        self.arrive(host.up, Due { node, life: host.life, what });
    }

    /// Lets a node do something at once, from outside: one step of a process that is itself.
    #[inline]
    pub fn act(&mut self, node: NodeId, act: impl FnOnce(&mut M, Now, &mut OutputsOf<M>)) {
        let host = &self.hosts[node as usize];
        assert!(host.prompt.is_some(), "only a process that is itself can be told to act");
        self.step(node, host.life, act);
    }

    #[inline]
    fn expect(&mut self, at: Nanos, node: NodeId, life: u32, input: InputOf<M>) {
        self.queue.push(at, Due { node, life, what: What::Input(input) });
    }

    /// Something reaches a process that may not be itself, or not there.
    #[cold]
    fn arrive(&mut self, here: bool, due: Due<M>) {
        let Due { node, what, .. } = due;
        match what {
            What::Input(input) if here => self.admit(node, input),
            What::Input(Input::Message { from, channel, message }) => self.miss(node, from, channel, &message),
            What::Served if here => self.served(node),
            _ => {}
        }
    }

    /// A message reaches a process that is not there.
    fn miss(&mut self, node: NodeId, from: NodeId, channel: Channel, message: &M::Message) {
        self.counters.dropped += 1;
        // The host answers for the process: connection refused.
        if from != node {
            if self.trace.is_on() {
                self.trace.lost(self.now, (from, node), channel, &message.says());
            }
            self.send_reset(node, from, channel);
        }
    }

    fn admit(&mut self, node: NodeId, input: InputOf<M>) {
        let host = &mut self.hosts[node as usize];
        let life = host.life;
        match host.admit(&input) {
            Admission::Now => self.handle_apart(Due { node, life, what: What::Input(input) }),
            Admission::Waits => host.backlog.push_back(input),
            Admission::Begins => {
                host.backlog.push_back(input);
                let due = Due { node, life, what: What::Served };
                self.queue.push(self.now + host.condition.service, due);
            }
        }
    }

    /// A slow node is done with an input and begins the next one.
    fn served(&mut self, node: NodeId) {
        let host = &mut self.hosts[node as usize];
        let life = host.life;
        // Paused or half-dead meanwhile: the rest waits until that is over.
        if host.condition.paused || host.condition.half_dead {
            host.condition.busy = false;
            return;
        }
        let input = host.backlog.pop_front();
        host.condition.busy = !host.backlog.is_empty();
        if host.condition.busy {
            let due = Due { node, life, what: What::Served };
            self.queue.push(self.now + host.condition.service, due);
        }
        if let Some(input) = input {
            self.handle_apart(Due { node, life, what: What::Input(input) });
        }
    }

    /// Everything that waited arrives anew, in order. Returns how much waited.
    fn drain(&mut self, node: NodeId) -> usize {
        let backlog = std::mem::take(&mut self.hosts[node as usize].backlog);
        let count = backlog.len();
        for input in backlog {
            self.admit(node, input);
        }
        count
    }

    /// One name is one text in memory, but for names that are written twice: those are counted apart.
    fn count(&mut self, name: &'static str) {
        match self.reached.iter_mut().find(|(other, _)| std::ptr::eq(*other, name)) {
            Some((_, count)) => *count += 1,
            None => self.reached.push((name, 1)),
        }
    }

    /// For all but the loop that nearly all steps are made in.
    #[inline(never)]
    fn handle_apart(&mut self, due: Due<M>) {
        self.handle(due);
    }

    #[inline(always)]
    fn handle(&mut self, due: Due<M>) {
        let What::Input(input) = due.what else { return };
        self.step(due.node, due.life, |machine, now, outputs| machine.step(now, input, outputs));
    }

    #[inline(always)]
    fn step(&mut self, node: NodeId, life: u32, act: impl FnOnce(&mut M, Now, &mut OutputsOf<M>)) {
        let host = &mut self.hosts[node as usize];
        host.steps += 1;
        self.counters.steps += 1;
        act(&mut host.machine, host.clock.read(self.now), &mut self.outputs);
        // In order; mostly there is one thing or nothing.
        turn(&mut self.outputs.timers);
        while let Some((after, timer)) = self.outputs.timers.pop() {
            let at = self.now + host.clock.true_duration(after);
            self.queue.push(at, Due { node, life, what: What::Input(Input::Timer(timer)) });
        }
        turn(&mut self.outputs.messages);
        while let Some((to, channel, message)) = self.outputs.messages.pop() {
            self.send(node, to, channel, message);
        }
        turn(&mut self.outputs.reports);
        while let Some(report) = self.outputs.reports.pop() {
            self.reports.push((self.now, report));
        }
        while let Some(name) = self.outputs.reached.pop() {
            self.count(name);
        }
    }

    #[inline(always)]
    fn send(&mut self, from: NodeId, to: NodeId, channel: Channel, message: M::Message) {
        self.counters.sent += 1;
        let (way, identity) = (Way { from, to, channel }, message.identity());
        let undisturbed = !self.trace.is_on();
        match undisturbed.then(|| self.network.undisturbed(self.now, way, identity)).flatten() {
            Some(at) => self.expect(at, to, self.hosts[to as usize].life, Input::Message { from, channel, message }),
            None => self.send_anyhow(way, identity, message),
        }
    }

    /// Sends where faults or the trace want to know.
    #[inline(never)]
    fn send_anyhow(&mut self, way: Way, identity: u64, message: M::Message) {
        let Way { from, to, channel } = way;
        let life = self.hosts[to as usize].life;
        let arrival = self.route(way, identity, || message.size());
        if self.trace.is_on() {
            self.note((from, to), channel, &message, arrival);
        }
        let Some(Arrival { at, again }) = arrival else { return };
        if let Some(again) = again {
            self.expect(again, to, life, Input::Message { from, channel, message: message.clone() });
        }
        self.expect(at, to, life, Input::Message { from, channel, message });
    }

    /// Remembers what becomes of a message.
    fn note(&mut self, (from, to): (NodeId, NodeId), channel: Channel, message: &M::Message, arrival: Option<Arrival>) {
        let trace = |arrives| Traced { sent: self.now, arrives, from, to, channel, says: message.says() };
        let copy = arrival.and_then(|arrival| arrival.again).map(|again| trace(Some(again)));
        let first = trace(arrival.map(|arrival| arrival.at));
        self.trace.note(first);
        copy.into_iter().for_each(|copy| self.trace.note(copy));
    }

    fn route(&mut self, way: Way, identity: u64, size: impl Fn() -> u64) -> Option<Arrival> {
        let arrival = self.network.route(self.now, way, identity, size);
        if arrival.is_none() {
            self.counters.dropped += 1;
        }
        arrival
    }

    /// Tells `to` that the process of `peer` is gone.
    fn send_reset(&mut self, peer: NodeId, to: NodeId, channel: Channel) {
        let (life, identity) = (self.hosts[to as usize].life, self.life(peer));
        if let Some(arrival) = self.route(Way { from: peer, to, channel }, identity, || RESET_BYTES) {
            self.expect(arrival.at, to, life, Input::Reset { peer, channel });
        }
    }

    /// When everything that is under way on this link will have arrived.
    pub fn busy_until(&self, from: NodeId, to: NodeId) -> Nanos {
        self.network.busy_until(from, to)
    }
}

/// Turns a list round, to be taken from its end.
#[inline(always)]
fn turn<T>(list: &mut [T]) {
    if list.len() > 1 {
        list.reverse();
    }
}
