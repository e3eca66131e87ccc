//! A test whether an estimator is unbiased: its mean over many keys is the smoothed function.
//!
//! ```
//! use topk_loss_laws::unbiased::{Sample, unbiased};
//! // Estimates that are 0 and 2 as often have the mean 1, and not 2.
//! let sample = |numbers: &[f64]| numbers.iter().map(|&x| (x, vec![x])).collect::<Sample>();
//! let drawn: Vec<f64> = (0..1000).map(|i| f64::from(i % 2 * 2)).collect();
//! assert!(unbiased(&sample(&[1.0; 2]), &sample(&drawn)).is_ok());
//! assert!(unbiased(&sample(&[2.0; 2]), &sample(&drawn)).is_err());
//! ```

use core::fmt;

use topk_loss::Real;
use topk_loss::noise::Noise;
use topk_loss::oracle::Oracle;

use crate::reference::ValueAndGrad;
use crate::statistics::{Moments, Outlier, detectable, judge, reject};
use crate::tolerances::DETECTABLE_BIAS;

/// Value and gradient of an oracle, with scratch of exactly the length it asks for, full of NaN.
///
/// **Cost.** A call of the oracle.
///
/// ```
/// use topk_loss::oracle::KthLargest;
/// use topk_loss_laws::unbiased::evaluate;
/// assert_eq!(evaluate(&KthLargest::new(2)?, &[0.5, 2.0, 1.0]), (1.0, vec![0.0, 0.0, 1.0]));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Panics
/// The oracle fails.
pub fn evaluate<F: Real>(oracle: &dyn Oracle<F>, theta: &[F]) -> ValueAndGrad<F> {
    let mut grad = vec![F::zero(); theta.len()];
    let mut scratch = vec![F::nan(); oracle.scratch_len(theta.len())];
    let value = oracle.value_and_add_grad(theta, F::one(), &mut grad, &mut scratch).expect("an oracle of good input");
    (value, grad)
}

/// The moments of a value and of every entry of a gradient.
///
/// ```
/// use topk_loss_laws::unbiased::Sample;
/// let sample: Sample = [(1.0, vec![0.0]), (3.0, vec![1.0])].into_iter().collect();
/// assert_eq!((sample.value.mean(), sample.gradient[0].mean()), (2.0, 0.5));
/// assert_eq!(sample.scaled(2.0).value.mean(), 4.0);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// The moments of the value.
    pub value: Moments,
    /// The moments of every entry of the gradient.
    pub gradient: Vec<Moments>,
}

impl Sample {
    /// A reference that is known without error. See [`unbiased`] for an example.
    #[must_use]
    pub fn exact((value, gradient): &ValueAndGrad<f64>) -> Self {
        Self { value: Moments::exact(*value), gradient: gradient.iter().copied().map(Moments::exact).collect() }
    }

    /// The sample of the same estimates, each `factor` times as large. See [`Sample`] for an example.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self { value: self.value.scaled(factor), gradient: self.gradient.iter().map(|entry| entry.scaled(factor)).collect() }
    }

    /// The value and the entries of the gradient, in this order.
    fn coordinates(&self) -> impl Iterator<Item = &Moments> {
        core::iter::once(&self.value).chain(&self.gradient)
    }

    fn z_scores(&self, expected: &Self) -> Vec<f64> {
        self.coordinates().zip(expected.coordinates()).map(|(entry, expected)| entry.z_score_from(expected)).collect()
    }
}

impl FromIterator<ValueAndGrad<f64>> for Sample {
    fn from_iter<T: IntoIterator<Item = ValueAndGrad<f64>>>(estimates: T) -> Self {
        let mut sample = Self::default();
        for (value, gradient) in estimates {
            sample.value.extend([value]);
            sample.gradient.resize(gradient.len(), Moments::default());
            sample.gradient.iter_mut().zip(gradient).for_each(|(entry, g)| entry.extend([g]));
        }
        sample
    }
}

/// A coordinate of an estimate: its value, or an entry of its gradient. See [`unbiased`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinate {
    /// The value.
    Value,
    /// This entry of the gradient.
    Gradient(usize),
}

/// The coordinate that is furthest from its expectation, further than chance explains.
///
/// See [`unbiased`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Biased {
    /// Which coordinate it is.
    pub coordinate: Coordinate,
    /// The mean of its estimates.
    pub mean: f64,
    /// What it should be.
    pub expected: f64,
    /// How many standard errors are between the two.
    pub standard_errors: f64,
    /// How many would have been allowed.
    pub critical: f64,
}

impl fmt::Display for Biased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.coordinate {
            Coordinate::Value => write!(f, "the value")?,
            Coordinate::Gradient(class) => write!(f, "entry {class} of the gradient")?,
        }
        write!(f, " is {:.6} on average instead of {:.6}: ", self.mean, self.expected)?;
        write!(f, "{:.2} standard errors, of which {:.2} are allowed", self.standard_errors, self.critical)
    }
}

impl core::error::Error for Biased {}

/// Whether independent estimates have the mean `expected`, in the value and in every entry of the gradient; if so, the bias of each
/// coordinate that would have been found with probability [`POWER`](crate::tolerances::POWER).
///
/// The reference is [exact](Sample::exact), or the moments of estimates that are trusted, whose standard errors then count too. An
/// estimator without bias is called biased with probability [`FAMILY_LEVEL`](crate::tolerances::FAMILY_LEVEL), if each estimate is itself
/// a mean of enough draws to be about normal. A coordinate without any spread must be equal to the reference.
///
/// **Cost.** One pass over the coordinates.
///
/// ```
/// use topk_loss::estimator::{Exact, Pathwise};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::sampler::MonteCarlo;
/// use topk_loss::{FoldIn, Key};
/// use topk_loss_laws::unbiased::{Coordinate, Sample, evaluate, unbiased};
///
/// let (theta, second) = ([0.9, 0.4, 0.6], KthLargest::new(2)?);
/// let pathwise = Pathwise::new(second, MonteCarlo::new(Normal, 50)?, 0.5, Key::new(1))?;
/// let estimates: Sample = (0..2000).map(|step| evaluate(&pathwise.fold_in(step), &theta)).collect();
///
/// let expected = Sample::exact(&evaluate(&Exact::new(second, Normal, 0.5)?, &theta));
/// let (value, _) = unbiased(&expected, &estimates)?;
/// assert!(value < 0.01);
///
/// let forgotten_factor = unbiased(&expected, &estimates.scaled(1.05)).unwrap_err();
/// assert_eq!(forgotten_factor.coordinate, Coordinate::Value);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// They have not.
///
/// # Panics
/// Gradients of different lengths.
pub fn unbiased(expected: &Sample, estimates: &Sample) -> Result<ValueAndGrad<f64>, Biased> {
    assert_eq!(expected.gradient.len(), estimates.gradient.len(), "gradients of different lengths");
    let z_scores = estimates.z_scores(expected);
    let pairs: Vec<_> = estimates.coordinates().zip(expected.coordinates()).collect();
    if let Err(Outlier { index, z, critical }) = judge(&z_scores) {
        let coordinate = index.checked_sub(1).map_or(Coordinate::Value, Coordinate::Gradient);
        let (mean, expected) = (pairs[index].0.mean(), pairs[index].1.mean());
        return Err(Biased { coordinate, mean, expected, standard_errors: z, critical });
    }
    let errors = pairs.iter().map(|(entry, expected)| entry.standard_error().hypot(expected.standard_error()));
    let mut biases = errors.map(|error| detectable(z_scores.len()) * error);
    Ok((biases.next().unwrap_or(0.0), biases.collect()))
}

/// Asserts that estimates are [`unbiased`], and that the same estimates would not pass if they were wrong by
/// [`DETECTABLE_BIAS`], in the value alone or in the gradient alone.
///
/// **Cost.** One pass over the estimates.
///
/// ```
/// use topk_loss_laws::unbiased::assert_unbiased;
/// // Estimates that are 1 ± 0.01, with a gradient of 2 ± 0.01.
/// let estimates = (0..1000).map(|i| if i % 2 == 0 { 0.01 } else { -0.01 }).map(|error| (1.0 + error, vec![2.0 + error]));
/// assert_unbiased(&(1.0, vec![2.0]), estimates);
/// ```
///
/// # Panics
/// The estimates are biased, or too few to tell.
pub fn assert_unbiased(expected: &ValueAndGrad<f64>, estimates: impl IntoIterator<Item = ValueAndGrad<f64>>) {
    let (expected, estimates) = (Sample::exact(expected), estimates.into_iter().collect::<Sample>());
    if let Err(biased) = unbiased(&expected, &estimates) {
        panic!("{biased}");
    }
    for factor in [1.0 - DETECTABLE_BIAS, 1.0 + DETECTABLE_BIAS] {
        let z_scores = estimates.scaled(factor).z_scores(&expected);
        assert!(reject(&z_scores[..1]), "no power for the value: {}", z_scores[0]);
        assert!(reject(&z_scores[1..]), "no power for the gradient: {:?}", &z_scores[1..]);
    }
}

/// E (θ + εZ)₍ₖ₎ and its gradient for any law, kinks and jumps included, by the midpoint rule between −60 and 60 in units of ε; good to
/// about 1e−4 of the law's scale, for a handful of classes.
///
/// **Cost.** O(60 001 · L² · k) evaluations of the law's functions.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::unbiased::midpoint_kth_largest;
/// let (value, _) = midpoint_kth_largest(&[0.0, 0.0], 1, Normal, 1.0);
/// assert!((value - core::f64::consts::PI.sqrt().recip()).abs() < 1e-4);
/// ```
#[must_use]
pub fn midpoint_kth_largest(theta: &[f64], k: usize, law: impl Noise<f64>, epsilon: f64) -> ValueAndGrad<f64> {
    const HALF: f64 = 60.0;
    const NODES: usize = 60_001;
    let units: Vec<f64> = theta.iter().map(|s| s / epsilon).collect();
    let step = 2.0 * HALF / NODES as f64;
    let (mut value, mut gradient) = (-HALF, vec![0.0; theta.len()]);
    for node in 0..NODES {
        let t = (node as f64 + 0.5) * step - HALF;
        // The distribution of how many of some classes are above t.
        let count = |without: Option<usize>| {
            let mut counts = vec![0.0; k + 1];
            counts[0] = 1.0;
            for (_, u) in units.iter().enumerate().filter(|&(j, _)| Some(j) != without) {
                let (p, q) = (law.survival(t - u), law.cdf(t - u));
                for n in (0..=k).rev() {
                    counts[n] = counts[n] * q + if n > 0 { counts[n - 1] * p } else { 0.0 };
                }
            }
            counts
        };
        value += step * (1.0 - count(None)[..k].iter().sum::<f64>());
        for (class, entry) in gradient.iter_mut().enumerate() {
            let density = law.pdf(t - units[class]);
            if density > 1e-300 {
                *entry += step * density * count(Some(class))[k - 1];
            }
        }
    }
    (epsilon * value, gradient)
}
