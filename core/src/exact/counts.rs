//! Distributions of a number of successes among independent trials (Poisson-binomial), truncated.

use crate::Real;

/// Adds a trial of success probability `p` to the distribution of a count. What lies beyond the slice is dropped.
pub(crate) fn add_trial<F: Real>(counts: &mut [F], p: F) {
    let q = F::one() - p;
    let vanishing = vanishing();
    let mut previous = F::zero();
    for count in counts {
        let sum = q * *count + p * previous;
        previous = *count;
        *count = if sum > vanishing { sum } else { F::zero() };
    }
}

/// Below this a probability becomes 0: subnormal numbers are a hundred times slower and matter to nothing.
fn vanishing<F: Real>() -> F {
    F::min_positive_value() / (F::epsilon() * F::epsilon())
}

/// Calls `visit` with each entry of the distribution without a trial of success probability `p`.
///
/// Forward division: stable because p ≤ ½, which the caller sees to by counting failures where successes are likely.
pub(crate) fn without_trial<F: Real>(counts: &[F], p: F, mut visit: impl FnMut(F)) {
    let inverse = (F::one() - p).recip();
    let ratio = p * inverse;
    let vanishing = vanishing();
    let mut previous = F::zero();
    for &count in counts {
        let rest = count * inverse - ratio * previous;
        previous = if rest > vanishing { rest } else { F::zero() };
        visit(previous);
    }
}

/// The exponential of a power series, truncated to the slice: `counts` ← exp(Σ_j s_j xʲ).
///
/// From f′ = s′f: n·f_n = Σ_j j·s_j·f_{n−j}. The recurrence starts from f_0 = 1 and is scaled down when it grows, so that neither exp(s_0)
/// underflows nor the terms overflow before they meet.
pub(crate) fn exp_series<F: Real>(series: &[F], counts: &mut [F]) {
    let large = F::max_value().sqrt();
    let mut logarithm = series.first().copied().unwrap_or(F::zero());
    for n in 0..counts.len() {
        let (known, rest) = counts.split_at_mut_checked(n).unwrap_or_default();
        let terms = series.iter().enumerate().skip(1).zip(known.iter().rev());
        let sum = terms.fold(F::zero(), |sum, ((j, &s), &f)| sum + F::from_usize(j) * s * f);
        let term = if n == 0 { F::one() } else { sum / F::from_usize(n) };
        if let Some(entry) = rest.first_mut() {
            *entry = term;
        }
        if term > large {
            let shrink = large.recip();
            counts.iter_mut().take(n + 1).for_each(|count| *count *= shrink);
            logarithm += large.ln();
        }
    }
    let scale = logarithm.exp();
    let vanishing = vanishing();
    for count in counts {
        let scaled = *count * scale;
        *count = if scaled > vanishing { scaled } else { F::zero() };
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
