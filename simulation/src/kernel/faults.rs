//! What faults do to nodes, their clocks and their links.

use super::{Kernel, What};
use crate::Trouble;
use crate::machine::{Input, Machine, NO_CHANNEL, NodeId};
use history::Nanos;

impl<M: Machine> Kernel<M> {
    /// Kills a node's process: its state is never stepped again, what is under way to it is void, and the hosts at
    /// the other ends learn that the connections are gone (where the way to them is free).
    pub fn kill(&mut self, node: NodeId) {
        let host = &mut self.hosts[node as usize];
        assert!(host.up, "only a process that runs can be killed");
        host.die();
        for to in 0..self.hosts.len() as u32 {
            if to != node {
                self.send_reset(node, to, NO_CHANNEL);
            }
        }
    }

    /// Starts a node's process again, with this fresh state.
    pub fn restart(&mut self, node: NodeId, machine: M) {
        let host = &mut self.hosts[node as usize];
        assert!(!host.up, "only a process that is gone can be started");
        host.machine = machine;
        host.live();
        let life = host.life;
        self.expect(self.now, node, life, Input::Start);
    }

    /// Lets a node's process stand still: messages and timers wait.
    pub fn pause(&mut self, node: NodeId) {
        let host = &mut self.hosts[node as usize];
        assert!(host.up && !host.condition.paused, "only a process that runs can be paused");
        host.change(|condition| condition.paused = true);
    }

    /// Lets it go on: everything that waited is handled now, in order of arrival. Returns how much waited.
    pub fn resume(&mut self, node: NodeId) -> usize {
        let host = &mut self.hosts[node as usize];
        assert!(host.up && host.condition.paused, "only a paused process can go on");
        host.change(|condition| condition.paused = false);
        self.drain(node)
    }

    /// From now on each input takes the node `service` nanoseconds of true time, one after the other, and the rest
    /// waits; 0 makes it prompt again, and what waits is handled now. Returns how much waited. The next life is prompt.
    pub fn slow(&mut self, node: NodeId, service: Nanos) -> usize {
        let host = &mut self.hosts[node as usize];
        let waiting = host.backlog.len();
        host.change(|condition| condition.service = service);
        if service == 0 { self.drain(node) } else { waiting }
    }

    /// Lets a process be half-dead: its working threads are stuck, its heartbeat thread lives. Only inputs that
    /// [`Machine::is_heartbeat`] names are handled, all others wait. The next life is whole.
    pub fn half_die(&mut self, node: NodeId) {
        let host = &mut self.hosts[node as usize];
        assert!(host.up && !host.condition.half_dead, "only a process that runs can be half-dead");
        host.change(|condition| condition.half_dead = true);
    }

    /// Lets its working threads go on: everything that waited is handled, in order. Returns how much waited.
    pub fn revive(&mut self, node: NodeId) -> usize {
        let host = &mut self.hosts[node as usize];
        assert!(host.up && host.condition.half_dead, "only a half-dead process can be revived");
        host.change(|condition| condition.half_dead = false);
        self.drain(node)
    }

    /// True if only the node's heartbeat thread works.
    pub fn is_half_dead(&self, node: NodeId) -> bool {
        self.hosts[node as usize].condition.half_dead
    }

    /// True if each input takes the node time.
    pub fn is_slow(&self, node: NodeId) -> bool {
        self.hosts[node as usize].condition.service > 0
    }

    /// Moves a node's wall clock.
    pub fn step_clock(&mut self, node: NodeId, step: i64) {
        self.hosts[node as usize].clock.step(step);
    }

    /// Changes the rate of a node's clocks by so many parts per million. Its running timers follow. Costs as much as all
    /// events that wait.
    pub fn drift_clock(&mut self, node: NodeId, ppm: i64) {
        let (now, host) = (self.now, &mut self.hosts[node as usize]);
        let old = host.clock.clone();
        host.clock.drift(now, ppm);
        let (clock, life) = (&host.clock, host.life);
        self.queue.retime(|at, due| match due.what {
            What::Input(Input::Timer(_)) if due.node == node && due.life == life => old.retimed(clock, now, at),
            _ => at,
        });
    }

    /// Lets a node know that nothing keeps its wall clock right any more (NTP has failed), or that something does again.
    pub fn set_synchronised(&mut self, node: NodeId, synchronised: bool) {
        self.hosts[node as usize].clock.set_synchronised(synchronised);
    }

    /// Lays a fault on a directed link.
    pub fn trouble(&mut self, from: NodeId, to: NodeId, fault: u32, trouble: Trouble) {
        self.network.trouble(from, to, fault, trouble);
    }

    /// Takes a fault off all links.
    pub fn lift(&mut self, fault: u32) {
        self.network.lift(fault);
    }
}
