//! The table of claims: each with the files of its variants.

use super::file::ClaimFile;
use super::{c, g, r, s, u};
use crate::error::Error;

/// A claim of the background.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// `U4`.
    pub id: &'static str,
    /// What it says, in one sentence.
    pub sentence: &'static str,
    /// Its variants: name and text of each file in `scenarios/claims/`.
    pub files: &'static [(&'static str, &'static str)],
}

/// A file of `scenarios/claims/`, built into the program.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../scenarios/claims/", $name, ".toml")))),*]
    };
}
pub(super) use files;

/// Every claim that is really run, in the order of the background.
pub fn all() -> Vec<&'static Claim> {
    [r::CLAIMS, u::CLAIMS, s::CLAIMS, g::CLAIMS, c::CLAIMS].concat().into_iter().collect()
}

/// The claims whose id begins so (`U`, `U4`).
pub fn only(prefix: Option<&str>) -> Result<Vec<&'static Claim>, Error> {
    let all = all();
    let Some(prefix) = prefix else { return Ok(all) };
    let wanted = |id: &str| {
        id.eq_ignore_ascii_case(prefix)
            || (prefix.chars().all(|c| c.is_ascii_alphabetic())
                && id.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
    };
    let found: Vec<&'static Claim> = all.iter().copied().filter(|claim| wanted(claim.id)).collect();
    if found.is_empty() {
        let known: Vec<&str> = all.iter().map(|claim| claim.id).collect();
        return Err(Error::usage(format!("--only {prefix}: no such claim; there are {}", known.join(", "))));
    }
    Ok(found)
}

/// The file of any variant of any claim.
pub fn file(name: &str) -> Result<ClaimFile, Error> {
    let all = all();
    let mut files = all.iter().flat_map(|claim| claim.files);
    match files.find(|(known, _)| *known == name) {
        Some((name, text)) => ClaimFile::parse(name, text),
        None => Err(Error::usage(format!("there is no claim's file scenarios/claims/{name}.toml"))),
    }
}
