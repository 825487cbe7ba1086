//! Runs the system's own tools (`ip`, `nft`, `tc`), if need be inside a namespace, and turns failure into a clear error.

use super::{LabError, Namespace};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program of the system and the package that brings it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// Name of the program.
    pub program: &'static str,
    /// Debian's package.
    pub package: &'static str,
}

pub(crate) const IP: Tool = Tool { program: "ip", package: "iproute2" };
pub(crate) const BRIDGE: Tool = Tool { program: "bridge", package: "iproute2" };
pub(crate) const TC: Tool = Tool { program: "tc", package: "iproute2" };
pub(crate) const NFT: Tool = Tool { program: "nft", package: "nftables" };

impl Tool {
    /// Where it is. The administrator's folders are searched too: they are often not in PATH.
    pub fn find(&self) -> Result<PathBuf, LabError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path);
        let more = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
        let found = folders.chain(more).map(|folder| folder.join(self.program)).find(|file| is_executable(file));
        found.ok_or(LabError::MissingTool { tool: self.program, package: self.package })
    }

    /// Runs it with `input` on standard input, in `namespace` or where we are, and returns its standard output.
    pub fn run(&self, namespace: Option<&Namespace>, args: &[&str], input: &str) -> Result<String, LabError> {
        let mut command = Command::new(self.find()?);
        // A group of its own: Ctrl-C is for us, and what is half done is finished. But it must not go on without us,
        // making things that the supervisor has just removed.
        command.process_group(0);
        die_with_parent(&mut command);
        command.args(args).env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(namespace) = namespace {
            namespace.attach(&mut command);
        }
        let line = || format!("{} {}", self.program, args.join(" "));
        let mut child = command.spawn().map_err(LabError::io(format!("starting `{}`", line())))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A tool that fails early closes its input; its own message is the better one.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(LabError::io(format!("waiting for `{}`", line())))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let fed = if input.is_empty() { String::new() } else { format!(" <<< {:?}", input.trim_end()) };
        Err(LabError::Command {
            command: format!("{}{fed}", line()),
            status: output.status.to_string(),
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

fn is_executable(file: &Path) -> bool {
    let Ok(name) = std::ffi::CString::new(file.as_os_str().as_bytes()) else { return false };
    // SAFETY: `name` is a valid C string for the length of the call.
    file.is_file() && unsafe { libc::access(name.as_ptr(), libc::X_OK) } == 0
}

/// Makes a command die with the thread that starts it.
pub(crate) fn die_with_parent(command: &mut Command) {
    let parent = std::process::id() as i32;
    let ask = move || {
        // SAFETY: plain system calls, allowed between fork and exec.
        let outcome = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        if outcome != 0 {
            return Err(std::io::Error::last_os_error());
        }
        // A parent that died before the call would never be noticed.
        if unsafe { libc::getppid() } != parent {
            return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(())
    };
    // SAFETY: `ask` only makes system calls; it neither allocates nor locks.
    unsafe { command.pre_exec(ask) };
}
