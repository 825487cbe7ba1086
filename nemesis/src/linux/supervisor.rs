//! A second process that outlives the first and lifts every fault when it dies.
//!
//! It is the same program, started again with hidden arguments, in a session of its own (so neither Ctrl-C nor a signal
//! to the group of the first reaches it). It waits on a pipe whose other end only the first process holds: the end of
//! the pipe is the end of that process, however it came.

use super::state::Lock;
use super::{LabError, cleanup};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{Pid, getppid};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The hidden argument.
const ARGUMENT: &str = "__supervise";
/// What the supervisor says when it is ready.
const READY: &[u8] = b"ready\n";
const START_MS_MAX: u16 = 20_000;
const DISMISS_POLLS_MAX: u32 = 500;
const POLL: Duration = Duration::from_millis(10);
const ATTEMPTS: u32 = 3;
const PARENT_POLLS_MAX: u32 = 100;
/// A tool that was killed inside a system call still ends that call.
const TOOLS_END: Duration = Duration::from_millis(50);

/// Whether this program answers to [`ARGUMENT`]: it called [`main`].
static ANSWERS: AtomicBool = AtomicBool::new(false);

/// To be called by the program first thing in its `main`, with its arguments after the program's name. If they ask it
/// to be a supervisor, it is one until its work is done, and the exit code comes back. Otherwise none: go on; labs made
/// from now on are supervised.
pub fn main(args: impl IntoIterator<Item = OsString>) -> Option<i32> {
    let mut args = args.into_iter();
    if args.next().is_none_or(|first| first != ARGUMENT) {
        ANSWERS.store(true, Ordering::Relaxed);
        return None;
    }
    Some(args.next().map_or(2, |folder| supervise(Path::new(&folder))))
}

/// The first process' end of the line.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Child,
}

impl Supervisor {
    /// Starts the supervisor of a state folder and waits until it is ready. None if this program cannot be one.
    pub fn start(folder: &Path) -> Result<Option<Supervisor>, LabError> {
        if !ANSWERS.load(Ordering::Relaxed) {
            tracing::warn!("no supervisor: this program does not call `supervisor::main`");
            return Ok(None);
        }
        let failed = |why: String| LabError::Supervisor { why };
        // Not by its name: the file may have been replaced by a newer build since we started.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("upheaval-supervisor").arg(ARGUMENT).arg(folder).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // SAFETY: a plain system call, allowed between fork and exec.
        unsafe { command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(Into::into)) };
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let outcome = await_ready(&mut child);
        let supervisor = Supervisor { child };
        match outcome {
            Ok(()) => Ok(Some(supervisor)),
            Err(why) => {
                supervisor.dismiss();
                Err(failed(why))
            }
        }
    }

    /// Ends the supervisor: it looks whether anything is left, and goes.
    pub fn dismiss(mut self) {
        drop(self.child.stdin.take());
        for _ in 0..DISMISS_POLLS_MAX {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(POLL);
        }
        tracing::warn!(pid = self.child.id(), "the supervisor is still cleaning up");
    }
}

fn await_ready(child: &mut Child) -> Result<(), String> {
    let mut stdout = child.stdout.take().ok_or("it has no output")?;
    let mut said = Vec::new();
    while said.len() < READY.len() {
        let mut waiting = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waiting, PollTimeout::from(START_MS_MAX)) {
            Ok(0) => return Err(format!("it did not answer within {START_MS_MAX} ms")),
            Err(nix::Error::EINTR) => continue,
            Err(error) => return Err(error.to_string()),
            Ok(_) => {}
        }
        let mut bytes = [0; 16];
        match stdout.read(&mut bytes) {
            Ok(0) => return Err("it ended at once".into()),
            Ok(count) => said.extend_from_slice(&bytes[..count]),
            Err(error) => return Err(error.to_string()),
        }
    }
    if said == READY { Ok(()) } else { Err(format!("it answered {:?}", String::from_utf8_lossy(&said))) }
}

/// Waits until a dying parent is gone, and the tools that it had running with it: its pipes close a moment earlier. A
/// parent that lives could not remove everything by itself; it waits for us in vain after a while, which is no harm.
fn await_end_of(parent: Pid) {
    for _ in 0..PARENT_POLLS_MAX {
        if getppid() != parent {
            std::thread::sleep(TOOLS_END);
            return;
        }
        std::thread::sleep(POLL);
    }
}

/// The life of the supervisor.
fn supervise(folder: &Path) -> i32 {
    let folder: PathBuf = folder.to_owned();
    for unwanted in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGPIPE] {
        // SAFETY: ignoring a signal installs no handler.
        let _ = unsafe { signal(unwanted, SigHandler::SigIgn) };
    }
    let parent = getppid();
    // When memory runs out the first process may go, but not the one that cleans up after it.
    let _ = std::fs::write("/proc/self/oom_score_adj", "-1000");
    let mut stdout = std::io::stdout();
    if stdout.write_all(READY).and_then(|()| stdout.flush()).is_err() {
        return 4;
    }
    // Nothing is ever written to us: this returns when the first process is gone or sends us away.
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    if !folder.exists() {
        return 0;
    }
    await_end_of(parent);
    for _ in 0..ATTEMPTS {
        // The kernel frees the lock of a dying process a moment after its pipes; a sweep may hold it as well.
        match Lock::acquire(&folder, Duration::from_secs(20)) {
            Ok(None) => return 0,
            Ok(Some(_lock)) if cleanup::clean(&folder).is_ok() => return 0,
            _ => {}
        }
    }
    4
}
