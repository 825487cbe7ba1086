//! What `/proc` tells about processes: their state, when they started, which namespace they are in.

use super::namespace::Identity;
use nix::errno::Errno;
use std::collections::BTreeSet;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;

/// State and birth of a process or thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// R, S, D, T, t, Z, X ...
    pub state: char,
    /// Clock ticks between boot and its start: with the pid it names a process uniquely until the next boot.
    pub start: u64,
}

impl Stat {
    /// After SIGSTOP: whether it executes none of its own code until SIGCONT. A thread in state D is inside the kernel
    /// and stops before it leaves it; one that waits for a stopped child after `vfork` stays in D all the while.
    pub fn is_halted(&self) -> bool {
        matches!(self.state, 'T' | 't' | 'Z' | 'X' | 'D')
    }
    /// Stopped by a signal.
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 't')
    }
    /// Dead, perhaps not yet reaped.
    pub fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// State of a process; none if it is gone.
pub(crate) fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// State of one thread of a process.
pub(crate) fn thread_stat(pid: i32, tid: i32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat")).ok()?)
}

/// The command name in brackets may hold anything, brackets and spaces too: fields count from the last bracket.
fn parse_stat(text: &str) -> Option<Stat> {
    let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let start = fields.nth(18)?.parse().ok()?;
    Some(Stat { state, start })
}

/// The threads of a process; empty if it is gone.
pub(crate) fn threads(pid: i32) -> Vec<i32> {
    numbers(&format!("/proc/{pid}/task"))
}

/// Processes whose network namespace is one of these, by pid. Never the caller itself.
pub(crate) fn processes_in(namespaces: &BTreeSet<Identity>) -> Vec<i32> {
    let own = std::process::id() as i32;
    let inside = |pid: &i32| {
        let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
        Identity::of(&path).is_some_and(|identity| namespaces.contains(&identity))
    };
    numbers("/proc").into_iter().filter(|pid| *pid != own).filter(inside).collect()
}

/// Sends a signal to a process only if it is still the one that started at `start`. A process descriptor taken before
/// the check makes sure that no other process can get the pid in between. False if it is gone already.
pub(crate) fn signal_exactly(pid: i32, start: u64, signal: i32) -> Result<bool, Errno> {
    // SAFETY: plain system calls; the descriptor that the first one returns is ours alone.
    let descriptor = match Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }) {
        Ok(number) => unsafe { OwnedFd::from_raw_fd(number as i32) },
        Err(Errno::ESRCH) => return Ok(false),
        Err(error) => return Err(error),
    };
    if stat(pid).is_none_or(|stat| stat.start != start || stat.is_dead()) {
        return Ok(false);
    }
    let nothing = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: the descriptor is open, and a null siginfo is allowed.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, descriptor.as_raw_fd(), signal, nothing, 0) };
    match Errno::result(sent) {
        Ok(_) => Ok(true),
        Err(Errno::ESRCH) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Names this boot of the machine: pids and start times mean nothing in the next.
pub(crate) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn numbers(folder: &str) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stat_survives_odd_command_names() {
        let tail = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
        for name in ["(sleep)", "(a b)", "(x) R 1)", "())"] {
            let parsed = parse_stat(&format!("77 {name} {tail}")).unwrap();
            assert_eq!((parsed.state, parsed.start), ('S', 4242));
        }
        assert_eq!(parse_stat("77 (sleep) S 1 2"), None);
        assert_eq!(parse_stat("nothing"), None);
    }

    #[test]
    fn own_process_is_seen() {
        let own = std::process::id() as i32;
        let stat = stat(own).unwrap();
        assert!(!stat.is_halted());
        assert!(threads(own).contains(&own));
        assert!(!boot_id().is_empty());
    }

    #[test]
    fn signals_only_reach_the_process_meant() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let pid = child.id() as i32;
        let start = stat(pid).unwrap().start;
        assert_eq!(signal_exactly(pid, start + 1, libc::SIGKILL), Ok(false));
        assert!(child.try_wait().unwrap().is_none());
        assert_eq!(signal_exactly(pid, start, libc::SIGKILL), Ok(true));
        assert!(!child.wait().unwrap().success());
        assert_eq!(signal_exactly(pid, start, libc::SIGKILL), Ok(false));
    }
}
