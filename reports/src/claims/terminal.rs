//! The table of claims for the terminal: for each claim its sentence, and a line for each variant.

use super::{ClaimSummary, Row};
use crate::{format, names};
use std::fmt::Write;

/// Everything, as text.
pub fn table(summary: &ClaimSummary) -> String {
    let mut out = String::new();
    let rows = &summary.claims;
    let variant = rows.iter().map(|row| row.scenario.len()).max().unwrap_or(0);
    let predicted = rows.iter().map(|row| row.predicted.len()).max().unwrap_or(0);
    let mut last = "";
    for row in rows {
        if row.id != last {
            let _ =
                writeln!(out, "{}{:4}{}", if last.is_empty() { "" } else { "\n" }, row.id, summary.sentence(&row.id));
            last = &row.id;
        }
        let sign = if row.as_predicted { "ok   " } else { "WRONG" };
        let _ = write!(
            out,
            "    {sign} {:variant$}  predicted {:predicted$}  {}",
            row.scenario,
            row.predicted,
            observed(row)
        );
        out.push('\n');
    }
    let seconds = format::duration_ms(summary.wall_ms);
    let _ = writeln!(out, "\n{} of {} claims as predicted, in {seconds}", summary.as_predicted, summary.total);
    out
}

fn observed(row: &Row) -> String {
    let seeds = format::counted(row.seeds_run, "seeds");
    let detail = names::clean_long(&row.detail);
    match (row.as_predicted, row.shrunk, row.first_seed) {
        (_, Some(shrunk), Some(seed)) => {
            let operations = format::counted(shrunk.operations, "operations");
            let faults = format::counted(shrunk.faults, "faults");
            format!("{} with seed {seed}, shrunk to {operations} and {faults}: {detail}", row.observed)
        }
        (true, _, _) => format!("{seeds}: {detail}"),
        (false, _, _) => format!("observed {} in {seeds}: {detail}", row.observed),
    }
}
