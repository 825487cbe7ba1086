//! The file of one variant of a claim: what is predicted, and the options of the system.

use super::sample::Lab;
use super::systems;
use crate::error::Error;
use crate::scenario::toml_error;
use ::systems::trial::Trial;
use serde::{Deserialize, Serialize};

/// What a claim predicts of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Predicted {
    /// A violation is found.
    Violated,
    /// None is found, though the naive variant fails on the same plans.
    Holds,
    /// None is found up to a bound, and one is found beyond it.
    HoldsWithinBound,
    /// Figures stand in a relation.
    Measured,
}

impl Predicted {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Predicted::Violated => "violated",
            Predicted::Holds => "holds",
            Predicted::HoldsWithinBound => "holds-within-bound",
            Predicted::Measured => "measured",
        }
    }
}

/// A relation between sums of a figure over the same seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// Name of the figure: `violated`, `completed`, `asked`, or one that the trial measures.
    pub figure: String,
    /// Scenario with the smaller sum.
    pub less: String,
    /// Scenario with the larger sum.
    pub more: String,
    /// Of the larger sum, where it is another figure.
    #[serde(default)]
    pub more_figure: Option<String>,
    /// The smaller sum is at most so many thousandths of the larger one.
    #[serde(default = "whole")]
    pub at_most_permille: i64,
    /// The smaller sum is not nothing.
    #[serde(default)]
    pub not_zero: bool,
}

fn whole() -> i64 {
    1_000
}

/// A quantity that is swept across the bound that the formulas give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// The option that is swept: `faults.clock_error_ms`.
    pub key: String,
    /// For people: `clock error`.
    pub name: String,
    /// For people: `ms`.
    pub unit: String,
    /// Values, in thousandths of the bound. Up to 1000 the claim must hold, beyond it must be violated.
    pub permille: Vec<i64>,
    /// The other way round: what is swept is a promise, which holds from the measured maximum on and not below it.
    #[serde(default)]
    pub falling: bool,
}

impl Sweep {
    /// True if the claim must be violated at this value.
    pub fn breaks(&self, value: i64, bound: i64) -> bool {
        if self.falling { value < bound } else { value > bound }
    }
}

/// The `[claim]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The claim: `U4`.
    pub id: String,
    /// Of its variants: `leases-alone`.
    pub variant: String,
    /// What is predicted.
    pub predicted: Predicted,
    /// One sentence: what is done, and what should come of it.
    pub about: String,
    /// Checks of every run: `register`, `counter` ... , see `checks.rs`.
    pub checks: Vec<String>,
    /// With `holds`: scenarios that are violated; the variant runs the very plans on which they fail.
    #[serde(default)]
    pub against: Vec<String>,
    /// With `measured`.
    #[serde(default)]
    pub relations: Vec<Relation>,
    /// With `holds-within-bound`.
    #[serde(default)]
    pub sweep: Option<Sweep>,
}

/// A whole file.
#[derive(Clone, Debug)]
pub struct ClaimFile {
    /// Its name, without folder and `.toml`.
    pub name: String,
    /// What it claims.
    pub head: Head,
    /// Name of the system.
    pub system: String,
    /// The system's options.
    pub options: toml::Table,
}

impl ClaimFile {
    /// Reads the text of a file.
    pub fn parse(name: &str, text: &str) -> Result<ClaimFile, Error> {
        #[derive(Deserialize)]
        struct Shape {
            claim: Head,
            #[serde(flatten)]
            rest: toml::Table,
        }
        let shown = format!("scenarios/claims/{name}.toml");
        let shape: Shape = toml::from_str(text).map_err(|e| toml_error(&shown, text, &e))?;
        let mut rest = shape.rest.into_iter();
        let (Some((system, toml::Value::Table(options))), None) = (rest.next(), rest.next()) else {
            return Err(Error::usage(format!("{shown}: expected [claim] and one more table, that of the system")));
        };
        let file = ClaimFile { name: name.to_owned(), head: shape.claim, system, options };
        Lab::new(&file)?;
        Ok(file)
    }

    /// The system with its options; none for the embedded registry, which is no trial.
    pub fn trial(&self) -> Result<Box<dyn Trial>, Error> {
        systems::build(&self.system, &self.options)
            .map_err(|wrong| Error::usage(format!("scenarios/claims/{}.toml: [{}] {wrong}", self.name, self.system)))
    }

    /// The same with another value of one option.
    pub fn with(&self, key: &str, value: i64) -> Result<ClaimFile, Error> {
        let mut file = self.clone();
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut table = &mut file.options;
        for part in parts {
            let next = table.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            table = next.as_table_mut().ok_or_else(|| Error::usage(format!("{}: {part} is no table", self.name)))?;
        }
        table.insert(last.to_owned(), toml::Value::Integer(value));
        Ok(file)
    }
}
