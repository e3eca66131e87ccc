//! The top-K cross-entropy: minus the logarithm of the chance that the label is among the K guesses.

use super::Loss;
use super::others::Others;
use crate::compiled::{Example, Integrated, Integrator, Law, NO_LAW, Portable, values_by};
use crate::exact::{Label, Output, Precision, Problem, Question, Run, Task, scratch_len};
use crate::{AsRanks, Error, FoldIn, Gumbel, Logistic, Noise, Normal, Ranks, Real, Regularity, Result, check};

/// ℓ(s, y) = −ln P(y is among the K largest of s + εZ), or −Σ_k π_k ln P(y is among the k largest), value and gradient exactly.
///
/// The probability that a guesser who sees the scores through noise names the label among its K guesses. With Gumbel noise s + εZ in
/// descending order is a draw from the Plackett–Luce model of s/ε: for K = 1 the loss **is** the softmax cross-entropy of s/ε, for
/// larger K it asks the label to be among the first K of the draw. It trains like a cross-entropy, but does not care which of the K
/// places the label takes; a [`mixture`](Self::mixture) cares a little.
///
/// With T the K-th largest of the *others'* noised scores and g its density, P = ∫ P(s_y + εZ > t) g(t) dt; the gradient is
/// ∂ℓ/∂s_j = ∫ f_y(t) f_j(t) P(K − 1 of the remaining above t) dt / P ≥ 0 for the others and minus their sum for the label. Both are
/// computed by the machinery of [`Exact`](crate::estimator::Exact): a certified window, the trapezoid rule, classes far below by their
/// moments.
///
/// **Shapes.** L scores, 1 ≤ K < L; scratch as [`scratch_len`](Loss::scratch_len) says: for few classes about 36 numbers for each
/// that is near the window and 1000 beside, for many at most 8L + 2K + 2, K the largest of a mixture.
///
/// **Units.** Scores and ε in the same; the gradient's are their inverse.
///
/// **Errors.** K ≥ L, a label that is no class, NaN or infinite scores, scratch too short. A law with a kink (Laplace, uniform) is
/// refused by the constructors. Under the normal or the logistic law a label that is so far below the K-th score that the float cannot
/// tell the probability is [`Error::Accuracy`]: from about 11 ε (normal) and 40 ε (logistic) in `f32`, 50 ε and 75 ε in `f64`. Under Gumbel
/// noise there is no such limit. [`Error::Overflow`] where scores over ε, the loss or the gradient are beyond the float's range.
///
/// **Ties and NaN.** Smooth, so ties need no rule. NaN is an error. Scores of ±1e30 and large common offsets do no harm.
///
/// **Accuracy.** −ln P is accurate however small P is: to 1e−9 of itself in `f64`, the gradient to 1e−9 of its largest entry. A loss of
/// nearly zero and its gradient keep six digits in `f64` down to 1e−10. In `f32` the gradient is within 1e−5 of its largest entry or
/// 1e−8/ε, ten times that under normal noise. Where a miss is rarer than 1e−11 (`f32`) or 1e−18 (`f64`), loss and gradient may be 0.
///
/// **Cost.** Linear in L for any K, like [`Exact`](crate::estimator::Exact); several K share the passes over the scores.
///
/// ```
/// use topk_loss::loss::TopKCrossEntropy;
/// use topk_loss::noise::Gumbel;
/// use topk_loss::{CrossEntropy, Loss};
/// let (scores, mut grad, mut scratch) = ([1.0_f64, 0.0, -1.0, 0.5], [0.0; 4], [0.0; 1000]);
///
/// let top_1 = TopKCrossEntropy::new(1, Gumbel, 1.0)?;
/// let softmax = CrossEntropy.value(&scores, 2, &mut [])?;
/// assert!((top_1.value(&scores, 2, &mut scratch)? - softmax).abs() < 1e-9);
///
/// // All scores tied: two guesses of four.
/// let top_2 = TopKCrossEntropy::new(2, Gumbel, 1.0)?;
/// let value = top_2.value_and_grad(&[3.0; 4], 0, &mut grad, &mut scratch)?;
/// assert!((value - 2.0_f64.ln()).abs() < 1e-9 && grad[0] < 0.0 && (grad[1] + grad[0] / 3.0).abs() < 1e-9);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Plackett, "The analysis of permutations", Applied Statistics 24, 1975, and Luce, "Individual Choice Behavior", Wiley,
/// 1959, for the model; Yellott, "The relationship between Luce's choice axiom, Thurstone's theory of comparative judgment, and the
/// double exponential distribution", Journal of Mathematical Psychology 15, 1977, for the Gumbel noise. The loss for K > 1 with its
/// exact gradient in linear time is, as far as we know, this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopKCrossEntropy<N, F, R = Ranks<'static, F>> {
    ranks: R,
    law: N,
    epsilon: F,
    precision: Precision<F>,
}

impl<N: Noise<F>, F: Real> TopKCrossEntropy<N, F> {
    /// The loss of `k` guesses under noise of scale `epsilon`; Gumbel noise of scale 1 makes it the cross-entropy of logits.
    ///
    /// ```
    /// use topk_loss::loss::TopKCrossEntropy;
    /// use topk_loss::noise::Gumbel;
    /// use topk_loss::Loss;
    /// // Tied scores, two guesses of eight.
    /// let value = TopKCrossEntropy::new(2, Gumbel, 1.0)?.value(&[0.0_f64; 8], 3, &mut [0.0; 2000])?;
    /// assert!((value - 4.0_f64.ln()).abs() < 1e-9);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0, an ε that is not positive and finite, a law whose density has a kink.
    pub fn new(k: usize, law: N, epsilon: F) -> Result<Self> {
        Self::mixture(Ranks::Single(k), law, epsilon)
    }
}

impl<N: Noise<F>, F: Real, R: AsRanks<F>> TopKCrossEntropy<N, F, R> {
    /// Several K at once: −Σ_k π_k ln P(y among the k largest), `shares` being π_1, π_2, …: a list that the loss then has, borrows or
    /// shares.
    ///
    /// Half top-1 and half top-K is the cautious choice where both accuracies matter.
    ///
    /// **Cost.** A few passes over shares that are listed.
    ///
    /// ```
    /// use topk_loss::loss::TopKCrossEntropy;
    /// use topk_loss::noise::Gumbel;
    /// use topk_loss::Loss;
    /// let half_and_half = TopKCrossEntropy::mixture([0.5, 0.0, 0.5], Gumbel, 1.0)?;
    /// let value = half_and_half.value(&[0.0_f64; 6], 1, &mut [0.0; 1000])?;
    /// assert!((value - 0.5 * (6.0_f64.ln() + 2.0_f64.ln())).abs() < 1e-9);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Shares that are negative, NaN, or do not sum to 1; otherwise as [`new`](Self::new).
    pub fn mixture(shares: R, law: N, epsilon: F) -> Result<Self> {
        match shares.as_ranks() {
            Ranks::Single(k) => check::at_least_one("k", k).map(|_| ())?,
            Ranks::Top(_) => return Err(Error::Parameter { name: "shares", must: "of entries that sum to 1" }),
            Ranks::Weighted(shares) => check::distribution("shares", shares)?,
        }
        check::positive("epsilon", epsilon)?;
        if law.regularity() == Regularity::Kinked {
            return Err(Error::Parameter { name: "law", must: "smooth for an exact probability" });
        }
        Ok(Self { ranks: shares, law, epsilon, precision: Precision::of_probability() })
    }

    /// The ranks and their shares.
    ///
    /// ```
    /// use topk_loss::loss::TopKCrossEntropy;
    /// use topk_loss::noise::Gumbel;
    /// use topk_loss::oracle::Ranks;
    /// assert_eq!(TopKCrossEntropy::new(5, Gumbel, 1.0)?.ranks(), Ranks::Single(5));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn ranks(&self) -> Ranks<'_, F> {
        self.ranks.as_ranks()
    }

    /// The scale of the noise.
    ///
    /// ```
    /// use topk_loss::loss::TopKCrossEntropy;
    /// use topk_loss::noise::Gumbel;
    /// assert_eq!(TopKCrossEntropy::new(5, Gumbel, 0.5)?.epsilon(), 0.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn epsilon(&self) -> F {
        self.epsilon
    }

    /// The noise's law.
    ///
    /// ```
    /// use topk_loss::loss::TopKCrossEntropy;
    /// use topk_loss::noise::Gumbel;
    /// assert_eq!(TopKCrossEntropy::new(5, Gumbel, 0.5)?.law(), Gumbel);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn law(&self) -> N {
        self.law
    }

    /// The same loss, its shares borrowed.
    ///
    /// ```
    /// use topk_loss::loss::TopKCrossEntropy;
    /// use topk_loss::noise::Gumbel;
    /// use topk_loss::oracle::Ranks;
    /// let owned = TopKCrossEntropy::mixture(vec![0.5, 0.5], Gumbel, 1.0)?;
    /// assert_eq!(owned.borrowed().ranks(), Ranks::Weighted(&[0.5, 0.5]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> TopKCrossEntropy<N, F, Ranks<'_, F>> {
        self.under(self.law)
    }

    /// The same under another law, or the same by another type.
    #[doc(hidden)]
    pub fn under<M>(&self, law: M) -> TopKCrossEntropy<M, F, Ranks<'_, F>> {
        TopKCrossEntropy { ranks: self.ranks(), law, epsilon: self.epsilon, precision: self.precision }
    }

    /// −ln P(y is among the k largest), given the k-th largest score of the others and how far the label is above it; adds `weight` times
    /// the others' gradient by s/ε.
    #[inline(always)]
    fn among(
        &self,
        k: usize,
        (center, u): (F, F),
        others: &Others<'_, F>,
        output: Output<'_, F>,
        scratch: &mut [F],
        by: &impl Integrator<F>,
    ) -> Result<F> {
        let (num_classes, mirrored, law) = (others.len(), others.len() + 1 - k, self.law);
        let label = Label::new(u, &law);
        // Near the other end it is cheaper to count from there.
        let (rank, scale, label) = if k > mirrored { (mirrored, -self.epsilon, label.mirrored()) } else { (k, self.epsilon, label) };
        let run = Run { first: rank, last: rank };
        let problem = Problem { law, run, scale, center, span: label.span(), num_classes, precision: self.precision };
        Ok(by.integrate(Task { problem, row: others.competitors(), question: Question::Lose(label), output, scratch })?.value)
    }

    /// How far the label's score is above the center, in units of ε.
    fn unit(&self, own: F, center: F) -> Result<F> {
        check::in_range("range of the scores", (own - center) / self.epsilon)
    }
}

impl<N: Noise<F>, F: Real> Integrated<F> for TopKCrossEntropy<N, F, Ranks<'_, F>> {
    #[inline(always)]
    fn evaluate(&self, example: Example<'_, F>, by: &impl Integrator<F>) -> Result<F> {
        let Example { scores, label, mut grad, scratch } = example;
        let others = Others::new(scores, label)?;
        check::rank(self.ranks.last(), others.len())?;
        let scratch = check::scratch(scratch, self.scratch_len(scores.len()))?;
        // A later rank may be out of range: that is found before anything is written for an earlier one.
        if self.ranks.first() != self.ranks.last() {
            for (_, rank) in self.ranks.each() {
                self.unit(others.own, others.kth_value(rank, scratch))?;
            }
        }
        let mut value = F::zero();
        for (share, rank) in self.ranks.each() {
            let center = others.kth_value(rank, scratch);
            let u = self.unit(others.own, center)?;
            if let Some(grad) = grad.as_deref_mut().filter(|_| rank == self.ranks.first()) {
                grad.fill(F::zero());
            }
            value += share * self.among(rank, (center, u), &others, grad.as_deref_mut().map(|grad| (share, grad)), scratch, by)?;
        }
        check::in_range("loss", value)?;
        if let Some(grad) = grad {
            // Here and not as a weight before: at a tiny ε that would be infinite.
            grad.iter_mut().for_each(|entry| *entry /= self.epsilon);
            others.balance(grad);
            check::all_in_range("gradient", grad)?;
        }
        Ok(value)
    }
}

impl<N: Noise<F>, F: Real, R: AsRanks<F>> Loss<F> for TopKCrossEntropy<N, F, R> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        scratch_len::<F>(num_classes, self.ranks().last(), true)
    }

    values_by!(|loss: &Self, example| match loss.law.compiled() {
        Some(Law::Normal) => F::normal_cross_entropy(&loss.under(Normal), example),
        Some(Law::Gumbel) => F::gumbel_cross_entropy(&loss.under(Gumbel), example),
        Some(Law::Logistic) => F::logistic_cross_entropy(&loss.under(Logistic), example),
        None if N::IS_COMPILED => Err(NO_LAW),
        None => loss.borrowed().evaluate(example, &Portable),
    });
}

impl<N: Copy, F: Copy, R: Clone> FoldIn for TopKCrossEntropy<N, F, R> {
    fn fold_in(&self, _: u64) -> Self {
        self.clone()
    }
}
