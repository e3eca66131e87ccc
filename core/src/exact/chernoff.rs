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
