//! The losses whose bits are compared and whose costs are measured.

use core::array;
use core::hint::black_box;

use topk_loss::estimator::{Conditional, Pathwise};
use topk_loss::loss::{
    ClassWeighted, Focal, Hinge, Ldam, LogitAdjusted, MeanOfHinge, PolyhedralHinge, SmoothTopKSvm, SmoothedLoss, TopKCrossEntropy,
    TopKHinges, TopKMarginCrossEntropy, TopKSvm, TopKSvmForm,
};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::oracle::KthLargest;
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, Key, Loss, Margins, Real, Result, TopKHinge};

/// What is done with each of them.
pub trait Visitor<F: Real> {
    /// # Errors
    /// Those of the loss.
    fn visit(&mut self, name: &str, loss: &impl Loss<F>) -> Result<()>;
}

/// The one loss that is built, by its name, if the environment asked for one: an image with nothing else shows what it costs.
const ONLY: Option<&str> = option_env!("LOSS");

const K: usize = 5;

macro_rules! visit {
    ($visitor:ident: $($name:literal: $loss:expr;)+) => {
        $(if const { is_wanted($name) } {
            $visitor.visit($name, &$loss)?;
        })+
    };
}

/// Visits all of them; `per_class` are weights and adjustments.
///
/// # Errors
/// Those of the losses.
pub fn visit<F: Real>(per_class: &[F], visitor: &mut impl Visitor<F>) -> Result<()> {
    visit_small(per_class, visitor)?;
    visit_integrals(visitor)
}

/// Those in closed form, and those that draw.
///
/// # Errors
/// Those of the losses.
pub fn visit_small<F: Real>(per_class: &[F], visitor: &mut impl Visitor<F>) -> Result<()> {
    let (k, one, key) = (black_box(K), F::one(), Key::new(1));
    let unit = Margins::Uniform(one);
    let draws = MonteCarlo::new(Normal, 5)?;
    // The composed forms of `TopKHinge` with `Smoothing::None` and `Smoothing::Pathwise`: what is not named is not linked.
    let missed = KthLargest::new(k + 1)?;
    visit! { visitor:
        "hard hinge": Hinge::new(missed, unit, one)?;
        "polyhedral hinge": PolyhedralHinge::new(k)?;
        "margin cross-entropy": TopKMarginCrossEntropy::new(k, one)?;
        "pathwise hinge": Hinge::new(Pathwise::new(missed, draws, one, key)?, unit, one)?;
        "conditional hinge": Hinge::new(Conditional::new(missed, draws, one, key)?, unit, one)?;
        "top-K SVM": TopKSvm::new(k, TopKSvmForm::MeanInside)?;
        "smooth top-K SVM": SmoothTopKSvm::new(k, one, one)?;
        "mean of hinge": MeanOfHinge::new(missed, draws, one, key.fold_in(1))?;
        "cross-entropy": CrossEntropy;
        "smoothed cross-entropy": SmoothedLoss::new(CrossEntropy, draws, one, key)?;
        "focal": Focal::new(F::from_f64(2.0))?;
        "LDAM": Ldam::new(unit, F::from_f64(30.0))?;
        "class-weighted": ClassWeighted::new(CrossEntropy, per_class)?;
        "logit-adjusted": LogitAdjusted::new(CrossEntropy, per_class)?;
    }
    Ok(())
}

/// Those that integrate.
///
/// # Errors
/// Those of the losses.
pub fn visit_integrals<F: Real>(visitor: &mut impl Visitor<F>) -> Result<()> {
    let (k, one) = (black_box(K), F::one());
    let shares = [0.5, 0.0, 0.0, 0.0, 0.5].map(F::from_f64);
    visit! { visitor:
        "exact hinge": TopKHinge::smoothed(k, one)?;
        "hinges of 1 and K, hard": TopKHinges::new(shares)?;
        "hinges of 1 and K, exact": TopKHinges::new(shares)?.with_epsilon(Some(one))?;
        "top-K cross-entropy, normal": TopKCrossEntropy::new(k, Normal, one)?;
        "top-K cross-entropy, Gumbel": TopKCrossEntropy::new(k, Gumbel, one)?;
        "top-K cross-entropy, logistic": TopKCrossEntropy::new(k, Logistic, one)?;
    }
    Ok(())
}

/// Scores from −3 to 3, in no order.
pub fn scores<F: Real, const L: usize>() -> [F; L] {
    array::from_fn(|class| F::from_f64((class * 37 % 61) as f64 / 10.0 - 3.0))
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
