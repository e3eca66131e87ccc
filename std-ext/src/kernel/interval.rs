//! The probability that a noised score falls into an interval, for one interval and many scores at once.

use pulp::{Simd, WithSimd};

use super::executor::{Executor, Piece};
use crate::elementary::Elementary;

/// What turns scores into the noise they need.
#[derive(Clone, Copy)]
pub(super) struct Units<F> {
    pub center: F,
    pub per_epsilon: F,
}

impl<F: Elementary> Units<F> {
    /// P(low < score + εZ ≤ high), as the difference of the smaller tails.
    #[inline(always)]
    pub fn probability(&self, score: F, low: F, high: F) -> F {
        // Beyond, all tails are 0 and all squares finite.
        let end = F::from_f64(64.0);
        let score = score - self.center;
        let (low, high) = (clamp((low - score) * self.per_epsilon, end), clamp((high - score) * self.per_epsilon, end));
        let (near, far) = if low > F::zero() { (low, high) } else { (-high, -low) };
        near.normal_tail_and_density().0 - far.normal_tail_and_density().0
    }

    /// Adds `share` times that probability for every score.
    pub fn add_probabilities(self, executor: Executor, scores: &[F], low: F, high: F, share: F, grad: &mut [F]) {
        let end = (F::from_f64(-2.0) * F::min_positive_value().ln()).root() + F::from_f64(0.5);
        let half_width = ((high - low) * self.per_epsilon).to_f64().unwrap_or(f64::INFINITY) / 2.0;
        let middle = low + (high - low) * F::from_f64(0.5);
        let limit = half_width * end.to_f64().unwrap_or(f64::INFINITY);
        let epsilon = F::epsilon().to_f64().unwrap_or_default();
        executor.map(scores, Some(grad), |Piece { scores, out, .. }| {
            let grad = out.unwrap_or_default();
            // The first term that is left out, where the density ends.
            if limit.powi(16) <= epsilon * 2.092_278_988_8e13 {
                executor.dispatch(Series::<F, 8> { units: self, scores, middle, end, terms: terms(half_width, share), grad });
            } else if limit.powi(32) <= epsilon * 2.631_308_369_336_935e35 {
                executor.dispatch(Series::<F, 16> { units: self, scores, middle, end, terms: terms(half_width, share), grad });
            } else {
                executor.dispatch(Tails { units: self, scores, low, high, share, grad });
            }
        });
    }
}

#[inline(always)]
fn clamp<F: Elementary>(z: F, end: F) -> F {
    let z = if z < end { z } else { end };
    if z > -end { z } else { -end }
}

/// The coefficients of P(|Z − m| < h) = φ(m) ∫₋ₕʰ exp(−t²/2) cosh(mt) dt, divided by exp(−m²/2), as a series in m²: all terms are positive,
/// so that, unlike a difference of tails, it keeps its digits however short the interval is.
fn terms<F: Elementary, const TERMS: usize>(h: f64, share: F) -> [F; TERMS] {
    const SQRT_2_PI: f64 = 0.797_884_560_802_865_4;
    const INVERSE_ODD: [f64; 32] = {
        let mut inverses = [0.0; 32];
        let mut k = 0;
        while k < 32 {
            inverses[k] = 1.0 / (2 * k + 1) as f64;
            k += 1;
        }
        inverses
    };
    // (−h²/2)ʲ/j!, of which the intervals that are short enough leave nothing after so many.
    let mut exponential = [1.0; 12];
    for j in 1..12 {
        exponential[j] = exponential[j - 1] * (-0.5 * h * h / j as f64);
    }
    let mut power = SQRT_2_PI * h;
    core::array::from_fn(|k| {
        // power = √(2/π) h²ᵏ⁺¹/(2k)!
        let sum = exponential.iter().zip(&INVERSE_ODD[k..]).fold(0.0, |sum, (term, inverse)| sum + term * inverse);
        let coefficient = F::from_f64(power * sum);
        power *= h * h / ((2 * k + 1) * (2 * k + 2)) as f64;
        share * coefficient
    })
}

/// A short interval: one exponential and a polynomial a class.
struct Series<'a, F, const TERMS: usize> {
    units: Units<F>,
    scores: &'a [F],
    middle: F,
    end: F,
    terms: [F; TERMS],
    grad: &'a mut [F],
}

impl<F: Elementary, const TERMS: usize> WithSimd for Series<'_, F, TERMS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { units, scores, middle, end, terms, grad } = self;
        for (entry, &score) in grad.iter_mut().zip(scores) {
            let m = clamp((middle - (score - units.center)) * units.per_epsilon, end);
            let square = m * m;
            let mut sum = terms[TERMS - 1];
            for place in (0..TERMS - 1).rev() {
                sum = sum * square + terms[place];
            }
            *entry += (F::from_f64(-0.5) * square).fast_exp() * sum;
        }
    }
}

/// A wide one: two tails a class.
struct Tails<'a, F> {
    units: Units<F>,
    scores: &'a [F],
    low: F,
    high: F,
    share: F,
    grad: &'a mut [F],
}

impl<F: Elementary> WithSimd for Tails<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { units, scores, low, high, share, grad } = self;
        for (entry, &score) in grad.iter_mut().zip(scores) {
            *entry += share * units.probability(score, low, high);
        }
    }
}
