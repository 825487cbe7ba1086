//! Holds a process still while its vDSO is rewritten, with no thread in the middle of what changes.

use super::super::{LabError, proc, process::all_threads_halted};
use super::refuse;
use std::ops::Range;
use std::time::Duration;

const ATTEMPTS_MAX: u32 = 1000;
const STOP_POLLS_MAX: u32 = 50_000;
const POLL: Duration = Duration::from_micros(100);

/// A process that stands still until this is dropped.
#[derive(Debug)]
pub(super) struct Frozen {
    pid: i32,
    start: u64,
    resume: bool,
}

impl Frozen {
    /// Stops a process when none of its threads stands in what is to be avoided. A process that was paused by others stays paused.
    pub fn stop(pid: i32, start: u64, avoid: &[Range<u64>]) -> Result<Frozen, LabError> {
        let stat = proc::stat(pid).filter(|stat| stat.start == start && !stat.is_dead());
        let was_stopped = stat.ok_or(LabError::Gone { pid })?.is_stopped();
        for _ in 0..ATTEMPTS_MAX {
            let frozen = Frozen { pid, start, resume: !was_stopped };
            send(pid, start, libc::SIGSTOP)?;
            await_halt(pid)?;
            if proc::stat(pid).is_none_or(|stat| stat.is_dead()) {
                return Err(LabError::Gone { pid });
            }
            if !any_thread_inside(pid, avoid)? {
                return Ok(frozen);
            }
            if was_stopped {
                return Err(refuse(pid, "it is paused while it reads the clock: let it go on first"));
            }
            drop(frozen);
            std::thread::sleep(POLL);
        }
        Err(refuse(pid, "one of its threads reads the clock whenever we look"))
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        if self.resume
            && let Err(error) = send(self.pid, self.start, libc::SIGCONT)
        {
            tracing::warn!(%error, pid = self.pid, "could not let a process go on");
        }
    }
}

fn send(pid: i32, start: u64, signal: i32) -> Result<(), LabError> {
    match proc::signal_exactly(pid, start, signal) {
        Ok(true) => Ok(()),
        Ok(false) => Err(LabError::Gone { pid }),
        Err(error) => Err(LabError::errno(format!("sending signal {signal} to process {pid}"))(error)),
    }
}

/// Waits until all threads stand still, those too that others started while we looked.
fn await_halt(pid: i32) -> Result<(), LabError> {
    for _ in 0..STOP_POLLS_MAX {
        let threads = proc::threads(pid);
        if all_threads_halted(pid) && proc::threads(pid) == threads {
            return Ok(());
        }
        std::thread::sleep(POLL);
    }
    Err(LabError::Stuck { pid, what: "did not stop at SIGSTOP within 5 s" })
}

fn any_thread_inside(pid: i32, avoid: &[Range<u64>]) -> Result<bool, LabError> {
    for tid in proc::threads(pid) {
        if proc::thread_stat(pid, tid).is_none_or(|stat| stat.is_dead()) {
            continue;
        }
        let path = format!("/proc/{pid}/task/{tid}/syscall");
        let text = std::fs::read_to_string(&path).map_err(LabError::io(format!("reading {path}")))?;
        // Still on its way to a stop counts as inside: look again.
        if instruction(&text).is_none_or(|address| avoid.iter().any(|range| range.contains(&address))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The instruction pointer: the last number of the line.
fn instruction(text: &str) -> Option<u64> {
    let last = text.split_ascii_whitespace().next_back()?;
    u64::from_str_radix(last.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_thread_in_the_way_is_seen() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let pid = child.id() as i32;
        let state = || proc::stat(pid).unwrap().state;
        let place = || instruction(&std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap());
        // It may wait for something else on its way to its sleep: it is there once it has not moved for a while.
        let (mut at, mut still) = (None, 0);
        while still < 20 {
            std::thread::sleep(std::time::Duration::from_millis(10));
            let now = place().filter(|_| state() == 'S');
            still = if now.is_some() && now == at { still + 1 } else { 0 };
            at = now;
        }
        let (start, at) = (proc::stat(pid).unwrap().start, at.unwrap());
        let here = Range { start: at, end: at + 1 };
        let elsewhere = [at - 16..at, at + 1..at + 16];
        let frozen = Frozen::stop(pid, start, &elsewhere).unwrap();
        assert_eq!(state(), 'T');
        let refused = Frozen::stop(pid, start, std::slice::from_ref(&here)).unwrap_err();
        assert!(refused.to_string().contains("let it go on first"), "{refused}");
        assert_eq!(state(), 'T', "whoever stopped it lets it go on");
        drop(frozen);
        while state() == 'T' {
            std::thread::sleep(POLL);
        }
        assert!(Frozen::stop(pid, start, std::slice::from_ref(&here)).is_err(), "it never leaves");
        assert!(matches!(Frozen::stop(pid, start + 1, &[]), Err(LabError::Gone { .. })), "another process");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn instruction_pointers_are_read() {
        assert_eq!(instruction("-1 0x7ffdee3f3850 0x7f9036efe1cc\n"), Some(0x7f90_36ef_e1cc));
        assert_eq!(instruction("59 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffd96f825c0 0x7f8252429b70"), Some(0x7f82_5242_9b70));
        assert_eq!(instruction("running\n"), None);
        assert_eq!(instruction(""), None);
    }
}
