//! The smooth top-K SVM.

use super::Loss;
use super::others::Others;
use crate::compiled::{Example, values_by};
use crate::lanes::Compensated;
use crate::symmetric::{BULK, Powers, Ratios};
use crate::{FoldIn, Real, Result, check, lanes, select};

/// ℓ(s, y) = τ ln(Σ_{A} exp((m·1(y ∉ A) + s̄_A)/τ) / Σ_{A ∋ y} exp(s̄_A/τ)), A over the K-subsets of the classes, s̄_A = mean of s over A.
///
/// A hinge over the sets of K guesses with its maxima replaced by log-sum-exps of temperature τ. For τ → 0 it becomes
/// (m + ((s∖y)₍K₎ − s_y)/K)₊, the [`KthOther`](crate::loss::TopKSvmForm) form with margin Km divided by K; for K = 1, τ = 1 and m = 0 it is the
/// cross-entropy.
///
/// With r_j = exp(s_j/(Kτ)) of the other classes and e_m their elementary symmetric polynomials,
/// ℓ = τ ln(1 + exp(m/τ) e_K/(e_{K−1} r_y)). The ratio e_K/e_{K−1} is carried along with its drop by sums of positive terms, so nothing
/// overflows, underflows or cancels at any τ, and there is no switch to the hard loss.
///
/// **Shapes.** L scores, 1 ≤ K < L; scratch 3L + 2K(⌈log₂ L⌉ + 2).
///
/// **Units.** τ and m in those of the scores.
///
/// **Errors.** K ≥ L, a label that is no class, NaN or infinite scores, a loss beyond the float's range.
///
/// **Ties and NaN.** Smooth, so ties need no rule. NaN is an error. Scores of ±1e30 and common offsets do no harm.
///
/// **Accuracy.** Gradient within 1e−5 of its largest entry in `f32`, for every τ and K ≤ 100 and however many classes; within 3e−5 where
/// the loss is nearly zero (below 1e−9), because its exponent rounds.
///
/// **Cost.** One exponential and about 40 multiply-adds a class, and O(K log K) more for each class near the K-th.
///
/// ```
/// use topk_loss::loss::SmoothTopKSvm;
/// use topk_loss::{CrossEntropy, Loss};
/// let (scores, mut grad) = ([1.0_f64, 2.0, 0.0], [0.0; 3]);
/// // Two guesses of three: the pairs are {0, 1}, {0, 2} and {1, 2}, of which one does not hold class 0.
/// let loss = SmoothTopKSvm::new(2, 1.0, 1.0)?;
/// let value = loss.value_and_grad(&scores, 0, &mut grad, &mut [0.0; 64])?;
/// let sets = [1.5_f64, 0.5].map(f64::exp).iter().sum::<f64>();
/// assert!((value - (1.0 + 2.0_f64.exp() / sets).ln()).abs() < 1e-12 && (grad[0] + grad[1] + grad[2]).abs() < 1e-12);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Berrada, Zisserman, Kumar, "Smooth loss functions for deep top-k classification", ICLR 2018, whose algorithm works on
/// logarithms of the polynomials. Carrying ratios and drops is this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothTopKSvm<F> {
    k: usize,
    temperature: F,
    margin: F,
}

impl<F: Real> SmoothTopKSvm<F> {
    /// A loss of `k` guesses; the paper used margin 1 and temperatures from 0.1 to 1.
    ///
    /// # Errors
    /// k = 0, a temperature that is not positive and finite, a margin that is not finite.
    pub fn new(k: usize, temperature: F, margin: F) -> Result<Self> {
        check::at_least_one("k", k)?;
        check::positive("temperature", temperature)?;
        check::finite("margin", &[margin])?;
        Ok(Self { k, temperature, margin })
    }

    /// What value and gradient follow from, and the scratch that is left.
    fn prepare<'s>(&self, scores: &[F], label: usize, scratch: &'s mut [F]) -> Result<(Prepared<'s, F>, &'s mut [F])> {
        let others = Others::new(scores, label)?;
        select::first_missed(self.k, scores.len())?;
        let scratch = check::scratch(scratch, self.scratch_len(scores.len()))?;
        let center = others.kth_value(self.k, scratch);
        let width = F::from_usize(self.k) * self.temperature;
        let lead = (center - others.own) / F::from_usize(self.k);

        let (numbers, scratch) = check::split(scratch, others.len())?;
        let mut bands = Bands::new();
        for (number, score) in numbers.iter_mut().zip(others.iter()) {
            *number = bands.add((score - center) / width);
        }
        let (far, is_bulk) = bands.far(self.k, others.len());
        let (mut bulk, scratch) = Ratios::new(self.k, scratch)?;
        if is_bulk {
            bulk.set_bulk(&power_sums(numbers, far), far);
        }
        let (mut all, scratch) = bulk.copy(scratch)?;
        numbers.iter().filter(|&&r| r > far).for_each(|&r| all.add(r));
        let lag = (self.margin + lead) / self.temperature + all.last().ln();
        let softplus = if lag > F::zero() { lag + (-lag).exp().ln_1p() } else { lag.exp().ln_1p() };
        let loss = self.temperature * softplus;
        check::in_range("loss", loss)?;
        Ok((Prepared { numbers, far, bulk, all, lag, loss }, scratch))
    }
}

/// The other classes' r_j, in units of the K-th largest, and what they come to.
struct Prepared<'s, F> {
    numbers: &'s [F],
    /// Those up to here are treated by their power sums.
    far: F,
    /// The ratios of the far ones, and of all.
    bulk: Ratios<'s, F>,
    all: Ratios<'s, F>,
    /// ln(exp(m/τ) e_K/(e_{K−1} r_y)).
    lag: F,
    loss: F,
}

impl<F: Real> Prepared<'_, F> {
    /// The slopes of ln e_K − ln e_{K−1}, which sum to 1, one an other class.
    fn slopes(&mut self, slopes: &mut [F], scratch: &mut [F]) -> Result<()> {
        // A number that is large beside the ratios cannot be divided out.
        let half = F::from_f64(0.5);
        let is_large = |r: F| r > self.far && r > half * self.all.last();
        let count = self.numbers.iter().filter(|&&r| is_large(r)).count();
        let (large, scratch) = check::split(scratch, count)?;
        let (large_slopes, scratch) = check::split(scratch, count)?;
        large.iter_mut().zip(self.numbers.iter().filter(|&&r| is_large(r))).for_each(|(place, &r)| *place = r);
        self.numbers.iter().filter(|&&r| r > self.far && !is_large(r)).for_each(|&r| self.bulk.add(r));
        self.bulk.slopes_of_others(large, large_slopes, scratch)?;

        let series = self.all.slope_series(self.far);
        let mut large_slopes = large_slopes.iter();
        for (slope, &r) in slopes.iter_mut().zip(self.numbers) {
            *slope = if r <= self.far {
                series.iter().rev().fold(F::zero(), |sum, &c| (sum + c) * (r / self.far))
            } else if is_large(r) {
                large_slopes.next().copied().unwrap_or(F::zero())
            } else {
                self.all.slope(r)
            };
        }
        let total = lanes::total(slopes);
        slopes.iter_mut().for_each(|slope| *slope /= total);
        Ok(())
    }
}

/// The numbers r up to 1 summed in bands of a factor √e, to find where the bulk begins.
struct Bands<F> {
    sums: [Compensated<F>; BANDS],
}

const BANDS: usize = 64;

/// A number is at most exp of this: beyond, it is one of the K for certain.
const SURE: f64 = 60.0;

impl<F: Real> Bands<F> {
    fn new() -> Self {
        Self { sums: [Compensated::zero(); BANDS] }
    }

    /// exp(u), counted.
    fn add(&mut self, u: F) -> F {
        let r = u.min(F::from_f64(SURE)).exp();
        let band = (-(u + u)).max(F::zero()).min(F::from_usize(BANDS - 1));
        if let Some(sum) = band.to_usize().and_then(|band| self.sums.get_mut(band)) {
            sum.add(if r > F::one() { F::zero() } else { r });
        }
        r
    }

    /// Up to which number the classes are far, and whether they come to anything.
    fn far(&self, k: usize, len: usize) -> (F, bool) {
        let mut total = F::zero();
        let mut far = (F::epsilon() / (F::from_usize(len) * F::from_usize(k) * F::from_f64(BULK)), false);
        for (band, sum) in self.sums.iter().enumerate().rev() {
            total += sum.sum();
            let largest = (F::from_usize(band) * F::from_f64(-0.5)).exp();
            if total >= F::from_f64(BULK) * F::from_usize(k) * largest {
                far = (largest, true);
            }
        }
        far
    }
}

/// Σ (r/largest)ʲ over the numbers up to `largest`.
fn power_sums<F: Real>(numbers: &[F], largest: F) -> Powers<F> {
    const FEW: usize = 16;
    let mut sums = [Compensated::zero(); 18];
    for few in numbers.chunks(FEW) {
        let mut few_sums = [F::zero(); 18];
        for &r in few.iter().filter(|&&r| r <= largest) {
            let (unit, mut power) = (r / largest, F::one());
            for sum in &mut few_sums {
                power *= unit;
                *sum += power;
            }
        }
        sums.iter_mut().zip(few_sums).for_each(|(sum, few)| sum.add(few));
    }
    sums.map(Compensated::sum)
}

impl<F: Real> Loss<F> for SmoothTopKSvm<F> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        let halvings = num_classes.max(1).ilog2() as usize + 1;
        num_classes.saturating_mul(3).saturating_add(Ratios::<F>::scratch_len(self.k.min(num_classes)).saturating_mul(2 + halvings))
    }

    values_by!(F::smooth_top_k_svm);
}

impl<F: Real> SmoothTopKSvm<F> {
    #[inline(always)]
    pub(crate) fn evaluate(&self, example: Example<'_, F>) -> Result<F> {
        let Example { scores, label, grad, scratch } = example;
        let (mut prepared, scratch) = self.prepare(scores, label, scratch)?;
        let Some(grad) = grad else { return Ok(prepared.loss) };
        // The others' entries first; then the label's takes its place, and those after it move on.
        let slopes = grad.get_mut(..scores.len() - 1).unwrap_or_default();
        prepared.slopes(slopes, scratch)?;
        let odds = (-prepared.lag.abs()).exp();
        let probability = if prepared.lag < F::zero() { odds } else { F::one() } / (F::one() + odds);
        let weight = probability / F::from_usize(self.k);
        slopes.iter_mut().for_each(|slope| *slope *= weight);
        let mut carried = -weight;
        grad.iter_mut().skip(label).for_each(|entry| core::mem::swap(entry, &mut carried));
        Ok(prepared.loss)
    }
}

impl<F: Real> FoldIn for SmoothTopKSvm<F> {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
