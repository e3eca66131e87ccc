//! The four losses that the example compares.

use topk_loss::config::{BaseConfig, LossConfig, MarginConfig};
use topk_loss::imbalance::{ldam_margins, log_priors};
use topk_loss::{Key, Real, Smoothing};

/// A loss and its name.
pub type Named<F> = (&'static str, LossConfig<F, Vec<F>>);

/// The losses of K guesses in training sets of so many texts a class.
pub fn losses<F: Real>(counts: &[usize], k: usize) -> topk_loss::Result<Vec<Named<F>>> {
    let of = F::from_f64;
    let (mut margins, mut adjustments) = (vec![F::zero(); counts.len()], vec![F::zero(); counts.len()]);
    ldam_margins(counts, of(1.0), &mut margins)?;
    log_priors(counts, of(1.0), &mut adjustments)?;
    let noised_imbalanced = BaseConfig::TopKHinge {
        k,
        margins: MarginConfig::PerClass(margins),
        scale: of(1.0),
        smoothing: Smoothing::Pathwise { epsilon: of(1.0), num_samples: 5, key: Key::new(3) },
        tolerance: None,
    };
    Ok(vec![
        ("cross-entropy", BaseConfig::CrossEntropy.into()),
        ("convex top-K hinge", BaseConfig::PolyhedralHinge { k, margins: MarginConfig::Uniform(of(1.0)), scale: of(1.0) }.into()),
        ("noised imbalanced top-K hinge", noised_imbalanced.into()),
        ("logit-adjusted cross-entropy", LossConfig { adjustments: Some(adjustments), ..BaseConfig::CrossEntropy.into() }),
    ])
}
