//! A loss that can be trained with: one row of a table.

mod table;

use anyhow::Result;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use topk_loss_batch::Similarity;

use crate::objective::Objective;
use crate::settings::{Domain, Settings};
use crate::setup::Setup;

pub use table::{ALL, CROSS_ENTROPY, NOISED, NOISED_IMBALANCED, USUAL};

#[derive(Clone, Copy)]
pub struct Method {
    /// What the command line calls it.
    flag: &'static str,
    pub name: &'static str,
    about: &'static str,
    pub similarity: Similarity,
    generated: Settings,
    text: Settings,
    /// The same loss without smoothing, if it is smoothed.
    pub unsmoothed: Option<&'static Self>,
    pub build: for<'a> fn(&'a Setup) -> Result<Box<dyn Objective + 'a>>,
}

impl Method {
    /// What it takes unless told otherwise.
    pub const fn settings(&self, domain: Domain) -> Settings {
        match domain {
            Domain::Generated => self.generated,
            Domain::Text => self.text,
        }
    }
}

impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        self.flag == other.flag
    }
}

impl ValueEnum for Method {
    fn value_variants<'a>() -> &'a [Self] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.flag).help(self.about))
    }
}
