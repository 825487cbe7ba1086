//! `upheaval claims [--only U]`: every claim of the background as an experiment.

use super::{ClaimsArgs, print, print_json};
use crate::claims::{self, Effort, table};
use crate::error::Error;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;

/// Runs the claims; exit code 0 if all are as predicted, else 1.
pub fn claims(arguments: &ClaimsArgs) -> Result<u8, Error> {
    let begin = Instant::now();
    let claims = table::only(arguments.only.as_deref())?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = arguments.jobs.map_or(cores, usize::from);
    let effort = match arguments.seeds {
        Some(seeds) => Effort { hold_seeds: seeds, ..Effort::default() },
        None => Effort::default(),
    };
    let variants = claims.iter().map(|claim| claim.files.len() as u64).sum();
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} variants  {elapsed}");
    let bar = ProgressBar::new(variants).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let summary = claims::run(&claims, &effort, jobs, &|| bar.inc(1));
    bar.finish_and_clear();
    let mut summary = summary?;
    summary.wall_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let Some(path) = &arguments.page {
        let page = reports::html::claims_page(&summary);
        std::fs::write(path, page).map_err(|e| Error::write(path, &e))?;
    }
    if arguments.json {
        print_json(&summary)?;
    } else {
        print(&reports::claims::table(&summary))?;
    }
    Ok(summary.exit_code())
}
