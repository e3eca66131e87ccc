//! The standard Gumbel law: the noise under which the expected argmax is a softmax.

use super::{Noise, Regularity, product, rate};
use crate::Real;
use crate::compiled::Law;

/// The standard Gumbel law, distribution function exp(−exp(−z)): the noise under which the expected argmax is a softmax.
///
/// Its mean is Euler's constant γ = 0.577…, not 0: a maximum smoothed by it is the log-sum-exp plus γ (times ε).
///
/// **Accuracy.** Each function is at most three calls to `libm`, composed so that no digit cancels: `survival` by exp_m1 where it
/// is small. The relative error is at most 2 units in the last place times the function's own condition number, in both tails.
///
/// ```
/// use topk_loss::noise::{Gumbel, Noise};
/// assert_eq!(Gumbel.cdf(0.0_f64), (-1.0_f64).exp());
/// assert_eq!(Gumbel.score(0.0_f64), 0.0);
/// assert!((Gumbel.survival(40.0_f64) - 4.248354255291589e-18).abs() < 1e-32);
/// ```
///
/// **References.** Gumbel, "Statistics of Extremes", Columbia University Press, 1958; Maddison, Tarlow, Minka, "A* sampling", NIPS 2014.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gumbel;

impl<F: Real> Noise<F> for Gumbel {
    const IS_COMPILED: bool = true;

    fn quantile(&self, p: F) -> F {
        -(-p.ln()).ln()
    }

    fn cdf(&self, z: F) -> F {
        (-(-z).exp()).exp()
    }

    fn survival(&self, z: F) -> F {
        -(-(-z).exp()).exp_m1()
    }

    fn pdf(&self, z: F) -> F {
        let e = (-z).exp();
        // Also where z = −∞, at which z + e would be NaN.
        if e.is_infinite() { F::zero() } else { (-(z + e)).exp() }
    }

    fn ln_pdf(&self, z: F) -> F {
        let e = (-z).exp();
        if e.is_infinite() { F::neg_infinity() } else { -(z + e) }
    }

    fn ln_cdf(&self, z: F) -> F {
        -(-z).exp()
    }

    fn ln_survival(&self, z: F) -> F {
        if z < F::zero() {
            return (-Noise::<F>::cdf(self, z)).ln_1p();
        }
        // Beyond, 1 − exp(−e) is e to the last digit.
        if z > F::from_f64(40.0) { -z } else { Noise::<F>::survival(self, z).ln() }
    }

    fn cdf_and_pdf(&self, z: F) -> (F, F) {
        let e = (-z).exp();
        let cdf = (-e).exp();
        // Where e is infinite, cdf is 0 and the product would be NaN.
        (cdf, if cdf > F::zero() { e * cdf } else { F::zero() })
    }

    fn survival_and_pdf(&self, z: F) -> (F, F) {
        let e = (-z).exp();
        let survival = -(-e).exp_m1();
        (survival, if survival < F::one() { e * (F::one() - survival) } else { F::zero() })
    }

    // exp(−(u + Z)) is exponential with rate eᵘ: a noised score is above t when its clock rings before e⁻ᵗ.

    #[inline(always)]
    fn threshold(&self, t: F) -> F {
        rate(-t)
    }

    #[inline(always)]
    fn position(&self, u: F) -> F {
        rate(u)
    }

    #[inline(always)]
    fn tail_and_density(&self, threshold: F, position: F) -> (F, F) {
        let x = product(threshold, position);
        let silent = (-x).fast_exp();
        (if x < F::from_f64(SERIES_BELOW) { x * ringing(x) } else { F::one() - silent }, x * silent)
    }

    #[inline(always)]
    fn failure_and_density(&self, threshold: F, position: F) -> (F, F) {
        let x = product(threshold, position);
        let silent = (-x).fast_exp();
        (silent, x * silent)
    }

    fn score(&self, z: F) -> F {
        -(-z).exp_m1()
    }

    fn compiled(&self) -> Option<Law> {
        Some(Law::Gumbel)
    }

    fn regularity(&self) -> Regularity {
        Regularity::ExponentialTail
    }
}

/// Below it 1 − e⁻ˣ comes from a series, which keeps its digits.
const SERIES_BELOW: f64 = 0.5;

/// Σ_n (−x)ⁿ/(n + 1)! = (1 − e⁻ˣ)/x for 0 ≤ x ≤ ½.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
fn ringing<F: Real>(x: F) -> F {
    const SERIES: [f64; 15] = {
        let (mut terms, mut term, mut n) = ([0.0; 15], 1.0, 0);
        while n < terms.len() {
            terms[n] = term;
            term /= -(n as f64 + 2.0);
            n += 1;
        }
        terms
    };
    let skipped = if F::epsilon() < F::from_f64(1e-10) { 0 } else { 7 };
    let mut series = F::zero();
    for &term in SERIES.iter().rev().skip(skipped) {
        series = F::from_f64(term) + x * series;
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error of tail, failure and density, each in units of the last place over its condition number.
    fn worst<F: Real>() -> f64 {
        (-4000..=1200).fold(0.0, |worst, i| {
            let u = F::from_f64(f64::from(i) / 320.0);
            let (threshold, position) = (Gumbel.threshold(F::zero()), Gumbel.position(u));
            let (tail, density) = Gumbel.tail_and_density(threshold, position);
            let (failure, _) = Gumbel.failure_and_density(threshold, position);
            let (z, x) = (-u.to_f64().unwrap(), u.to_f64().unwrap().exp());
            let error = |value: F, truth: f64| (value.to_f64().unwrap() / truth - 1.0).abs() / (1.0 + x + z.abs());
            let errors = [error(tail, Gumbel.survival(z)), error(density, Gumbel.pdf(z)), error(failure, Gumbel.cdf(z))];
            errors.into_iter().fold(worst, f64::max)
        })
    }

    #[test]
    fn clocks_are_gumbel_noise() {
        let (single, double) = (worst::<f32>() / f64::from(f32::EPSILON), worst::<f64>() / f64::EPSILON);
        assert!(single < 4.0 && double < 4.0, "{single} {double}");
    }
}
