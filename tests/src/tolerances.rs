//! Every tolerance of this workspace's tests of the core, with its reason. A number that is not here is compared exactly.
//!
//! They are handed to the laws, and say how far two numbers may be apart in whichever float:
//!
//! ```
//! use topk_loss_laws::tolerances::{CROSS_ENTROPY, ROUNDING};
//! // The value of a loss about 2 may be off by 128 roundings.
//! assert_eq!(ROUNDING.of::<f32>(2.0), 128.0 * f64::from(f32::EPSILON));
//! assert!(CROSS_ENTROPY.allows(0.1 + 0.2, 0.3, 1.0));
//! ```

use topk_loss::Real;

use crate::reference::to_f64;

/// How far a number may be from its reference.
///
/// ```
/// use topk_loss_laws::tolerances::MARGIN;
/// assert!(MARGIN.allows(1.0_f32 + f32::EPSILON, 1.0, 1.0));
/// assert!(!MARGIN.allows(1.001_f32, 1.0, 1.0));
/// assert!(!MARGIN.allows(f32::NAN, 1.0, 1.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// In units of the float's machine epsilon times the magnitude of what was rounded.
    epsilons: f64,
    /// Below this magnitude errors shrink no further.
    least: f64,
}

impl Tolerance {
    /// Whether `actual` is `expected` up to this many epsilons of `magnitude`; never for NaN. See [`Tolerance`] for an example.
    pub fn allows<F: Real>(self, actual: F, expected: F, magnitude: F) -> bool {
        let error = to_f64(actual) - to_f64(expected);
        error.abs() <= self.of::<F>(to_f64(magnitude.abs()))
    }

    /// The largest error that is allowed in an `F` of this magnitude.
    ///
    /// ```
    /// use topk_loss_laws::tolerances::ROUNDING;
    /// assert_eq!(ROUNDING.of::<f64>(2.0), 128.0 * f64::EPSILON);
    /// ```
    #[must_use]
    pub fn of<F: Real>(self, magnitude: f64) -> f64 {
        self.epsilons * to_f64(F::epsilon()) * magnitude.max(self.least)
    }

    const fn epsilons(epsilons: f64) -> Self {
        Self { epsilons, least: 0.0 }
    }
}

/// A loss of up to 40 classes by a handful of passes in the float itself, relative to its value and to the scores times its slope.
pub const ROUNDING: Tolerance = Tolerance::epsilons(64.0);

/// A sum of up to 40 scores, two roundings a term, against the same sum in another order.
pub const SUM: Tolerance = Tolerance::epsilons(80.0);

/// The mean of at most 16 draws: an addition and a division a draw on either side, and the hinge's roundings.
pub const MEAN: Tolerance = Tolerance::epsilons(40.0);

/// A mean or a spread of at most 48 draws by a recurrence, against plain sums: some roundings a draw, and a root.
pub const ESTIMATE: Tolerance = Tolerance::epsilons(400.0);

/// Up to 40 exponentials of at most one rounding each, their sum, a logarithm or a quotient.
pub const CROSS_ENTROPY: Tolerance = Tolerance::epsilons(64.0);

/// As [`CROSS_ENTROPY`], the miss to a power of at most 5, and a handful of products.
pub const FOCAL: Tolerance = Tolerance::epsilons(8.0 * 64.0);

/// A sum of at most 40 counts, a quotient, a logarithm that turns their relative error into an absolute one, and a product.
pub const LOG_PRIOR: Tolerance = Tolerance::epsilons(48.0);

/// One power (one rounding of its own, `libm`), a product and a quotient, against two square roots in `f64`.
pub const MARGIN: Tolerance = Tolerance::epsilons(6.0);

/// AS 241 in the float itself: Horner sums of eight terms in numerator and denominator, a logarithm and a root in the tail.
pub const QUANTILE: Tolerance = Tolerance::epsilons(16.0);

/// The error function and the rounding of its argument; the caller multiplies the magnitude by the condition number 1 + z².
pub const PROBABILITY: Tolerance = Tolerance::epsilons(8.0);

/// The vectors were computed in `f64` by another implementation; the bound is 1e−12 relative.
pub const VECTORS: Tolerance = Tolerance::epsilons(1e-12 / f64::EPSILON);

/// The same vectors where the scores are large: their implementation adds margin, order statistic and score one after the other, and
/// each sum rounds at the magnitude of the scores. The magnitude is that of the largest score.
pub const VECTORS_ROUNDING: Tolerance = Tolerance::epsilons(4.0);

/// The step of a central difference of a function that is linear between its kinks: there it is exact but for rounding.
pub const LINEAR_STEP: f64 = 1e-5;

/// A central difference over [`LINEAR_STEP`]: a few roundings of the magnitude, divided by the step.
pub const LINEAR_DIFFERENCE: Tolerance = Tolerance::epsilons(16.0 / LINEAR_STEP);

/// The step of a central difference of a smooth function: near ε^(1/3), where truncation and rounding balance.
pub const SMOOTH_STEP: f64 = 1e-5;

/// A central difference over [`SMOOTH_STEP`]: truncation step²·|f‴|/6 and rounding ε/step are both about 1e−10.
pub const SMOOTH_DIFFERENCE: Tolerance = Tolerance::epsilons(1e-9 / f64::EPSILON);

/// The same formula and its derivative by another crate's chain rule and elementary functions: some tens of roundings.
pub const FORWARD_MODE: Tolerance = Tolerance::epsilons(1e-12 / f64::EPSILON);

/// Two results of the exact estimator, each within the error it documents: 1e−7 in `f64`, 1e−5 in `f32`.
///
/// ```
/// use topk_loss_laws::tolerances::exact;
/// assert!((exact::<f64>().of::<f64>(1.0) - 2e-7).abs() < 1e-20);
/// ```
#[must_use]
pub fn exact<F: Real>() -> Tolerance {
    let documented = if to_f64(F::epsilon()) < 1e-10 { 1e-7 } else { 1e-5 };
    Tolerance::epsilons(2.0 * documented / to_f64(F::epsilon()))
}

/// The same where the loss is an integral: the derivative of the trapezoid rule converges like the rule, and its window moves with the
/// scores.
pub const FORWARD_MODE_OF_QUADRATURE: Tolerance = Tolerance::epsilons(1e-9 / f64::EPSILON);

/// As [`exact`], for a loss that is made of such results: their error is absolute, however small the loss.
///
/// ```
/// use topk_loss_laws::tolerances::quadrature;
/// assert!((quadrature::<f64>().of::<f64>(1e-3) - 2e-7).abs() < 1e-20); // no less, however small the loss
/// ```
#[must_use]
pub fn quadrature<F: Real>() -> Tolerance {
    Tolerance { least: 1.0, ..exact::<F>() }
}

/// The gradient of a smooth loss in `f32` against `f64` on the same scores, relative to its largest entry; compared as `f64`.
pub const SINGLE_PRECISION: Tolerance = Tolerance::epsilons(1e-5 / f64::EPSILON);

/// The top-1 cross-entropy under Gumbel noise against the softmax, relative to 1 + value, the gradient in L1: the bound on the trapezoid
/// rule's error is 1e−12, and outside the window is a mass of 1e−14.
pub const SOFTMAX_BY_QUADRATURE: Tolerance = Tolerance::epsilons(1e-12 / f64::EPSILON);

/// The same for any K and law, value and gradient relative: only 1e−9 is promised; 2e−10 was seen.
pub const LABEL_AMONG_THE_TOP: Tolerance = Tolerance::epsilons(1e-9 / f64::EPSILON);

/// The same for losses down to [`TINY_LOSS`], relative to the loss and to the largest entry: where a class is far likelier above the
/// label than the next one, the next one's share is a difference of the two; 2e−17 absolute was seen.
pub const TINY_LABEL_AMONG_THE_TOP: Tolerance = Tolerance::epsilons(1e-6 / f64::EPSILON);

/// The top-K cross-entropy in its laws: for any noise 1e−9 of itself, as [`LABEL_AMONG_THE_TOP`], and 1e−16 where the label is nearly certain
/// to be among the K. What is left there is a sum of the others' shares. Each is divided out of probabilities of at most 1, which keeps some
/// of their roundings of 1.1e−16, and counts times the chance that this class, itself improbable there, is above the label.
pub const TOP_K_CROSS_ENTROPY: Tolerance = Tolerance { epsilons: 1e-9 / f64::EPSILON, least: 1e-7 };

/// The top-K cross-entropy of normal noise in `f32`: z units of ε down in the tail the rounding of a score counts z times.
pub const NORMAL_IN_SINGLE_PRECISION: Tolerance = Tolerance::epsilons(1e-4 / f64::EPSILON);

/// The smooth top-K SVM against logarithms of symmetric polynomials: those are up to 1e4 with K = 100, and round at that size for each
/// of up to a thousand classes.
pub const SMOOTH_TOP_K_SVM: Tolerance = Tolerance::epsilons(1e-9 / f64::EPSILON);

/// From here up the digits of a small top-K cross-entropy are meant.
pub const TINY_LOSS: f64 = 1e-10;

/// As [`SINGLE_PRECISION`] where a loss is exp(−20) and less: its exponent of up to 87 rounds at that size, a few times.
pub const VANISHING_IN_SINGLE_PRECISION: Tolerance = Tolerance::epsilons(3e-5 / f64::EPSILON);

/// The chance that all statistical tests of one family together raise a false alarm. Keys are fixed, so a failure is not luck
/// but a change of the draws or a defect.
pub const FAMILY_LEVEL: f64 = 1e-6;

/// The probability with which what a statistical test calls detectable is detected.
pub const POWER: f64 = 0.99;

/// An estimate that is wrong by this share must be rejected: a test without power proves nothing.
pub const DETECTABLE_BIAS: f64 = 0.05;

/// What wrong scores may cost more than the best ones and still refute calibration, in units of what the loss changes over a margin: the
/// minima are found to about 1e−9, losses by the exact estimator are good to 1e−7, and the least gap of the cross-entropy,
/// [`LEAST_REGRET`]²/2, is well above.
pub const CALIBRATION_GAP: f64 = 1e-6;

/// Scores whose guesses miss fewer labels beyond need than this are not called wrong: as this vanishes, so does the gap of any loss.
pub const LEAST_REGRET: f64 = 0.005;

/// The gap of a loss that is linear between its kinks, at the vertices: some tens of roundings of risks about 1.
pub const CALIBRATION_CURVE: f64 = 1e-12;
