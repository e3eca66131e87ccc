//! Gumbel noise as a race of clocks.
//!
//! exp(−(u + Z)) is exponential with rate w = eᵘ, and with v = e⁻ᵗ a noised score is above t when its clock rings before v:
//! P = 1 − exp(−w·v). One exponential a class and one a pair of class and node.

use crate::elementary::Elementary;
use crate::kernel::quadrature::nodes::{Law, ln_one_minus};

/// The law; a class's position is its rate w, and v stands for t.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock;

/// Below this w·v a clock's chance to ring comes from a series, which keeps its digits.
const SERIES_BELOW: f64 = 0.5;

/// Σ_n (−x)ⁿ/(n + 1)!, constant term first: (1 − e⁻ˣ)/x.
const SERIES: [f64; 15] = {
    let (mut terms, mut term, mut n) = ([0.0; 15], 1.0, 0);
    while n < terms.len() {
        terms[n] = term;
        term /= -(n as f64 + 2.0);
        n += 1;
    }
    terms
};

impl Clock {
    /// Below it P(above t) is at most ¼ at v = 1: ln(4/3).
    pub const BULK_RATE: f64 = 0.287_682_072_451_780_9;

    /// Up to it P(above t) is at most ½ at v = 1.
    pub const UNLIKELY_RATE: f64 = core::f64::consts::LN_2;
}

impl<F: Elementary> Law<F> for Clock {
    #[inline(always)]
    fn tail_and_density(self, v: F, rate: F) -> (F, F) {
        let x = v * rate;
        let silent = (-x).fast_exp();
        let terms = if F::epsilon() < F::from_f64(1e-10) { 15 } else { 8 };
        let mut series = F::zero();
        for n in (0..terms).rev() {
            series = F::from_f64(SERIES[n]) + x * series;
        }
        let tail = if x < F::from_f64(SERIES_BELOW) { x * series } else { F::one() - silent };
        (tail, x * silent)
    }

    #[inline(always)]
    fn ln_failure(self, v: F, rate: F, tail: F) -> (F, F) {
        (-(v * rate), ln_one_minus(tail / (F::one() - tail)))
    }
}

#[cfg(test)]
mod tests {
    use topk_loss::{Gumbel, Noise};

    use super::*;

    fn worst<F: Elementary>() -> f64 {
        (-4000..=1200).fold(0.0, |worst, i| {
            let x = F::from_f64((f64::from(i) / 320.0).exp());
            let (tail, density) = Clock.tail_and_density(F::one(), x);
            let z = -x.to_f64().unwrap().ln();
            let (true_tail, true_density): (f64, f64) = (Gumbel.survival(z), Gumbel.pdf(z));
            let error = |value: F, truth: f64| (value.to_f64().unwrap() / truth - 1.0).abs();
            f64::max(worst, error(tail, true_tail).max(error(density, true_density) / (1.0 + x.to_f64().unwrap())))
        })
    }

    #[test]
    fn clocks_are_gumbel_noise() {
        let (single, double) = (worst::<f32>() / f64::from(f32::EPSILON), worst::<f64>() / f64::EPSILON);
        assert!(single < 4.0 && double < 8.0, "{single} {double}");
    }
}
