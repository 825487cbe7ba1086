//! Completion scripts and man pages, made from the one table of arguments.

use super::{Cli, print};
use crate::error::Error;
use clap::CommandFactory;
use std::path::Path;

/// Prints a completion script.
pub fn completions(shell: clap_complete::Shell) -> Result<u8, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "upheaval", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// Writes `upheaval.1` and a page for each command.
pub fn man(folder: &Path) -> Result<u8, Error> {
    std::fs::create_dir_all(folder).map_err(|e| Error::write(folder, &e))?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(|e| Error::write(folder, &e))?;
    Ok(0)
}
