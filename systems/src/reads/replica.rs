//! A replica: a server of the consensus that also answers reads by itself.

use super::registers::Registers;
use super::trial::Path;
use super::{Glance, Say, Timer};
use crate::consensus::{Index, Read, Server};
use crate::trial::Said;
use history::{MILLI, Nanos};
use simulation::{NodeId, Now, Outputs};

type Out = Outputs<Say, Timer, (NodeId, Said)>;

/// A read that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    glance: Glance,
    /// Who is to be answered.
    from: NodeId,
    since: Nanos,
    on: On,
}

/// What a read waits for.
#[derive(Clone, Copy, Debug)]
enum On {
    /// On a leader: a majority confirms that it leads; another replica asked.
    Quorum(Read),
    /// The same, and a client asked.
    OwnQuorum(Read),
    /// To hear from the leader up to where the log is committed.
    Leader,
    /// So much has to be applied.
    Applied(Index),
    /// Everything has to be applied, under a lease.
    Lease,
}

/// A replica.
#[derive(Clone, Debug)]
pub struct Replica {
    server: Server<Registers>,
    path: Path,
    waiting: Vec<Waiting>,
}

/// A read that waits for longer is dropped: the client tries elsewhere.
const PATIENCE: Nanos = 200 * MILLI;

impl Replica {
    /// A replica that reads in this way.
    pub fn new(server: Server<Registers>, path: Path) -> Replica {
        Replica { server, path, waiting: Vec::new() }
    }

    /// After a crash.
    pub fn reborn(&self) -> Replica {
        Replica::new(self.server.reborn(), self.path)
    }

    /// It begins to run.
    pub fn start(&mut self, now: Now, out: &mut Out) {
        self.server.start(now, out);
    }

    /// A timer has run down.
    pub fn wake(&mut self, now: Now, timer: Timer, out: &mut Out) {
        if let Timer::Consensus(timer) = timer {
            self.server.wake(now, timer, out);
            self.serve(now, out);
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, now: Now, from: NodeId, say: Say, out: &mut Out) {
        let wait = |glance, on| Waiting { glance, from, since: now.mono, on };
        match say {
            Say::Servers(say) => self.server.hear(now, from, say, out),
            Say::Read(glance) => match self.path {
                Path::Any => self.answer(from, glance, out),
                Path::QuorumLease => self.waiting.push(wait(glance, On::Lease)),
                Path::UpToDate | Path::Log => self.read(now, from, glance, out),
            },
            Say::Where(glance) => {
                let read = self.server.begin_read(out);
                self.waiting.extend(read.map(|read| wait(glance, On::Quorum(read))));
            }
            Say::Here(glance, index) => {
                let asked = |waiting: &&mut Waiting| waiting.glance == glance && matches!(waiting.on, On::Leader);
                if let Some(waiting) = self.waiting.iter_mut().find(asked) {
                    waiting.on = On::Applied(index);
                }
            }
            Say::Begin(_) | Say::Value(..) | Say::NotNow(_) => {}
        }
        self.serve(now, out);
    }

    /// Makes sure that it is up to date: as the leader by itself, otherwise with the leader's help.
    fn read(&mut self, now: Now, from: NodeId, glance: Glance, out: &mut Out) {
        let on = match (self.server.begin_read(out), self.server.leader()) {
            (Some(read), _) => On::OwnQuorum(read),
            (None, Some(leader)) if !self.server.is_leader() => {
                out.send(leader, Say::Where(glance));
                On::Leader
            }
            _ => return out.send(from, Say::NotNow(glance)),
        };
        self.waiting.push(Waiting { glance, from, since: now.mono, on });
    }

    fn answer(&self, to: NodeId, glance: Glance, out: &mut Out) {
        out.send(to, Say::Value(glance, self.server.machine().get(glance.2)));
    }

    /// Answers whatever need not wait any more.
    fn serve(&mut self, now: Now, out: &mut Out) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|read| !self.is_served(now, read, out));
        self.waiting = waiting;
    }

    fn is_served(&self, now: Now, read: &Waiting, out: &mut Out) -> bool {
        let ready = match read.on {
            On::Quorum(quorum) if self.server.is_readable(&quorum) => {
                out.send(read.from, Say::Here(read.glance, quorum.index));
                return true;
            }
            On::OwnQuorum(quorum) => self.server.is_readable(&quorum) && self.server.applied() >= quorum.index,
            On::Applied(index) => self.server.applied() >= index,
            On::Lease => self.server.may_read(now),
            On::Quorum(_) | On::Leader => false,
        };
        if ready {
            self.answer(read.from, read.glance, out);
        }
        ready || now.mono.saturating_sub(read.since) > PATIENCE
    }
}
