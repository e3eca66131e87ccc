//! The law of an estimator: its mean over many keys is the smoothed function.

use topk_loss::{Noise, Oracle, Real};

use crate::reference::ValueAndGrad;
use crate::statistics::{Moments, reject};
use crate::tolerances::DETECTABLE_BIAS;

/// Value and gradient of an oracle, with scratch of exactly the length it asks for, full of NaN.
///
/// # Panics
/// The oracle fails.
pub fn evaluate<F: Real>(oracle: &(impl Oracle<F> + ?Sized), theta: &[F]) -> ValueAndGrad<F> {
    let mut grad = vec![F::zero(); theta.len()];
    let mut scratch = vec![F::nan(); oracle.scratch_len(theta.len())];
    let value = oracle.value_and_add_grad(theta, F::one(), &mut grad, &mut scratch).expect("an oracle of good input");
    (value, grad)
}

/// Asserts that independent estimates have the mean `expected`, in the value and in every entry of the gradient, and that the same
/// estimates would not pass if they were wrong by 5 %, in the value alone or in the gradient alone.
///
/// The estimates should be means themselves, so that their law is near the normal one.
///
/// # Panics
/// The estimates are biased, or too few to tell.
pub fn assert_unbiased(expected: &ValueAndGrad<f64>, estimates: impl IntoIterator<Item = ValueAndGrad<f64>>) {
    let estimates: Vec<_> = estimates.into_iter().collect();
    let value = |factor: f64| estimates.iter().map(|e| factor * e.0).collect::<Moments>().z_score(expected.0);
    let entry = |i: usize, factor: f64| estimates.iter().map(|e| factor * e.1[i]).collect::<Moments>().z_score(expected.1[i]);
    let gradient = |factor| (0..expected.1.len()).map(|i| entry(i, factor)).collect::<Vec<_>>();

    let z_scores = [vec![value(1.0)], gradient(1.0)].concat();
    assert!(!reject(&z_scores), "biased: {z_scores:?}");
    for factor in [1.0 - DETECTABLE_BIAS, 1.0 + DETECTABLE_BIAS] {
        assert!(reject(&[value(factor)]), "no power for the value: {}", value(factor));
        assert!(reject(&gradient(factor)), "no power for the gradient: {:?}", gradient(factor));
    }
}

/// E (θ + εZ)₍ₖ₎ and its gradient for any law, kinks and jumps included, by the midpoint rule between −60 and 60 in units of ε; good to
/// about 1e−4 of the law's scale, for a handful of classes.
#[must_use]
pub fn midpoint_kth_largest(theta: &[f64], k: usize, law: impl Noise<f64>, epsilon: f64) -> ValueAndGrad<f64> {
    const HALF: f64 = 60.0;
    const NODES: usize = 60_001;
    let units: Vec<f64> = theta.iter().map(|s| s / epsilon).collect();
    let step = 2.0 * HALF / NODES as f64;
    let (mut value, mut gradient) = (-HALF, vec![0.0; theta.len()]);
    for node in 0..NODES {
        let t = (node as f64 + 0.5) * step - HALF;
        // The distribution of how many of some classes are above t.
        let count = |without: Option<usize>| {
            let mut counts = vec![0.0; k + 1];
            counts[0] = 1.0;
            for (_, u) in units.iter().enumerate().filter(|&(j, _)| Some(j) != without) {
                let (p, q) = (law.survival(t - u), law.cdf(t - u));
                for n in (0..=k).rev() {
                    counts[n] = counts[n] * q + if n > 0 { counts[n - 1] * p } else { 0.0 };
                }
            }
            counts
        };
        value += step * (1.0 - count(None)[..k].iter().sum::<f64>());
        for (class, entry) in gradient.iter_mut().enumerate() {
            let density = law.pdf(t - units[class]);
            if density > 1e-300 {
                *entry += step * density * count(Some(class))[k - 1];
            }
        }
    }
    (epsilon * value, gradient)
}
