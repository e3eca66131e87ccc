//! The losses whose bits are compared and whose costs are measured.

use core::hint::black_box;

use topk_loss::loss::{
    ClassWeighted, Focal, Ldam, LogitAdjusted, MeanOfHinge, PolyhedralHinge, SmoothTopKSvm, SmoothedLoss, TopKCrossEntropy, TopKHinges,
    TopKMarginCrossEntropy, TopKSvm, TopKSvmForm,
};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::oracle::KthLargest;
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, Key, Loss, Real, Result, Smoothing, TopKHinge};

/// What is done with each of them.
pub trait Visitor<F: Real> {
    /// # Errors
    /// Those of the loss.
    fn visit(&mut self, name: &str, loss: &impl Loss<F>) -> Result<()>;
}

/// The one loss that is built, by its name, if the environment asked for one: an image with nothing else shows what it costs.
const ONLY: Option<&str> = option_env!("LOSS");

const K: usize = 5;

/// Visits the losses of K = 5 guesses, `per_class` the weights and adjustments of those that take a number per class.
///
/// # Errors
/// Those of the losses.
pub fn visit<F: Real>(per_class: &[F], visitor: &mut impl Visitor<F>) -> Result<()> {
    macro_rules! visit {
        ($($name:literal: $loss:expr;)+) => {
            $(if const { is_wanted($name) } {
                visitor.visit($name, &$loss)?;
            })+
        };
    }
    let (k, one, key) = (black_box(K), F::one(), Key::new(1));
    let shares = [0.5, 0.0, 0.0, 0.0, 0.5].map(F::from_f64);
    let draws = MonteCarlo::new(Normal, 5)?;
    visit! {
        "hard hinge": TopKHinge::new(k)?;
        "polyhedral hinge": PolyhedralHinge::new(k)?;
        "margin cross-entropy": TopKMarginCrossEntropy::new(k, one)?;
        "pathwise hinge": TopKHinge::new(k)?.with_smoothing(Smoothing::Pathwise { epsilon: one, num_samples: 5, key })?;
        "conditional hinge": TopKHinge::new(k)?.with_smoothing(Smoothing::Conditional { epsilon: one, num_samples: 5, key })?;
        "exact hinge": TopKHinge::new(k)?.with_smoothing(Smoothing::Exact { epsilon: one })?;
        "hinges of 1 and K, hard": TopKHinges::new(shares)?;
        "hinges of 1 and K, exact": TopKHinges::new(shares)?.with_epsilon(Some(one))?;
        "top-K cross-entropy, normal": TopKCrossEntropy::new(k, Normal, one)?;
        "top-K cross-entropy, Gumbel": TopKCrossEntropy::new(k, Gumbel, one)?;
        "top-K cross-entropy, logistic": TopKCrossEntropy::new(k, Logistic, one)?;
        "top-K SVM": TopKSvm::new(k, TopKSvmForm::MeanInside)?;
        "smooth top-K SVM": SmoothTopKSvm::new(k, one, one)?;
        "mean of hinge": MeanOfHinge::new(KthLargest::new(k)?, draws, one, key)?;
        "cross-entropy": CrossEntropy;
        "smoothed cross-entropy": SmoothedLoss::new(CrossEntropy, draws, one, key)?;
        "focal": Focal::new(F::from_f64(2.0))?;
        "LDAM": Ldam::new(topk_loss::Margins::Uniform(one), F::from_f64(30.0))?;
        "class-weighted": ClassWeighted::new(CrossEntropy, per_class)?;
        "logit-adjusted": LogitAdjusted::new(CrossEntropy, per_class)?;
    }
    Ok(())
}

const fn is_wanted(name: &str) -> bool {
    let Some(only) = ONLY else { return true };
    let (name, only) = (name.as_bytes(), only.as_bytes());
    let mut i = 0;
    while i < name.len() && i < only.len() && name[i] == only[i] {
        i += 1;
    }
    i == name.len() && i == only.len()
}
