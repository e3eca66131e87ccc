//! Chernoff's bounds on Poisson-binomial counts, which depend on their means alone.

use crate::Real;

/// ln of a bound on P(N ≥ k) for a count of mean μ.
pub(super) fn at_least<F: Real>(k: usize, mean: F) -> F {
    let k = F::from_usize(k);
    if mean < k { k - mean - k * (k / mean).ln() } else { F::zero() }
}

/// ln of a bound on P(N ≤ j).
pub(super) fn at_most<F: Real>(j: usize, mean: F) -> F {
    let j = F::from_usize(j);
    if j == F::zero() {
        -mean
    } else if mean > j {
        j - mean - j * (j / mean).ln()
    } else {
        F::zero()
    }
}

/// ln of a bound on P(M > N) for two independent counts, given the mean of M, at most, and that of N, at least: the least over x of
/// E x^(M − N − 1), as for Poisson counts, whose difference follows Skellam's law.
#[inline(always)]
pub(super) fn exceeds<F: Real>(many: F, few: F) -> F {
    let four = F::from_f64(4.0);
    let x = (F::one() + (F::one() + four * many * few.max(F::zero())).sqrt()) / (many + many);
    if x > F::one() { many * (x - F::one()) - few * (F::one() - x.recip()) - x.ln() } else { F::zero() }
}

/// More classes than this are never likelier than one in so many to be above a t that fewer than `k` are above with a probability of
/// e^−`limit` or more: the mean of a count N with P(N < k) ≥ δ is at most k + λ + √(λ² + 2kλ), λ = −ln δ, rounded up.
pub(super) const fn greatest_mean(k: usize, limit: usize) -> usize {
    k.saturating_add(limit)
        .saturating_add(root(limit.saturating_mul(limit).saturating_add(2_usize.saturating_mul(k).saturating_mul(limit))))
}

/// The root of an integer, rounded up.
const fn root(x: usize) -> usize {
    x.isqrt() + 1
}

/// A mean from which on P(N ≤ j) is at most e^`limit`.
#[inline(always)]
pub(super) fn least_mean<F: Real>(j: usize, limit: F) -> F {
    let (j, lambda) = (F::from_usize(j), -limit);
    let mut mean = j + lambda + (lambda * lambda + (j + j) * lambda).sqrt();
    if j > F::zero() {
        // Newton's method on a concave function stays on the side that it starts from.
        for _ in 0..NEWTON_STEPS {
            mean -= (j - mean + j * (mean / j).ln() - limit) * mean / (j - mean);
        }
        mean
    } else {
        lambda
    }
}

/// A mean up to which P(N ≥ k) is at most e^`limit`.
#[inline(always)]
pub(super) fn most_mean<F: Real>(k: usize, limit: F) -> F {
    let k = F::from_usize(k);
    let mut mean = k * (limit / k - F::one()).exp();
    for _ in 0..NEWTON_STEPS {
        if mean < k {
            mean -= (k - mean + k * (mean / k).ln() - limit) * mean / (k - mean);
        }
    }
    mean
}

/// Enough for three digits; what is missing makes a window wider.
const NEWTON_STEPS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// The distribution of a count of as many trials as there are probabilities.
    fn distribution<const N: usize>(probabilities: [f64; N]) -> [f64; 16] {
        let mut counts = [0.0; 16];
        counts[0] = 1.0;
        for p in probabilities {
            for j in (0..16).rev() {
                counts[j] = (1.0 - p) * counts[j] + if j > 0 { p * counts[j - 1] } else { 0.0 };
            }
        }
        counts
    }

    #[test]
    fn one_count_exceeds_another_at_most_as_likely_as_bounded() {
        for rare in [0.3, 0.03, 1e-3, 1e-6] {
            for usual in [0.05, 0.5, 0.9] {
                let (many, few) = (distribution([rare; 5]), distribution([usual; 8]));
                let likely: f64 = (0..16).map(|m| many[m] * few[..m].iter().sum::<f64>()).sum();
                let bound = exceeds(5.0 * rare, 8.0 * usual);
                assert!(likely.ln() <= bound && bound <= 0.0, "{rare} {usual}: {} {bound}", likely.ln());
                // Where trials are unlikely the counts are nearly Poisson's, and Chernoff's bound adds a factor of a few.
                assert!(usual > 0.1 || bound <= likely.ln() + 1.5, "{rare} {usual}: {} {bound}", likely.ln());
            }
        }
    }

    #[test]
    fn bounds_are_met_at_the_means_that_they_give() {
        for k in [1, 5, 50] {
            for limit in [-14.0_f64, -30.0] {
                assert!((at_most(k, least_mean(k, limit)) - limit).abs() < 1e-2);
                assert!((at_least(k, most_mean(k, limit)) - limit).abs() < 1e-2);
            }
        }
    }
}
