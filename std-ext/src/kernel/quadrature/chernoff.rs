//! Chernoff's bounds on a Poisson-binomial count, from its mean alone.

use crate::elementary::Elementary;

/// ln of a bound on P(N ≥ k) for a count of mean μ.
pub fn at_least<F: Elementary>(k: F, mean: F) -> F {
    if mean < k { k - mean - k * (k / mean).ln() } else { F::zero() }
}

/// ln of Chernoff's bound on P(N ≤ j).
pub fn at_most<F: Elementary>(j: F, mean: F) -> F {
    if j == F::zero() {
        -mean
    } else if mean > j {
        j - mean - j * (j / mean).ln()
    } else {
        F::zero()
    }
}
