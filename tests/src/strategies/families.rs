//! Families of scores: normal, tied, separated, decided, clustered, extreme, with a common offset.

use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use topk_loss::Real;
use topk_loss::noise::{Noise, Normal};

use super::round;

/// Standard normal scores.
///
/// ```
/// use topk_loss_laws::strategies::normal;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(normal::<f64>(5), |scores| {
///     prop_assert!(scores.len() == 5 && scores.iter().all(|score| score.abs() < 5.0));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn normal<F: Real>(len: impl Into<SizeRange>) -> BoxedStrategy<Vec<F>> {
    vec(float(normal_score()), len).boxed()
}

/// Few distinct values, zeros of both signs among them: ties at every rank.
///
/// ```
/// use topk_loss_laws::strategies::tied;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(tied::<f64>(6), |scores| {
///     prop_assert!(scores.iter().any(|a| scores.iter().filter(|b| *b == a).count() > 1));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn tied<F: Real>(len: impl Into<SizeRange>) -> BoxedStrategy<Vec<F>> {
    vec(float(tied_score()), len).boxed()
}

/// A group of classes well above the rest, so that an order statistic sits beside a gap.
///
/// ```
/// use topk_loss_laws::strategies::separated;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(separated::<f64>(5), |scores| {
///     prop_assert!(scores.iter().all(|score| score.abs() < 5.0 || (score - 20.0).abs() < 5.0));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn separated<F: Real>(len: impl Into<SizeRange>) -> BoxedStrategy<Vec<F>> {
    vec(float(separated_score()), len).boxed()
}

/// One class so far above the rest that its softmax is 1 in `f64`.
///
/// ```
/// use topk_loss_laws::strategies::decided;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(decided::<f64>(5), |scores| {
///     prop_assert!(scores.iter().filter(|score| **score > 30.0).count() == 1);
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn decided<F: Real>(len: impl Into<SizeRange>) -> BoxedStrategy<Vec<F>> {
    (normal(len), any::<Index>()).prop_map(lead).boxed()
}

/// Raises one of the scores.
fn lead<F: Real>((mut scores, place): (Vec<F>, Index)) -> Vec<F> {
    let place = place.index(scores.len());
    scores[place] += F::from_f64(40.0);
    scores
}

/// Classes closer to one another than any usual ε, around a few centers.
///
/// ```
/// use topk_loss_laws::strategies::clustered;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(clustered::<f64>(5), |scores| {
///     prop_assert!(scores.iter().all(|score| score.abs() < 1.01));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn clustered<F: Real>(len: impl Into<SizeRange>) -> BoxedStrategy<Vec<F>> {
    vec(float(clustered_score()), len).boxed()
}

/// Magnitudes from 1e−30 to 1e30, both signs.
///
/// ```
/// use topk_loss_laws::strategies::extreme;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(extreme::<f64>(5), |scores| {
///     prop_assert!(scores.iter().all(|score| score.abs() < 1e31));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn extreme<F: Real>(len: impl Into<SizeRange>) -> BoxedStrategy<Vec<F>> {
    let score = (prop::sample::select(vec![1.0, 1e-30, 1e30]), normal_score()).prop_map(|(size, z)| size * z);
    vec(float(score.boxed()), len).boxed()
}

/// Scores with the common offset 1e6, where the grid of `f32` has the step 1/16.
///
/// ```
/// use topk_loss_laws::strategies::offset;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(offset::<f64>(5), |scores| {
///     prop_assert!(scores.iter().all(|score| (score - 1e6).abs() < 5.0));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn offset<F: Real>(len: impl Into<SizeRange>) -> BoxedStrategy<Vec<F>> {
    vec(float(normal_score()).prop_map(|z: F| F::from_f64(1e6) + z), len).boxed()
}

pub(super) fn tied_score() -> BoxedStrategy<f64> {
    prop::sample::select(vec![0.0, 1.0, -1.0, 0.5, -0.0]).boxed()
}

pub(super) fn normal_score() -> BoxedStrategy<f64> {
    (1e-6..(1.0 - 1e-6)).prop_map(|p| Normal.quantile(p)).boxed()
}

pub(super) fn separated_score() -> BoxedStrategy<f64> {
    (normal_score(), any::<bool>()).prop_map(|(z, high)| if high { z + 20.0 } else { z }).boxed()
}

pub(super) fn clustered_score() -> BoxedStrategy<f64> {
    (normal_score(), -1..=1_i32).prop_map(|(z, center)| f64::from(center) + 1e-3 * z).boxed()
}

pub(super) fn float<F: Real>(number: BoxedStrategy<f64>) -> impl Strategy<Value = F> + Clone {
    round(number).prop_map(F::from_f64)
}
