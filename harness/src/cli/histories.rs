//! `upheaval history cat|stats|export`.

use super::check::locate;
use super::{HistoryArgs, HistoryCommand, print, print_json};
use crate::error::Error;
use history::{Loaded, PhaseName, Stats, calls};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Looks into a history. A damaged one is shown as far as it is whole, and the damage is said; exit code 3 then.
pub fn history(command: HistoryCommand) -> Result<u8, Error> {
    match command {
        HistoryCommand::Cat(arguments) if arguments.json => {
            export(&load(&arguments)?, history::export::Options::default(), None)
        }
        HistoryCommand::Cat(arguments) => cat(&load(&arguments)?),
        HistoryCommand::Stats(arguments) => {
            let loaded = load(&arguments)?;
            let stats = history::stats(&loaded);
            if arguments.json {
                print_json(&stats)?
            } else {
                print(&describe(&stats))?
            }
            Ok(damage(&loaded))
        }
        HistoryCommand::Export { history, operations: Some(format), output, .. } => {
            operations(&history, format == "edn", output.as_deref())
        }
        HistoryCommand::Export { history, full_snapshots, output, .. } => {
            export(&load(&history)?, history::export::Options { full_snapshots }, output.as_deref())
        }
    }
}

fn describe(stats: &Stats) -> String {
    let mut lines = vec![
        format!("events     {}{}", stats.events, if stats.whole { "" } else { "  (not whole)" }),
        format!("pushes     {} of {} distinct contents", stats.pushes, stats.snapshots_used),
        format!("clients    {}", stats.clients),
        format!("size       {} bytes, {} bytes of text", stats.file_bytes, stats.text_bytes),
    ];
    lines.push("operation        ok     fail     info  dropped".to_owned());
    for (name, o) in &stats.operations {
        lines.push(format!("  {name:<11} {:>6} {:>8} {:>8} {:>8}", o.ok, o.fail, o.info, o.dropped));
    }
    for (kind, count) in &stats.faults {
        lines.push(format!("fault      {kind} {count}"));
    }
    if stats.faults_missed > 0 {
        lines.push(format!("missed     {}", stats.faults_missed));
    }
    for (phase, at) in &stats.phases {
        lines.push(format!("phase      {:>10.3} s  {}", *at as f64 / 1e9, phase_name(*phase)));
    }
    lines.join("\n")
}

fn phase_name(phase: PhaseName) -> String {
    serde_json::to_value(phase).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn load(arguments: &HistoryArgs) -> Result<Loaded, Error> {
    let (path, _) = locate(&arguments.history);
    if calls::is_own(&path) {
        let path = path.display();
        return Err(Error::usage(format!(
            "{path} holds operations only; `upheaval history export --operations edn {path}` shows them, `upheaval check` judges them"
        )));
    }
    history::read(path).map_err(|e| Error::usage(e.to_string()))
}

fn damage(loaded: &Loaded) -> u8 {
    match &loaded.damage {
        Some(damage) => {
            eprintln!(
                "upheaval: the history is damaged at byte {} (line {}): {}",
                damage.offset, damage.line, damage.what
            );
            3
        }
        None => 0,
    }
}

fn cat(loaded: &Loaded) -> Result<u8, Error> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut cat = history::Cat::new(&loaded.header);
    for event in &loaded.events {
        let Some(line) = cat.line(event) else { continue };
        if let Err(error) = writeln!(out, "{line}") {
            return broken_pipe(error).map(|()| 0);
        }
    }
    out.flush().or_else(broken_pipe)?;
    Ok(damage(loaded))
}

fn broken_pipe(error: std::io::Error) -> Result<(), Error> {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Error::harness(format!("standard output: {error}"))),
    }
}

fn export(loaded: &Loaded, options: history::export::Options, output: Option<&std::path::Path>) -> Result<u8, Error> {
    let fail = |e: history::Error| Error::harness(e.to_string());
    match output {
        Some(path) => {
            let file = std::fs::File::create(path).map_err(|e| Error::write(path, &e))?;
            let mut out = BufWriter::new(file);
            history::export(loaded, &mut out, &path.display().to_string(), options).map_err(fail)?;
            out.flush().map_err(|e| Error::write(path, &e))?;
        }
        None => {
            let mut out = BufWriter::new(Quiet(std::io::stdout().lock()));
            history::export(loaded, &mut out, "standard output", options).map_err(fail)?;
            out.flush().or_else(broken_pipe)?;
        }
    }
    Ok(damage(loaded))
}

/// Writes the operations of any history that can be read.
fn operations(arguments: &HistoryArgs, edn: bool, output: Option<&Path>) -> Result<u8, Error> {
    let calls = calls::read(&locate(&arguments.history).0, None).map_err(|e| Error::usage(e.to_string()))?;
    let name = output.unwrap_or(Path::new("standard output"));
    let mut out: BufWriter<Box<dyn Write>> = BufWriter::new(match output {
        Some(path) => Box::new(std::fs::File::create(path).map_err(|e| Error::write(path, &e))?),
        None => Box::new(Quiet(std::io::stdout().lock())),
    });
    if edn {
        calls::write_edn(&calls, &mut out).map_err(|e| Error::write(name, &e))?;
    } else {
        let written = calls::write_own(&calls, &mut out, name, concat!("upheaval ", env!("CARGO_PKG_VERSION")));
        written.map_err(|e| Error::harness(e.to_string()))?;
    }
    out.flush().map_err(|e| Error::write(name, &e))?;
    if let Some(cut) = &calls.cut {
        eprintln!("upheaval: the history is not whole: {cut}");
        return Ok(3);
    }
    Ok(0)
}

/// Standard output that does not mind a reader that went away.
struct Quiet<W>(W);

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}
