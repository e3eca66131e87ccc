//! Noise laws: what is added to the scores, one file a law.
//!
//! Accuracies are those measured against 60-digit values wherever the result is a normal number of the float. A condition number
//! is |x f′(x)/f(x)|, at least 1: what half a unit in the last place of the argument alone does to the result.
//!
//! `ln_pdf`, `ln_cdf` and `ln_survival` of every law here have a relative error of at most 2 units in the last place times their condition
//! number, in both tails and however far out: |z| up to 10⁶ was measured.
//!
//! ```
//! use topk_loss::noise::{Gumbel, Noise};
//! // The median of the Gumbel law, −ln ln 2.
//! let median: f64 = Gumbel.quantile(0.5);
//! assert!((median + 2.0_f64.ln().ln()).abs() < 1e-12 && (Gumbel.cdf(median) - 0.5).abs() < 1e-12);
//! ```

mod erased;
mod gumbel;
mod laplace;
mod logistic;
mod normal;
mod reflected;
mod regularity;
mod uniform;

pub(crate) use erased::Erased;
pub use gumbel::Gumbel;
pub use laplace::Laplace;
pub use logistic::Logistic;
pub use normal::Normal;
pub(crate) use reflected::Reflected;
pub use regularity::Regularity;
pub use uniform::Uniform;

use crate::Real;
use crate::compiled::Law;
use crate::exact::is_double;
use crate::lanes::{LANES, numbers};

/// A law of real noise with a density; noise of a vector is independent and identically distributed over its entries.
///
/// A law of your own is one `impl`; a law that returns NaN makes the estimators return an error.
///
/// ```
/// use topk_loss::estimator::Conditional;
/// use topk_loss::noise::Noise;
/// use topk_loss::oracle::{KthLargest, Oracle};
/// use topk_loss::sampler::MonteCarlo;
/// use topk_loss::Key;
///
/// /// The exponential law: noise that only raises a score.
/// #[derive(Debug, Clone, Copy)]
/// struct Exponential;
///
/// impl Noise<f64> for Exponential {
///     fn quantile(&self, p: f64) -> f64 {
///         -(-p).ln_1p()
///     }
///     fn cdf(&self, z: f64) -> f64 {
///         if z > 0.0 { -(-z).exp_m1() } else { 0.0 }
///     }
///     fn survival(&self, z: f64) -> f64 {
///         if z > 0.0 { (-z).exp() } else { 1.0 }
///     }
///     fn pdf(&self, z: f64) -> f64 {
///         if z > 0.0 { (-z).exp() } else { 0.0 }
///     }
///     fn score(&self, z: f64) -> f64 {
///         if z > 0.0 { 1.0 } else { 0.0 }
///     }
///     // The density jumps at 0.
///     fn is_continuous(&self) -> bool {
///         false
///     }
/// }
///
/// // The larger of two tied scores under it is 1 + 1/2 on average.
/// let larger = Conditional::new(KthLargest::new(1)?, MonteCarlo::new(Exponential, 10_000)?, 1.0, Key::new(1))?;
/// let mut scratch = vec![0.0; Oracle::<f64>::scratch_len(&larger, 2)];
/// assert!((larger.value(&[0.0, 0.0], &mut scratch)? - 1.5).abs() < 0.05);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// That its functions belong together is what the law kit's `noise_laws!` tests.
pub trait Noise<F: Real>: Copy {
    /// Whether exact forms are compiled for it. Known to the compiler, so that who uses such a law does not compile them again.
    #[doc(hidden)]
    const IS_COMPILED: bool = false;
    /// The quantile: the z with P(Z ≤ z) = p, for 0 < p < 1. The laws of this crate return the ends of their support at 0 and 1.
    ///
    /// ```
    /// use topk_loss::noise::{Noise, Uniform};
    /// assert_eq!(Uniform.quantile(0.75), 0.5);
    /// ```
    fn quantile(&self, p: F) -> F;
    /// The distribution function P(Z ≤ z).
    ///
    /// ```
    /// use topk_loss::noise::{Noise, Normal};
    /// assert_eq!(Normal.cdf(0.0), 0.5);
    /// ```
    fn cdf(&self, z: F) -> F;
    /// The survival function P(Z > z), accurate where it is small.
    ///
    /// ```
    /// use topk_loss::noise::{Gumbel, Noise};
    /// // 1 − exp(−e⁻⁴⁰) is e⁻⁴⁰ to the last digits, where 1 − cdf is 0.
    /// assert!((Gumbel.survival(40.0_f64) / (-40.0_f64).exp() - 1.0).abs() < 1e-12);
    /// ```
    fn survival(&self, z: F) -> F;
    /// The density f(z).
    ///
    /// ```
    /// use topk_loss::noise::{Logistic, Noise};
    /// assert_eq!(Logistic.pdf(0.0), 0.25);
    /// ```
    fn pdf(&self, z: F) -> F;
    /// ln f(z), which stays finite where the density underflows, for the laws of this crate that have tails.
    ///
    /// ```
    /// use topk_loss::noise::{Noise, Normal};
    /// assert_eq!(Normal.pdf(40.0), 0.0);
    /// assert!((Normal.ln_pdf(40.0_f64) + 800.9189385332047).abs() < 1e-9);
    /// ```
    fn ln_pdf(&self, z: F) -> F {
        self.pdf(z).ln()
    }
    /// ln P(Z ≤ z), likewise.
    ///
    /// ```
    /// use topk_loss::noise::{Gumbel, Noise};
    /// assert_eq!(Gumbel.ln_cdf(0.0), -1.0);
    /// ```
    fn ln_cdf(&self, z: F) -> F {
        self.cdf(z).ln()
    }
    /// ln P(Z > z), likewise.
    ///
    /// ```
    /// use topk_loss::noise::{Gumbel, Noise};
    /// assert_eq!(Gumbel.ln_survival(50.0), -50.0);
    /// ```
    fn ln_survival(&self, z: F) -> F {
        self.survival(z).ln()
    }
    /// P(Z ≤ z) and f(z), which may have a costly part in common.
    ///
    /// ```
    /// use topk_loss::noise::{Logistic, Noise};
    /// assert_eq!(Logistic.cdf_and_pdf(0.0), (0.5, 0.25));
    /// ```
    fn cdf_and_pdf(&self, z: F) -> (F, F) {
        (self.cdf(z), self.pdf(z))
    }
    /// P(Z > z) and f(z), likewise.
    ///
    /// ```
    /// use topk_loss::noise::{Logistic, Noise};
    /// assert_eq!(Logistic.survival_and_pdf(0.0), (0.5, 0.25));
    /// ```
    fn survival_and_pdf(&self, z: F) -> (F, F) {
        (self.survival(z), self.pdf(z))
    }
    /// t as [`tail_and_density`](Noise::tail_and_density) takes it: what many classes have in common at one t. The default is t itself.
    ///
    /// ```
    /// use topk_loss::noise::{Laplace, Noise};
    /// assert_eq!(Laplace.threshold(0.5), 0.5);
    /// ```
    #[inline(always)]
    fn threshold(&self, t: F) -> F {
        t
    }
    /// u likewise: what a class has in common at many t.
    ///
    /// ```
    /// use topk_loss::noise::{Laplace, Noise};
    /// assert_eq!(Laplace.position(0.5), 0.5);
    /// ```
    #[inline(always)]
    fn position(&self, u: F) -> F {
        u
    }
    /// P(u + Z > t) and the density of u + Z at t, given [`threshold`](Noise::threshold) and [`position`](Noise::position) of them.
    ///
    /// The hot loops of exact smoothing call this and nothing else. The laws of this crate that have no kink compute it without a branch,
    /// to a few units in the last place times the condition number, with 0 in place of subnormal numbers.
    ///
    /// ```
    /// use topk_loss::noise::{Logistic, Noise};
    /// let (tail, density) = Logistic.tail_and_density(Logistic.threshold(1.0_f64), Logistic.position(1.0));
    /// assert!((tail - 0.5).abs() < 1e-14 && (density - 0.25).abs() < 1e-14);
    /// ```
    #[inline(always)]
    fn tail_and_density(&self, threshold: F, position: F) -> (F, F) {
        self.survival_and_pdf(threshold - position)
    }
    /// P(u + Z ≤ t) and the density, likewise.
    ///
    /// ```
    /// use topk_loss::noise::{Logistic, Noise};
    /// let (failure, density) = Logistic.failure_and_density(Logistic.threshold(1.0_f64), Logistic.position(1.0));
    /// assert!((failure - 0.5).abs() < 1e-14 && (density - 0.25).abs() < 1e-14);
    /// ```
    #[inline(always)]
    fn failure_and_density(&self, threshold: F, position: F) -> (F, F) {
        self.cdf_and_pdf(threshold - position)
    }
    /// The score −f′(z)/f(z), whose expectation against a function of θ + Z is the gradient of its smoothing.
    ///
    /// ```
    /// use topk_loss::noise::{Noise, Normal};
    /// assert_eq!(Normal.score(1.5), 1.5);
    /// ```
    fn score(&self, z: F) -> F;

    /// Which of the laws it is that exact forms are [compiled](Noise::IS_COMPILED) for.
    #[doc(hidden)]
    fn compiled(&self) -> Option<Law> {
        None
    }

    /// Whether the density is continuous on the whole line. Where it jumps, the score misses the jump's share of the gradient, and the
    /// [score-function estimator](crate::estimator::ScoreFunction) declines.
    ///
    /// ```
    /// use topk_loss::noise::{Noise, Uniform};
    /// assert!(!Noise::<f64>::is_continuous(&Uniform));
    /// ```
    fn is_continuous(&self) -> bool {
        true
    }

    /// Whether −Z has the same law: what is known of the upper tail then holds for the lower one.
    ///
    /// ```
    /// use topk_loss::noise::{Gumbel, Noise};
    /// assert!(!Noise::<f64>::is_symmetric(&Gumbel));
    /// ```
    fn is_symmetric(&self) -> bool {
        false
    }

    /// What the density allows the [exact estimator](crate::estimator::Exact) to do; the default is always safe.
    ///
    /// ```
    /// use topk_loss::noise::{Laplace, Noise, Regularity};
    /// assert_eq!(Noise::<f64>::regularity(&Laplace), Regularity::Kinked);
    /// ```
    fn regularity(&self) -> Regularity {
        Regularity::Kinked
    }
}

/// One side of a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Lower,
    Upper,
}

/// The first multiple of ½ at which a tail has fallen to `level`; a law that never falls gets the largest that is tried.
#[inline(always)]
pub(crate) fn reach<N: Noise<F>, F: Real>(law: &N, side: Side, level: F) -> F {
    const MOST: usize = 25;
    let (half, center) = (F::from_f64(0.5), law.position(F::zero()));
    for chunk in 0..MOST {
        let (first, mut tails) = (F::from_usize(chunk * LANES + 1), numbers());
        for tail in &mut tails {
            let z = (first + *tail) * half;
            *tail = match side {
                Side::Upper => law.tail_and_density(law.threshold(z), center).0,
                Side::Lower => law.failure_and_density(law.threshold(-z), center).0,
            };
        }
        if let Some(lane) = tails.iter().position(|&tail| tail <= level) {
            return (first + F::from_usize(lane)) * half;
        }
    }
    F::from_usize(MOST * LANES) * half
}

/// The exponential of a position or a threshold, kept finite.
#[inline(always)]
fn rate<F: Real>(exponent: F) -> F {
    let highest = F::from_f64(if is_double::<F>() { 700.0 } else { 85.0 });
    (if exponent < highest { exponent } else { highest }).fast_exp()
}

/// The product of two rates, kept so far from the float's end that its exponential and square are harmless.
#[inline(always)]
fn product<F: Real>(threshold: F, position: F) -> F {
    let (x, largest) = (threshold * position, F::min_positive_value().recip());
    if x < largest { x } else { largest }
}
