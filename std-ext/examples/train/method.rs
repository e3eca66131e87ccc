//! A loss that can be trained with: one entry of the catalogue.

mod catalogue;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use topk_loss::config::LossConfig;
use topk_loss_batch::Similarity;

use crate::settings::{Domain, Settings};
use crate::setup::Setup;

pub use catalogue::{ALL, CROSS_ENTROPY, NOISED, NOISED_IMBALANCED, USUAL};

/// A loss as data, its lists borrowed.
pub type Config<'a> = LossConfig<f32, &'a [f32]>;

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
    /// The loss that is trained with.
    pub config: for<'a> fn(&'a Setup) -> Config<'a>,
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

#[cfg(test)]
mod tests {
    use faer::{Mat, Par};
    use topk_loss::Key;
    use topk_loss_batch::{Reduction, Targets, objective_and_grads};

    use super::ALL;
    use crate::settings::Domain;
    use crate::setup::Setup;

    /// One class has no rows, as label noise may leave it.
    #[test]
    fn every_loss_pulls_a_wrong_label_up() {
        let (scores, key) = (Mat::from_fn(8, 1, |i, _| i as f32 / 8.0), Key::new(1));
        for (method, domain, k) in ALL.iter().flat_map(|method| [(method, Domain::Generated, 1), (method, Domain::Text, 3)]) {
            let setup = Setup::new(k, &method.settings(domain), &[9, 7, 5, 4, 3, 2, 1, 0], key).unwrap();
            let loss = (method.config)(&setup).build().unwrap();
            let mut grads = Mat::zeros(8, 1);
            objective_and_grads(&loss, scores.as_ref(), &Targets::new(&[0]), Reduction::Mean, grads.as_mut(), Par::Seq).unwrap();
            assert!(grads[(0, 0)] < 0.0, "{}: {grads:?}", method.name);
        }
    }

    #[test]
    fn flags_and_names_are_unique() {
        let distinct = |of: fn(&super::Method) -> &'static str| ALL.iter().map(of).collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!([distinct(|method| method.flag), distinct(|method| method.name)], [ALL.len(); 2]);
    }
}
