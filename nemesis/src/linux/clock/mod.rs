//! Another clock for one live process, without its help and without touching its neighbours.
//!
//! Programs read the clock through the vDSO, a piece of code that the kernel maps into each process. Its pages are
//! private once written, so rewriting them through `/proc/PID/mem` changes what this process sees and nothing else. The
//! beginning of each function that tells the time of day is replaced by a jump to code of ours, which asks the kernel
//! and adds the offset. Monotonic clocks keep running true, as they do when an administrator sets the clock.
//!
//! Limits: x86_64 only. Programs that bypass the vDSO see the true time. A child forked later inherits the offset until
//! it executes another program. Calls take longer than before: one system call each, as on machines without vDSO.

mod code;
mod elf;
mod freeze;
mod vdso;

use super::{LabError, proc};
use code::Offset;
use freeze::Frozen;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use vdso::{Edit, Vdso};

/// Offsets beyond this are a mistake in a plan: a hundred years.
pub const OFFSET_MS_MAX: u64 = 100 * 366 * 24 * 3600 * 1000;

/// A process whose clock is off. Dropping it gives the process the true time again.
#[derive(Debug)]
pub struct ClockSkew {
    pid: i32,
    start: u64,
    vdso: Vdso,
    offset_ms: i64,
    in_force: bool,
    /// How often it was shifted.
    turn: usize,
}

impl ClockSkew {
    /// Shifts the time of day that a process sees. It stands still for a moment; if it was paused, it stays so.
    /// Not right after the start: until it executes its own program, the clock that changes is that of a passing copy.
    pub fn apply(pid: i32, offset_ms: i64) -> Result<ClockSkew, LabError> {
        if !cfg!(target_arch = "x86_64") {
            return Err(refuse(pid, "rewriting the vDSO is done for x86_64 only"));
        }
        let start = proc::stat(pid).filter(|stat| !stat.is_dead()).ok_or(LabError::Gone { pid })?.start;
        let vdso = Vdso::read(pid)?;
        let mut skew = ClockSkew { pid, start, vdso, offset_ms, in_force: false, turn: 0 };
        skew.change(offset_ms)?;
        Ok(skew)
    }

    /// Shifts it by another amount, counted from the true time.
    pub fn change(&mut self, offset_ms: i64) -> Result<(), LabError> {
        if offset_ms.unsigned_abs() > OFFSET_MS_MAX {
            return Err(refuse(self.pid, &format!("an offset of {offset_ms} ms is more than a hundred years")));
        }
        let edit = self.vdso.shift(Offset::of_ms(offset_ms), self.turn).map_err(|why| refuse(self.pid, &why))?;
        self.write(&edit)?;
        self.turn += 1;
        (self.offset_ms, self.in_force) = (offset_ms, true);
        Ok(())
    }

    /// Puts the original code back: the process sees the true time again. A process that has ended needs nothing.
    pub fn restore(&mut self) -> Result<(), LabError> {
        if !self.in_force {
            return Ok(());
        }
        match self.write(&self.vdso.undo()) {
            Ok(()) | Err(LabError::Gone { .. }) => {
                self.in_force = false;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// How far off its clock is now.
    pub fn offset_ms(&self) -> i64 {
        if self.in_force { self.offset_ms } else { 0 }
    }

    fn write(&self, edit: &Edit) -> Result<(), LabError> {
        let _frozen = Frozen::stop(self.pid, self.start, &edit.avoid)?;
        let memory = open_memory(self.pid, true)?;
        for patch in &edit.patches {
            let address = self.vdso.range.start + patch.at as u64;
            let what = || format!("writing the vDSO of process {}", self.pid);
            memory.write_all_at(&patch.bytes, address).map_err(LabError::io(what()))?;
        }
        Ok(())
    }
}

impl Drop for ClockSkew {
    fn drop(&mut self) {
        if let Err(error) = self.restore() {
            tracing::warn!(%error, pid = self.pid, "a process keeps a wrong clock");
        }
    }
}

/// Bytes to write into the vDSO.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Patch {
    /// Where, from its beginning.
    at: usize,
    bytes: Vec<u8>,
}

fn refuse(pid: i32, why: &str) -> LabError {
    LabError::Clock { pid, why: why.to_owned() }
}

fn open_memory(pid: i32, write: bool) -> Result<File, LabError> {
    let path = format!("/proc/{pid}/mem");
    let file = OpenOptions::new().read(true).write(write).open(&path);
    file.map_err(LabError::io(format!("opening {path}")))
}
