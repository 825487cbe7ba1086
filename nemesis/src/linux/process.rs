//! Processes of a lab: started inside a host, killed, paused, resumed.

use super::command::die_with_parent;
use super::{LabError, Namespace, proc};
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

const POLL: Duration = Duration::from_millis(1);
const POLLS_MAX: u32 = 10_000;

/// What to start, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessSpec {
    /// The program: a path, or a name to look for in PATH.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Added to the environment that we have.
    pub env: Vec<(OsString, OsString)>,
    /// Where it starts; none: where we are.
    pub cwd: Option<PathBuf>,
    /// File that gets its standard output and standard error, appended; none: nobody reads them.
    pub output: Option<PathBuf>,
}

impl ProcessSpec {
    /// A program without arguments.
    pub fn new(program: impl Into<PathBuf>) -> ProcessSpec {
        ProcessSpec { program: program.into(), args: Vec::new(), env: Vec::new(), cwd: None, output: None }
    }
    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> ProcessSpec {
        self.args.push(arg.into());
        self
    }
    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> ProcessSpec {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }
    /// Sets a variable of the environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> ProcessSpec {
        self.env.push((name.into(), value.into()));
        self
    }
    /// Sets the folder it starts in.
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> ProcessSpec {
        self.cwd = Some(folder.into());
        self
    }
    /// Sets the file that gets its output.
    pub fn output(mut self, file: impl Into<PathBuf>) -> ProcessSpec {
        self.output = Some(file.into());
        self
    }

    /// The command that starts it in `namespace`, in a process group of its own, to die with the thread that starts it.
    pub(crate) fn command(&self, namespace: &Namespace) -> Result<Command, LabError> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        if let Some(folder) = &self.cwd {
            command.current_dir(folder);
        }
        if let Some(path) = &self.output {
            let again = |file: &std::fs::File| file.try_clone();
            let open = OpenOptions::new().create(true).append(true).open(path);
            let (first, second) = open
                .and_then(|file| Ok((again(&file)?, file)))
                .map_err(LabError::io(format!("opening {}", path.display())))?;
            command.stdout(first).stderr(second);
        }
        namespace.attach(&mut command);
        die_with_parent(&mut command);
        Ok(command)
    }
}

/// A process of a lab. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    host: String,
    pid: i32,
    start: u64,
    child: Child,
    status: Option<ExitStatus>,
}

impl Process {
    /// Takes over a child that was just started.
    pub(crate) fn new(host: &str, child: Child) -> Process {
        let pid = child.id() as i32;
        // An unreaped child keeps its entry, so this finds it even if it has ended already.
        let start = proc::stat(pid).map_or(0, |stat| stat.start);
        Process { host: host.to_owned(), pid, start, child, status: None }
    }

    /// Its number, also that of its process group.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// When it started, in clock ticks since boot.
    pub fn start_ticks(&self) -> u64 {
        self.start
    }

    /// The host it runs on.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// How it ended; none while it runs (or is paused).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, LabError> {
        if self.status.is_none() {
            self.status = self.child.try_wait().map_err(LabError::io(format!("waiting for process {}", self.pid)))?;
        }
        Ok(self.status)
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.try_wait(), Ok(None))
    }

    /// Waits for its end, for so long at most; none if it still runs then.
    pub fn wait(&mut self, patience: Duration) -> Result<Option<ExitStatus>, LabError> {
        let polls = patience.as_millis() / POLL.as_millis();
        for _ in 0..polls {
            if let Some(status) = self.try_wait()? {
                return Ok(Some(status));
            }
            std::thread::sleep(POLL);
        }
        self.try_wait()
    }

    /// Kills the process and its group (SIGKILL), and returns when it is gone. A process that has ended is no error.
    pub fn kill(&mut self) -> Result<(), LabError> {
        self.signal(Signal::SIGKILL)?;
        for _ in 0..POLLS_MAX {
            if self.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        Err(LabError::Stuck { pid: self.pid, what: "did not die of SIGKILL within 10 s" })
    }

    /// Stops the process and its group (SIGSTOP), and returns when all its threads stand still.
    pub fn pause(&mut self) -> Result<(), LabError> {
        self.signal_alive(Signal::SIGSTOP)?;
        for _ in 0..POLLS_MAX {
            if all_threads_halted(self.pid) {
                return self.gone_if_ended();
            }
            std::thread::sleep(POLL);
        }
        Err(LabError::Stuck { pid: self.pid, what: "did not stop at SIGSTOP within 10 s" })
    }

    /// Lets the process and its group go on (SIGCONT). No harm if it is not paused.
    pub fn resume(&mut self) -> Result<(), LabError> {
        self.signal_alive(Signal::SIGCONT)
    }

    /// Whether it stands still because of a signal.
    pub fn is_paused(&self) -> bool {
        self.status.is_none() && proc::stat(self.pid).is_some_and(|stat| stat.is_stopped())
    }

    fn signal_alive(&mut self, signal: Signal) -> Result<(), LabError> {
        self.gone_if_ended()?;
        self.signal(signal)
    }

    fn gone_if_ended(&mut self) -> Result<(), LabError> {
        match self.try_wait()? {
            Some(_) => Err(LabError::Gone { pid: self.pid }),
            None => Ok(()),
        }
    }

    /// Signals the group. Only before the process is reaped: after that its number may belong to others.
    fn signal(&self, signal: Signal) -> Result<(), LabError> {
        if self.status.is_some() {
            return Ok(());
        }
        match killpg(Pid::from_raw(self.pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(LabError::errno(format!("sending {signal} to process {}", self.pid))(error)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!(%error, host = self.host, "a process outlives its handle; the lab will remove it");
        }
    }
}

/// Whether every thread of a process stands still, or is gone.
pub(crate) fn all_threads_halted(pid: i32) -> bool {
    let halted = |tid: &i32| proc::thread_stat(pid, *tid).is_none_or(|stat| stat.is_halted());
    proc::threads(pid).iter().all(halted)
}
