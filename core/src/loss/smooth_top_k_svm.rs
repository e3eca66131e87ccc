//! The smooth top-K SVM: a hinge over sets of K guesses, its maxima softened by a temperature.

use super::Loss;
use super::others::Others;
use super::softmax::tiny;
use crate::compiled::{Example, values_by};
use crate::lanes::{Compensated, LANES, Lanes};
use crate::symmetric::{BULK, MAX_POWERS, Powers, Ratios};
use crate::{FoldIn, Real, Result, check, lanes, select};

/// ℓ(s, y) = τ ln(Σ_{A} exp((m·1(y ∉ A) + s̄_A)/τ) / Σ_{A ∋ y} exp(s̄_A/τ)), A over the K-subsets of the classes, s̄_A = mean of s over A.
///
/// A hinge over the sets of K guesses with its maxima replaced by log-sum-exps of temperature τ. For τ → 0 it becomes
/// (m + ((s∖y)₍K₎ − s_y)/K)₊, the [`KthOther`](crate::loss::TopKSvmForm) form with margin Km divided by K; for K = 1, τ = 1 and m = 0 it is
/// the cross-entropy.
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
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::loss::SmoothTopKSvm;
    /// // Tied scores, two guesses of three: two pairs hold the label, and one does not.
    /// let value = SmoothTopKSvm::new(2, 1.0, 0.0)?.value(&[1.0_f64; 3], 0, &mut [0.0; 64])?;
    /// assert!((value - 1.5_f64.ln()).abs() < 1e-12);
    /// assert!(SmoothTopKSvm::new(2, 0.0, 1.0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
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
        numbers.iter_mut().zip(others.iter()).for_each(|(number, score)| *number = (score - center) / width);
        let sure = F::from_f64(SURE);
        for numbers in numbers.chunks_mut(LANES) {
            let exponentials = lanes::map(lanes::of(numbers, sure), |u| if u > sure { sure } else { u }.fast_exp());
            numbers.iter_mut().zip(exponentials).for_each(|(number, r)| *number = r);
        }
        let (far, is_bulk) = far(numbers, self.k);
        let (mut bulk, scratch) = Ratios::new(self.k, scratch)?;
        if is_bulk {
            bulk.set_bulk(&power_sums(numbers, far, self.k), far);
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

        let (far, powers) = (self.far, self.all.slope_series(self.far));
        let series = powers.get(..self.all.len()).unwrap_or(&powers);
        let mut large_slopes = large_slopes.iter();
        let mut waiting = Waiting::new(&self.all);
        for (first, numbers) in (0..).step_by(LANES).zip(self.numbers.chunks(LANES)) {
            let few = slopes.get_mut(first..first + numbers.len()).unwrap_or_default();
            let units = lanes::map(lanes::of(numbers, F::zero()), |r| if r < far { r / far } else { F::one() });
            let of_bulk = series.iter().rev().fold([F::zero(); LANES], |sum, &c| lanes::zip(sum, units, |sum, unit| (sum + c) * unit));
            few.iter_mut().zip(of_bulk).for_each(|(slope, of_bulk)| *slope = of_bulk);
            if numbers.iter().fold(true, |all, &r| all & (r <= far)) {
                continue;
            }
            for (place, &r) in (first..).zip(numbers).filter(|&(_, &r)| r > far) {
                match slopes.get_mut(place).filter(|_| is_large(r)) {
                    Some(slope) => *slope = large_slopes.next().copied().unwrap_or(F::zero()),
                    None => waiting.push(place, r, slopes),
                }
            }
        }
        waiting.write(slopes);
        let total = lanes::total(slopes);
        slopes.iter_mut().for_each(|slope| *slope /= total);
        Ok(())
    }
}

/// A number is at most exp of this: beyond, it is one of the K for certain.
const SURE: f64 = 60.0;

/// Numbers whose slopes are computed side by side once there are enough of them.
struct Waiting<'a, 's, F> {
    all: &'a Ratios<'s, F>,
    numbers: Lanes<F>,
    places: [usize; LANES],
    len: usize,
}

impl<'a, 's, F: Real> Waiting<'a, 's, F> {
    fn new(all: &'a Ratios<'s, F>) -> Self {
        Self { all, numbers: [F::zero(); LANES], places: [0; LANES], len: 0 }
    }

    #[inline(always)]
    fn push(&mut self, place: usize, number: F, slopes: &mut [F]) {
        if let (Some(a), Some(b)) = (self.places.get_mut(self.len), self.numbers.get_mut(self.len)) {
            (*a, *b) = (place, number);
        }
        self.len += 1;
        if self.len == LANES {
            self.write(slopes);
        }
    }

    #[inline(always)]
    fn write(&mut self, slopes: &mut [F]) {
        let found = self.all.slopes(self.numbers);
        for (&place, slope) in self.places.iter().zip(found).take(self.len) {
            if let Some(entry) = slopes.get_mut(place) {
                *entry = slope;
            }
        }
        self.len = 0;
    }
}

/// Numbers above it join one by one, those up to it by their power sums; and whether that is worth while.
///
/// Of e^0, e^−½, e^−1, … the largest that bounds a bulk: the sum of the numbers up to it is [`BULK`]·K times as much. Without one, numbers
/// are left out that together cannot matter.
#[inline(always)]
fn far<F: Real>(numbers: &[F], k: usize) -> (F, bool) {
    const BOUNDS: usize = 64;
    const AT_ONCE: usize = 4;
    let enough = F::from_f64(BULK) * F::from_usize(k);
    for first in (0..BOUNDS).step_by(AT_ONCE) {
        let bounds: [F; AT_ONCE] = core::array::from_fn(|i| (F::from_usize(first + i) * F::from_f64(-0.5)).exp());
        let mut sums = [[F::zero(); LANES]; AT_ONCE];
        for numbers in numbers.chunks(LANES) {
            let numbers = lanes::of(numbers, F::zero());
            for (sum, &bound) in sums.iter_mut().zip(&bounds) {
                *sum = lanes::zip(*sum, numbers, |sum, r| sum + if r <= bound { r } else { F::zero() });
            }
        }
        let mut found = sums.iter().zip(bounds).filter(|(sum, bound)| lanes::sum(sum) >= enough * *bound);
        if let Some((_, bound)) = found.next() {
            return (bound, true);
        }
    }
    (F::epsilon() / (F::from_usize(numbers.len()) * enough), false)
}

/// Σ (r/largest)ʲ over the numbers r ≤ largest, for j = 1 to K.
#[inline(always)]
fn power_sums<F: Real>(numbers: &[F], largest: F, k: usize) -> Powers<F> {
    /// So many registers of numbers are added without compensation.
    const FEW: usize = 4;
    let tiny = tiny::<F>();
    let mut sums = [Compensated::zero(); MAX_POWERS];
    for few in numbers.chunks(FEW * LANES) {
        let mut units = [[F::zero(); LANES]; FEW];
        for (units, numbers) in units.iter_mut().zip(few.chunks(LANES)) {
            *units = lanes::map(lanes::of(numbers, F::zero()), |r| if r <= largest { r / largest } else { F::zero() });
        }
        let mut powers = [[F::one(); LANES]; FEW];
        for sum in sums.iter_mut().take(k) {
            let mut together = [F::zero(); LANES];
            for (powers, &units) in powers.iter_mut().zip(&units) {
                // Nothing subnormal is ever multiplied.
                *powers = lanes::zip(*powers, units, |power, unit| if power * unit < tiny { F::zero() } else { power * unit });
                together = lanes::zip(together, *powers, |sum, power| sum + power);
            }
            sum.add(lanes::sum(&together));
        }
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
