//! Distributions of a number of successes among independent trials (Poisson-binomial), truncated.

use crate::Real;

/// Adds a trial of success probability `p` to the distribution of a count. What lies beyond the slice is dropped.
pub(crate) fn add_trial<F: Real>(counts: &mut [F], p: F) {
    let q = F::one() - p;
    let mut previous = F::zero();
    for count in counts {
        let shifted = p * previous;
        previous = *count;
        *count = q * *count + shifted;
    }
}

/// Calls `visit` with each entry of the distribution without a trial of success probability `p`.
///
/// Forward division: stable because p ≤ ½, which the caller sees to by counting failures where successes are likely.
pub(crate) fn without_trial<F: Real>(counts: &[F], p: F, mut visit: impl FnMut(F)) {
    let inverse = (F::one() - p).recip();
    let ratio = p * inverse;
    let mut previous = F::zero();
    for &count in counts {
        previous = count * inverse - ratio * previous;
        visit(previous);
    }
}

/// The exponential of a power series, truncated to the slice: `counts` ← exp(Σ_j s_j xʲ).
///
/// From f′ = s′f: n·f_n = Σ_j j·s_j·f_{n−j}.
pub(crate) fn exp_series<F: Real>(series: &[F], counts: &mut [F]) {
    let constant = series.first().copied().unwrap_or(F::zero()).exp();
    for n in 0..counts.len() {
        let (known, rest) = counts.split_at_mut(n);
        let terms = series.iter().enumerate().skip(1).zip(known.iter().rev());
        let sum = terms.fold(F::zero(), |sum, ((j, &s), &f)| sum + F::from_usize(j) * s * f);
        if let Some(entry) = rest.first_mut() {
            *entry = if n == 0 { constant } else { sum / F::from_usize(n) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_coins() {
        let mut counts = [1.0_f64, 0.0, 0.0, 0.0];
        for p in [0.5, 0.25, 0.5] {
            add_trial(&mut counts, p);
        }
        assert_eq!(counts, [0.1875, 0.4375, 0.3125, 0.0625]);
        let mut rest = [0.0; 4];
        let mut places = rest.iter_mut();
        without_trial(&counts, 0.25, |c| *places.next().unwrap() = c);
        assert!(rest.iter().zip([0.25, 0.5, 0.25, 0.0]).all(|(a, b)| (a - b).abs() < 1e-15), "{rest:?}");
    }

    #[test]
    fn the_exponential_of_a_line_is_poisson() {
        let mut counts = [0.0_f64; 4];
        exp_series(&[-2.0, 2.0], &mut counts);
        for (n, (count, unscaled)) in counts.into_iter().zip([1.0, 2.0, 2.0, 8.0 / 6.0]).enumerate() {
            assert!((count - unscaled * (-2.0_f64).exp()).abs() < 1e-15, "P(N = {n})");
        }
    }
}
