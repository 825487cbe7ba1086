//! A server of the cron: its part in the consensus, and while it leads the launching of jobs.

use super::config::{CronConfig, Doubt};
use super::machine::{Answer, Command, Ledger};
use super::message::{Say, Timer};
use super::{Out, note};
use crate::consensus::{self, Asker, Server};
use history::MILLI;
use simulation::{NodeId, Now};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often it looks what is to be done.
const ROUND_MS: u64 = 50;

/// A server.
#[derive(Clone, Debug)]
pub struct Scheduler {
    id: NodeId,
    config: Arc<CronConfig>,
    executor: NodeId,
    server: Server<Ledger>,
    asker: Asker<Ledger>,
    /// Jobs that are due: the schedule is known, so that it counts as on disk.
    due: BTreeSet<u32>,
    /// Jobs that it is at, in the term that it leads.
    at: BTreeSet<u32>,
    term: u64,
    /// The job that each request is about.
    open: BTreeMap<u64, Command>,
}

impl Scheduler {
    /// A server among these.
    pub fn new(id: NodeId, config: Arc<CronConfig>, servers: &[NodeId], executor: NodeId, seed: u64) -> Scheduler {
        let group = config.consensus();
        let asker = Asker::new(id, servers, &group);
        let server = Server::new(id, servers, Arc::new(group), seed, Ledger::default());
        let (due, at, open) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        Scheduler { id, config, executor, server, asker, due, at, term: 0, open }
    }

    /// The same after a crash.
    pub fn reborn(&self) -> Scheduler {
        let (server, asker) = (self.server.reborn(), self.asker.reborn());
        Scheduler { server, asker, at: BTreeSet::new(), open: BTreeMap::new(), term: 0, ..self.clone() }
    }

    /// It begins to run.
    pub fn start(&mut self, now: Now, out: &mut Out) {
        self.server.start(now, out);
        out.timer(ROUND_MS * MILLI, Timer::Round);
    }

    /// A timer has run down.
    pub fn wake(&mut self, now: Now, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Consensus(timer @ consensus::Timer::Retry(..)) => self.asker.wake(timer, out),
            Timer::Consensus(timer) => self.server.wake(now, timer, out),
            Timer::Round => {
                self.work(out);
                out.timer(ROUND_MS * MILLI, Timer::Round);
            }
            Timer::Launch(job, term) if self.leads(term) => self.launch(job, out),
            _ => {}
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, now: Now, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Consensus(say @ (consensus::Say::Answer(..) | consensus::Say::NotLeader(..))) => {
                if let Some((number, answer)) = self.asker.hear(say, out)
                    && let Some(command) = self.open.remove(&number)
                {
                    self.recorded(command, answer, out);
                }
            }
            Say::Consensus(say) => self.server.hear(now, from, say, out),
            Say::Due(job) => {
                self.due.insert(job);
                self.work(out);
            }
            Say::Launched(job) | Say::State(job, true) => self.record(Command::End(job), out),
            Say::State(job, false) if self.leads(self.term) => self.launch(job, out),
            _ => {}
        }
    }

    fn leads(&self, term: u64) -> bool {
        self.server.is_leader() && self.server.term() == term
    }

    /// Begins with every job that is due, if it leads and is not at it yet.
    fn work(&mut self, out: &mut Out) {
        if !self.server.is_leader() {
            return;
        }
        if self.term != self.server.term() {
            self.term = self.server.term();
            self.at.clear();
            // What an earlier term of its own began is in doubt like everything else.
            for (number, _) in self.open.iter().filter(|(_, command)| matches!(command, Command::Begin(_))) {
                self.asker.forget(*number);
            }
            self.open.retain(|_, command| matches!(command, Command::End(_)));
        }
        let ledger = self.server.machine();
        self.due.retain(|job| !ledger.is_ended(*job));
        for job in self.due.clone() {
            if self.at.insert(job) {
                self.record(Command::Begin(job), out);
            }
        }
    }

    fn record(&mut self, command: Command, out: &mut Out) {
        let number = self.asker.ask(command, out);
        self.open.insert(number, command);
    }

    fn recorded(&mut self, command: Command, answer: Answer, out: &mut Out) {
        let Command::Begin(job) = command else { return };
        // Whoever leads now finds it begun.
        if !self.leads(self.term) {
            return;
        }
        match answer {
            Answer::New => out.timer(self.config.prepare_ms * MILLI, Timer::Launch(job, self.term)),
            Answer::Begun => self.doubt(job, out),
            Answer::Ended => {}
        }
    }

    /// The job was begun by another leader, or by this one before: was it launched?
    fn doubt(&mut self, job: u32, out: &mut Out) {
        note(out, self.id, || format!("finds job {job} begun, and does not know whether it was launched"));
        match self.config.doubt {
            Doubt::Named | Doubt::Again => self.launch(job, out),
            Doubt::Ask => out.send(self.executor, Say::Query(job, self.term)),
            Doubt::Skip => {
                note(out, self.id, || format!("lets job {job} be"));
                self.record(Command::End(job), out);
            }
        }
    }

    fn launch(&mut self, job: u32, out: &mut Out) {
        let named = self.config.doubt == Doubt::Named;
        out.send(self.executor, Say::Launch { job, term: self.term, named });
    }
}
