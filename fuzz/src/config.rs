//! Every loss of the catalogue from an input.

use topk_loss::Smoothing;
use topk_loss::config::{BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::TopKSvmForm;

use crate::{Float, Input};

/// The most draws of a loss.
const MOST_DRAWS: usize = 20;

impl Input {
    /// A description of a loss of `num_classes` classes, right or wrong.
    #[must_use]
    pub fn config<F: Float>(&self, num_classes: usize) -> LossConfig<F, Vec<F>> {
        let others = || self.others(num_classes);
        let around = |bit: u8, list: Vec<F>| (self.dice[0] & bit != 0).then_some(list);
        let weights = || others().into_iter().map(F::abs).collect();
        LossConfig { loss: self.base(num_classes), adjustments: around(16, others()), class_weights: around(32, weights()) }
    }

    /// The loss without what may be around it.
    #[must_use]
    pub fn base<F: Float>(&self, num_classes: usize) -> BaseConfig<F, Vec<F>> {
        let k = self.k.rank(num_classes);
        let (epsilon, scale) = (self.epsilon(), if self.dice[1] & 1 == 0 { F::one() } else { self.factor() });
        let margins = match self.dice[1] >> 1 & 3 {
            0 => MarginConfig::default(),
            1 => MarginConfig::Uniform(self.factor()),
            2 => MarginConfig::PerClass(self.others(num_classes)),
            _ => MarginConfig::PerClass(self.others::<F>(num_classes).into_iter().map(F::abs).collect()),
        };
        let shares = || self.distribution(k.min(num_classes));
        match self.which % 10 {
            0 => BaseConfig::CrossEntropy,
            1 => BaseConfig::Focal { gamma: self.factor() },
            2 => BaseConfig::Ldam { margins, scale },
            3 => {
                let tolerance = (self.dice[2] & 16 != 0).then(|| self.factor());
                BaseConfig::TopKHinge { k, margins, scale, smoothing: self.smoothing(), tolerance }
            }
            4 => BaseConfig::TopKHinges { shares: shares(), margins, scale, epsilon: (self.dice[2] & 1 != 0).then_some(epsilon) },
            5 => {
                let forms = [TopKSvmForm::KthOther, TopKSvmForm::MeanOutside, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel];
                BaseConfig::TopKSvm { k, form: forms[usize::from(self.dice[2] % 4)], margins, scale }
            }
            6 => BaseConfig::SmoothTopKSvm { k, temperature: epsilon, margin: self.factor() },
            7 => BaseConfig::PolyhedralHinge { k, margins, scale },
            8 => BaseConfig::TopKMarginCrossEntropy { k, margins, scale },
            _ => {
                let guesses = if self.dice[2] & 1 == 0 { Guesses::K(k) } else { Guesses::Mixture(shares()) };
                let law = [Law::Normal, Law::Gumbel, Law::Logistic][usize::from(self.law % 3)];
                BaseConfig::TopKCrossEntropy { guesses, law, epsilon }
            }
        }
    }

    /// A smoothing of any kind.
    #[must_use]
    pub fn smoothing<F: Float>(&self) -> Smoothing<F> {
        let (epsilon, num_samples, key) = (self.epsilon(), usize::from(self.num_samples) % (MOST_DRAWS + 1), self.key());
        match self.dice[2] % 4 {
            0 => Smoothing::None,
            1 => Smoothing::Exact { epsilon },
            2 => Smoothing::Pathwise { epsilon, num_samples, key },
            _ => Smoothing::Conditional { epsilon, num_samples, key },
        }
    }
}
