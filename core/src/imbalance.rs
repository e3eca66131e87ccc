//! What a long tail of classes calls for, from the number of examples of each: margins, adjustments of the scores, weights.
//!
//! ```
//! use topk_loss::imbalance::{inverse_frequency_weights, ldam_margins};
//! // A class with 16 examples and one with a single one, which should lead by twice as much and count 16 times as much.
//! let (mut margins, mut weights) = ([0.0; 2], [0.0_f64; 2]);
//! ldam_margins(&[16, 1], 0.5, &mut margins)?;
//! inverse_frequency_weights(&[16, 1], 1.0, &mut weights)?;
//! assert_eq!((margins, weights[1] / weights[0]), ([0.25, 0.5], 16.0));
//! # Ok::<(), topk_loss::Error>(())
//! ```

use crate::lanes::Compensated;
use crate::{Error, Real, Result, check};

/// Margins that grow as classes get rarer, for a hinge or [`Ldam`](crate::loss::Ldam): m_y = `max_margin` · n_y^(−1/4) / max_j n_j^(−1/4).
///
/// A class without examples gets `max_margin`, the limit the formula suggests; the maximum runs over the classes that have some.
///
/// **Shapes.** `counts` and `margins` one entry a class.
///
/// **Cost.** One power a class.
///
/// ```
/// use topk_loss::imbalance::ldam_margins;
/// let mut margins = [0.0; 3];
/// ldam_margins(&[16, 1, 0], 0.5, &mut margins)?;
/// assert_eq!(margins, [0.25, 0.5, 0.5]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Cao, Wei, Gaidon, Arechiga, Ma, "Learning imbalanced datasets with label-distribution-aware margin loss",
/// NeurIPS 2019.
///
/// # Errors
/// Different lengths, no class, no example at all, a margin that is not positive and finite; `margins` is then as before.
pub fn ldam_margins<F: Real>(counts: &[usize], max_margin: F, margins: &mut [F]) -> Result<()> {
    check::length("margins", margins, counts.len())?;
    check::positive("max_margin", max_margin)?;
    let rarest = counts.iter().copied().filter(|&n| n > 0).min();
    let rarest = rarest.ok_or(Error::Parameter { name: "counts", must: "positive for at least one class" })?;
    for (margin, &count) in margins.iter_mut().zip(counts) {
        // One ratio and one power, so that the rarest class has exactly the largest margin.
        let share = F::from_usize(rarest) / F::from_usize(count.max(rarest));
        *margin = max_margin * share.powf(F::from_f64(0.25));
    }
    Ok(())
}

/// The adjustments of [`LogitAdjusted`](crate::loss::LogitAdjusted): a_j = τ ln(n_j / Σ n) for class counts n and temperature τ.
///
/// **Shapes.** `counts` and `adjustments` one entry a class.
///
/// **Cost.** One logarithm a class.
///
/// ```
/// use topk_loss::imbalance::log_priors;
/// let mut adjustments = [0.0; 3];
/// log_priors(&[2, 1, 1], 2.0, &mut adjustments)?;
/// assert_eq!(adjustments, [-2.0 * 2.0_f64.ln(), -4.0 * 2.0_f64.ln(), -4.0 * 2.0_f64.ln()]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Menon, Jayasumana, Rawat, Jain, Veit, Kumar, "Long-tail learning via logit adjustment", ICLR 2021.
///
/// # Errors
/// Different lengths, no class, a class without examples (its logarithm is −∞), a temperature that is not finite, adjustments beyond the
/// float's range; `adjustments` is then as before.
pub fn log_priors<F: Real>(counts: &[usize], temperature: F, adjustments: &mut [F]) -> Result<()> {
    check::length("adjustments", adjustments, counts.len())?;
    if !temperature.is_finite() {
        return Err(Error::Parameter { name: "temperature", must: "finite" });
    }
    let rarest = counts.iter().copied().min().filter(|&n| n > 0);
    let rarest = rarest.ok_or(Error::Parameter { name: "counts", must: "positive for every class" })?;
    let total = Compensated::of(counts.iter().map(|&n| F::from_usize(n)));
    let log_prior = |n: usize| temperature * (F::from_usize(n) / total).ln();
    // No class's logarithm is larger in size than the rarest's.
    check::in_range("adjustments", log_prior(rarest))?;
    adjustments.iter_mut().zip(counts).for_each(|(a, &n)| *a = log_prior(n));
    Ok(())
}

/// Class-balanced weights, for [`ClassWeighted`](crate::loss::ClassWeighted): w_j ∝ 1/E_j, E_j = (1 − βⁿ)/(1 − β) the *effective number* of
/// the n examples of class j.
///
/// β = 0 weighs all classes alike, β → 1 by the inverse of their counts; the paper takes 0.99 … 0.9999. The common factor is such that
/// the average example weighs 1, Σ_j n_j w_j = Σ_j n_j, so that a learning rate stays what it is.
///
/// **Shapes.** `counts` and `weights` one entry a class.
///
/// **Cost.** Three exponentials a class.
///
/// ```
/// use topk_loss::imbalance::effective_number_weights;
/// let mut weights = [0.0_f64; 2];
/// effective_number_weights(&[1, 2], 0.5, &mut weights)?;
/// // E = 1 and 1.5: weights as 3 to 2, and 3·7 = 1·9 + 2·6.
/// assert!((weights[0] - 9.0 / 7.0).abs() < 1e-15 && (weights[1] - 6.0 / 7.0).abs() < 1e-15);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Cui, Jia, Lin, Song, Belongie, "Class-balanced loss based on effective number of samples", CVPR 2019.
///
/// # Errors
/// Different lengths, no class, a class without examples, β outside 0 ≤ β < 1, weights beyond the float's range; `weights` is then as
/// before.
pub fn effective_number_weights<F: Real>(counts: &[usize], beta: F, weights: &mut [F]) -> Result<()> {
    if !(beta >= F::zero() && beta < F::one()) {
        return Err(Error::Parameter { name: "beta", must: "at least 0 and less than 1" });
    }
    let ln_beta = beta.ln();
    // 1 − βⁿ, whose digits βⁿ near 1 would cost.
    write(counts, |n| (-(F::from_usize(n) * ln_beta).exp_m1()).recip(), weights)
}

/// Weights by inverse frequency: w_j ∝ n_j^−`power`, 1 for the inverse of the counts, ½ for that of their roots, 0 for no weights.
///
/// The common factor is such that the average example weighs 1, Σ_j n_j w_j = Σ_j n_j.
///
/// **Shapes.** `counts` and `weights` one entry a class.
///
/// **Cost.** Three powers a class.
///
/// ```
/// use topk_loss::imbalance::inverse_frequency_weights;
/// let mut weights = [0.0_f64; 2];
/// inverse_frequency_weights(&[3, 1], 1.0, &mut weights)?;
/// assert!((weights[0] - 2.0 / 3.0).abs() < 1e-15 && (weights[1] - 2.0).abs() < 1e-15);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// Different lengths, no class, a class without examples, a power that is not finite, weights beyond the float's range; `weights` is then
/// as before.
pub fn inverse_frequency_weights<F: Real>(counts: &[usize], power: F, weights: &mut [F]) -> Result<()> {
    if !power.is_finite() {
        return Err(Error::Parameter { name: "power", must: "finite" });
    }
    write(counts, |n| F::from_usize(n).powf(-power), weights)
}

/// The β of [`effective_number_weights`] in an epoch of deferred re-weighting: 0 before the epoch `start`, `beta` from then on.
///
/// The first epochs learn features from all examples alike, the last ones balance the classes.
///
/// ```
/// use topk_loss::imbalance::deferred_beta;
/// assert_eq!([0, 159, 160].map(|epoch| deferred_beta(epoch, 160, 0.9999)), [0.0, 0.0, 0.9999]);
/// ```
///
/// **References.** Cao, Wei, Gaidon, Arechiga, Ma, "Learning imbalanced datasets with label-distribution-aware margin loss", NeurIPS 2019.
#[must_use]
pub fn deferred_beta<F: Real>(epoch: usize, start: usize, beta: F) -> F {
    if epoch < start { F::zero() } else { beta }
}

/// The weights that are proportional to `shape` of the counts.
fn write<F: Real>(counts: &[usize], shape: impl Fn(usize) -> F, weights: &mut [F]) -> Result<()> {
    check::length("weights", weights, counts.len())?;
    if counts.iter().copied().min().is_none_or(|rarest| rarest == 0) {
        return Err(Error::Parameter { name: "counts", must: "positive for every class" });
    }
    let examples = Compensated::of(counts.iter().map(|&n| F::from_usize(n)));
    let unscaled = Compensated::of(counts.iter().map(|&n| F::from_usize(n) * shape(n)));
    let factor = examples / unscaled;
    if !(factor > F::zero() && factor.is_finite()) {
        return Err(Error::Overflow { what: "weights" });
    }
    counts.iter().try_for_each(|&n| check::in_range("weights", factor * shape(n)).map(|_| ()))?;
    weights.iter_mut().zip(counts).for_each(|(weight, &n)| *weight = factor * shape(n));
    Ok(())
}
