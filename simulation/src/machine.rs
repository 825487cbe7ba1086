//! What a node is: a state machine that is told what happened and says what it does. It reads no clock but the one it is
//! shown, draws no random number and touches nothing outside.

use crate::Now;
use history::Nanos;

/// Index of a node in the kernel.
pub type NodeId = u32;
/// One of many connections that share a link; [`NO_CHANNEL`] for the link itself.
pub type Channel = u32;
/// Between nodes that have one connection only.
pub const NO_CHANNEL: Channel = Channel::MAX;

/// A message that can name itself. It is cloned only where a link duplicates it.
pub trait Message: Clone {
    /// Tells this message from others on the same link, and one attempt to send it from the next, by what it says and
    /// not by when it is sent: its luck on the network hangs on this, so that leaving out one operation does not
    /// reshuffle the luck of all others.
    fn identity(&self) -> u64;

    /// How many bytes it takes on the wire: what a narrow link cares about.
    fn size(&self) -> u64 {
        64
    }

    /// What it says, in a few words, for people: only asked for while messages are traced.
    fn says(&self) -> String {
        String::new()
    }
}

/// What a node is told.
#[derive(Clone, Debug)]
pub enum Input<M, T> {
    /// It was started; volatile state is empty.
    Start,
    /// A message arrived.
    Message {
        /// From which node.
        from: NodeId,
        /// On which channel.
        channel: Channel,
        /// What it says.
        message: M,
    },
    /// A timer that it set has run down.
    Timer(T),
    /// The process at the other end is gone: all connections with it are broken.
    Reset {
        /// Which node.
        peer: NodeId,
        /// Only this channel, or all with [`NO_CHANNEL`].
        channel: Channel,
    },
}

/// What a node does in one step.
#[derive(Debug)]
pub struct Outputs<M, T, R> {
    pub(crate) messages: Vec<(NodeId, Channel, M)>,
    pub(crate) timers: Vec<(Nanos, T)>,
    pub(crate) reports: Vec<R>,
    pub(crate) reached: Vec<&'static str>,
}

impl<M, T, R> Default for Outputs<M, T, R> {
    fn default() -> Self {
        Outputs { messages: Vec::new(), timers: Vec::new(), reports: Vec::new(), reached: Vec::new() }
    }
}

impl<M, T, R> Outputs<M, T, R> {
    /// Send a message over the link itself.
    pub fn send(&mut self, to: NodeId, message: M) {
        self.messages.push((to, NO_CHANNEL, message));
    }

    /// Send a message on a channel of the link.
    pub fn send_on(&mut self, to: NodeId, channel: Channel, message: M) {
        self.messages.push((to, channel, message));
    }

    /// Be woken after so long by the node's own monotonic clock.
    pub fn timer(&mut self, after: Nanos, timer: T) {
        self.timers.push((after, timer));
    }

    /// Tell the outside something.
    pub fn report(&mut self, report: R) {
        self.reports.push(report);
    }

    /// Names an interesting state that was reached, which a good test reaches sometimes: the kernel counts them.
    pub fn reached(&mut self, name: &'static str) {
        self.reached.push(name);
    }

    /// The messages so far, for tests of a machine without a kernel.
    pub fn sent(&self) -> &[(NodeId, Channel, M)] {
        &self.messages
    }

    /// The timers so far, for tests of a machine without a kernel.
    pub fn timers_set(&self) -> &[(Nanos, T)] {
        &self.timers
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.timers.clear();
        self.reports.clear();
        self.reached.clear();
    }
}

/// Asks the processor for the line of memory where a value begins, which is then near when it is needed. Waits for nothing.
#[inline(always)]
pub fn fetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch changes nothing and faults nowhere, and every processor of this family has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) };
    }
    // Elsewhere it is fetched when it is needed.
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// A node.
pub trait Machine {
    /// What nodes say to each other.
    type Message: Message;
    /// What a timer reminds of.
    type Timer;
    /// What the outside gets to know.
    type Report;

    /// Something happened.
    fn step(
        &mut self,
        now: Now,
        input: Input<Self::Message, Self::Timer>,
        out: &mut Outputs<Self::Message, Self::Timer, Self::Report>,
    );

    /// This input comes soon, unless it is lost: a node with much state may look at what it will need ([`fetch`]), which
    /// brings it into the processor's cache. Changes nothing.
    fn prepare(&self, _input: &Input<Self::Message, Self::Timer>) {}

    /// True for what the heartbeat thread serves: the only inputs that a half-dead node handles.
    fn is_heartbeat(&self, _input: &Input<Self::Message, Self::Timer>) -> bool {
        false
    }
}
