//! Inputs: scores from the families where selection and smoothing go wrong, and what belongs to them.

use proptest::collection::vec;
use proptest::prelude::*;
use topk_loss::{Noise, Normal, Real};

/// Enough classes to go beyond the short-list selection (12), few enough to shrink well.
const MAX_CLASSES: usize = 40;

/// Scores, a label and a number of guesses K with 1 ≤ K < L.
#[derive(Debug, Clone, PartialEq)]
pub struct Example<F> {
    /// The scores of L ≥ 2 classes.
    pub scores: Vec<F>,
    /// A class.
    pub label: usize,
    /// How many guesses are allowed.
    pub k: usize,
}

/// An example with scores from any [family](scores).
pub fn example<F: Real>() -> impl Strategy<Value = Example<F>> {
    with_label_and_rank(scores())
}

/// An example with scores of moderate size, for laws in which digits must survive: differences, draws, exponentials.
pub fn moderate_example<F: Real>() -> impl Strategy<Value = Example<F>> {
    with_label_and_rank(sizes().prop_flat_map(|len| prop_oneof![normal(len), tied(len), separated(len), clustered(len)]))
}

fn with_label_and_rank<F: Real>(scores: impl Strategy<Value = Vec<F>>) -> impl Strategy<Value = Example<F>> {
    scores.prop_flat_map(|scores| {
        let len = scores.len();
        (Just(scores), 0..len, 1..len).prop_map(|(scores, label, k)| Example { scores, label, k })
    })
}

/// Scores of 2 to 40 classes from one of the families below.
pub fn scores<F: Real>() -> impl Strategy<Value = Vec<F>> {
    sizes().prop_flat_map(|len| prop_oneof![normal(len), tied(len), separated(len), clustered(len), extreme(len), offset(len)])
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![2..8_usize, 2..=MAX_CLASSES]
}

/// Standard normal scores.
pub fn normal<F: Real>(len: usize) -> BoxedStrategy<Vec<F>> {
    floats(len, standard_normal())
}

/// Few distinct values, zeros of both signs among them: ties at every rank.
pub fn tied<F: Real>(len: usize) -> BoxedStrategy<Vec<F>> {
    floats(len, prop::sample::select(vec![-1.0, -0.0, 0.0, 0.5, 1.0]))
}

/// A group of classes well above the rest, so that an order statistic sits beside a gap.
pub fn separated<F: Real>(len: usize) -> BoxedStrategy<Vec<F>> {
    floats(len, (standard_normal(), any::<bool>()).prop_map(|(z, high)| if high { z + 20.0 } else { z }))
}

/// Classes closer to one another than any usual ε, around a few centers.
pub fn clustered<F: Real>(len: usize) -> BoxedStrategy<Vec<F>> {
    floats(len, (standard_normal(), -1..=1_i32).prop_map(|(z, center)| f64::from(center) + 1e-3 * z))
}

/// Magnitudes from 1e−30 to 1e30, both signs.
pub fn extreme<F: Real>(len: usize) -> BoxedStrategy<Vec<F>> {
    floats(len, (prop::sample::select(vec![1e-30, 1.0, 1e30]), standard_normal()).prop_map(|(size, z)| size * z))
}

/// Scores with the common offset 1e6, where the grid of `f32` has the step 1/16.
pub fn offset<F: Real>(len: usize) -> BoxedStrategy<Vec<F>> {
    floats(len, standard_normal().prop_map(|z| 1e6 + z))
}

/// Training examples a class: heavy-tailed, some classes without any, but not all.
pub fn class_counts() -> impl Strategy<Value = Vec<usize>> {
    let count = prop_oneof![1 => Just(0), 4 => 1..10_usize, 2 => 10..100_000_usize];
    (vec(count, 1..MAX_CLASSES), any::<prop::sample::Index>(), 1..1000_usize).prop_map(|(mut counts, place, some)| {
        let place = place.index(counts.len());
        counts[place] = counts[place].max(some);
        counts
    })
}

fn standard_normal() -> impl Strategy<Value = f64> + Clone {
    (1e-6..(1.0 - 1e-6)).prop_map(|p| Normal.quantile(p))
}

fn floats<F: Real>(len: usize, entry: impl Strategy<Value = f64> + 'static) -> BoxedStrategy<Vec<F>> {
    vec(entry.prop_map(F::from_f64), len).boxed()
}
