//! The thread that starts all processes of a lab.
//!
//! A process that asks to die with its parent (PDEATHSIG) dies with the *thread* that started it. Callers come from
//! pools whose threads end early, so one thread that lives as long as the lab starts everything.

use super::LabError;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};

/// Starts commands on a thread that outlives its callers.
#[derive(Debug)]
pub(crate) struct Launcher {
    jobs: Sender<Job>,
}

struct Job {
    command: Command,
    answer: Sender<std::io::Result<Child>>,
}

impl Launcher {
    /// Starts the thread; it ends when the launcher is dropped.
    pub fn start() -> Result<Launcher, LabError> {
        let (jobs, inbox) = channel::<Job>();
        let work = move || {
            for mut job in inbox {
                // A caller that no longer waits has nobody to own the process.
                if let Err(unwanted) = job.answer.send(job.command.spawn())
                    && let Ok(mut child) = unwanted.0
                {
                    let _ = child.kill();
                    let _ = child.wait();
                }
            }
        };
        let thread = std::thread::Builder::new().name("lab-launcher".into()).spawn(work);
        thread.map_err(LabError::io("starting the thread that starts processes"))?;
        Ok(Launcher { jobs })
    }

    /// Starts a command.
    pub fn spawn(&self, command: Command) -> std::io::Result<Child> {
        let (answer, outcome) = channel();
        let gone = || std::io::Error::other("the thread that starts processes is gone");
        self.jobs.send(Job { command, answer }).map_err(|_| gone())?;
        outcome.recv().map_err(|_| gone())?
    }
}
