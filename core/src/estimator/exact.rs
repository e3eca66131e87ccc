//! The exact smoothing of order statistics: computed, with no randomness.

mod jacobian;
mod runs;

use crate::compiled::Portable;
use crate::exact::{Histogram, Precision, Problem, Run, scratch_len};
use crate::{Error, FoldIn, Noise, Oracle, OrderStatistics, Real, Regularity, Result, Translation, check, select};

/// f_ε(θ) = E f(θ + εZ) and ∇f_ε, **computed** and not drawn, for f a (weighted sum of) order statistics.
///
/// For the k-th largest, ∇ᵢ = P(i is the k-th largest of θ + εZ); for [`TopKSum`](crate::oracle::TopKSum) it is the soft top-K mask
/// P(i is among the k largest); for [`RankSum`](crate::oracle::RankSum), several ranks from one pass. With N(t) the number of noised scores
/// above t, a sum of independent trials,
///
/// f_ε = ∫ (P(N(t) ≥ k) − 1(t < 0)) dt, ∇ᵢ = ∫ P(N(t) − Nᵢ(t) = k − 1) f((t − θᵢ)/ε)/ε dt.
///
/// A certified window bounds t, the trapezoid rule converges exponentially, and the classes far below the window, usually nearly all,
/// enter by their Chebyshev moments. That is the *fast* form; it falls back to the [plain](Exact::plain) one, every class by itself,
/// where its own error bound is above the [tolerance](Exact::with_tolerance).
///
/// **Shapes.** θ of L entries; scratch as [`scratch_len`](Oracle::scratch_len) says: for few classes about 36 numbers for each that is near
/// the window and 1000 beside, for many at most 8L + 2k + 2, k the deepest rank.
///
/// **Errors.** ε not positive and finite, k > L, NaN or infinite θ; a law with a kink (Laplace, uniform) is refused by
/// [`new`](Exact::new) and served by the conditional estimator; a tolerance that cannot be reached, in a float coarser than `f32` hardly
/// any; a law that returns NaN.
///
/// **Ties and NaN.** Ties need no rule: tied entries share the gradient equally. NaN is an error. A common offset does not matter.
///
/// **Accuracy.** L1 error of the gradient at most 1e−7 in `f64` (1e−10 in the plain form) and 1e−4 in `f32`, k/50 times as much for
/// a rank deeper than 50 from the nearer end, value within 1e−8·ε in `f64`, over random, tied, clustered, separated and geometric scores;
/// [`certified`](Exact::certified) reports a bound with each result.
/// Both are far below any estimator's noise: a gradient drawn B times is about 1/√B off, and reaches 1e−4 with 1e8 draws.
///
/// **Cost.** Fast: linear in L whatever k, two passes of about 2D multiply-adds a class (D = 24 in `f64`, 15 in `f32`), and work on a few
/// classes near the window that does not grow with L. Plain: O(nodes · L · k).
///
/// ```
/// use topk_loss::estimator::Exact;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::{KthLargest, Oracle};
/// // The larger of two equal scores under normal noise: E max(Z₁, Z₂) = 1/√π.
/// let largest = Exact::new(KthLargest::new(1)?, Normal, 0.5)?;
/// let mut grad = [0.0_f64; 2];
/// let value = largest.value_and_add_grad(&[3.0, 3.0], 1.0, &mut grad, &mut [0.0; 1000])?;
/// assert!((value - (3.0 + 0.5 / core::f64::consts::PI.sqrt())).abs() < 1e-10);
/// assert!((grad[0] - 0.5).abs() < 1e-12 && (grad[1] - 0.5).abs() < 1e-12);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** The Poisson-binomial form of an order statistic of independent variables is classical (David, Nagaraja, "Order
/// Statistics", 3rd ed., 2003). The certified window, the compression of the far classes and the error bound are this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exact<O, N, F> {
    oracle: O,
    law: N,
    epsilon: F,
    precision: Precision<F>,
    plain: bool,
}

/// A value with a bound on the error of what came with it.
///
/// ```
/// use topk_loss::estimator::Exact;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::KthLargest;
/// // The larger of two tied scores is ε/√π above them.
/// let (exact, expected) = (Exact::new(KthLargest::new(1)?, Normal, 0.5)?, 0.5 / core::f64::consts::PI.sqrt());
/// let certified = exact.certified(&[0.0, 0.0], 1.0, &mut [0.0; 2], &mut [0.0; 1000])?;
/// assert!((certified.value - expected).abs() < 1e-9 && certified.error_bound < 1e-7);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certified<F> {
    /// f_ε(θ).
    pub value: F,
    /// On the L1 error of the gradient Σᵢ |error of ∇ᵢ|, for weight 1.
    pub error_bound: F,
}

impl<O, N, F: Real> Exact<O, N, F> {
    /// The smoothing of `oracle` by noise of scale `epsilon`.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::{KthLargest, Oracle};
    /// // The larger of two tied scores is ε/√π above them.
    /// let (exact, expected) = (Exact::new(KthLargest::new(1)?, Normal, 0.5)?, 0.5 / core::f64::consts::PI.sqrt());
    /// assert!((exact.value(&[0.0, 0.0], &mut [0.0; 1000])? - expected).abs() < 1e-9);
    /// assert!(Exact::new(KthLargest::new(1)?, topk_loss::noise::Laplace, 0.5).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An ε that is not positive and finite; a law whose density has a kink.
    pub fn new(oracle: O, law: N, epsilon: F) -> Result<Self>
    where
        N: Noise<F>,
    {
        check::positive("epsilon", epsilon)?;
        if law.regularity() == Regularity::Kinked {
            return Err(Error::Parameter { name: "law", must: "smooth for the exact estimator: use the conditional one" });
        }
        Ok(Self { oracle, law, epsilon, precision: Precision::of_float(), plain: false })
    }

    /// Treats every class by itself: the reference that the fast form is held against.
    ///
    /// **Cost.** O(nodes · L · k) an evaluation.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::{KthLargest, Oracle};
    /// // The larger of two tied scores is ε/√π above them.
    /// let (exact, expected) = (Exact::new(KthLargest::new(1)?, Normal, 0.5)?, 0.5 / core::f64::consts::PI.sqrt());
    /// assert!((exact.plain().value(&[0.0, 0.0], &mut [0.0; 1000])? - expected).abs() < 1e-10);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn plain(self) -> Self {
        Self { plain: true, precision: self.precision.strict(), ..self }
    }

    /// The error bound that a result must meet, on the L1 error of the gradient: 1e−7 in `f64` and 1e−4 in `f32` unless said, for a rank
    /// deeper than 50 from the nearer end k/50 times as much, since rounding grows with it: far below any estimator's noise. A smaller
    /// one costs more nodes and a wider window, a larger one less of both.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::{KthLargest, Oracle};
    /// // The larger of two tied scores is ε/√π above them.
    /// let (exact, expected) = (Exact::new(KthLargest::new(1)?, Normal, 0.5)?, 0.5 / core::f64::consts::PI.sqrt());
    /// let finer = exact.with_tolerance(1e-10)?;
    /// assert!((finer.value(&[0.0, 0.0], &mut [0.0; 1000])? - expected).abs() < 1e-10);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A tolerance that is not positive and finite.
    pub fn with_tolerance(self, tolerance: F) -> Result<Self> {
        let tolerance = check::positive("tolerance", tolerance)?;
        Ok(Self { precision: self.precision.within(tolerance), ..self })
    }
}

impl<F: Real, N: Noise<F>, O: OrderStatistics<F>> Exact<O, N, F> {
    /// Adds `weight`·∇f_ε(θ) to `grad`, returns f_ε(θ) with the error bound.
    ///
    /// **Ties and NaN.** Ties need no rule. NaN is an error.
    ///
    /// **Cost.** The type's.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// // The larger of two tied scores is ε/√π above them.
    /// let (exact, expected) = (Exact::new(KthLargest::new(1)?, Normal, 0.5)?, 0.5 / core::f64::consts::PI.sqrt());
    /// let mut grad = [0.0; 2];
    /// let certified = exact.certified(&[0.0, 0.0], 1.0, &mut grad, &mut [0.0; 1000])?;
    /// assert!((certified.value - expected).abs() < 1e-9 && certified.error_bound < 1e-7);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for the type; `grad` is then as before, save where one of several ranks far apart fails or its own range is left.
    pub fn certified(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<Certified<F>> {
        check::length("grad", grad, theta.len())?;
        let certified = self.all_ranks(theta, Some((weight, grad)), scratch)?;
        check::all_in_range("gradient", grad)?;
        Ok(certified)
    }

    /// Writes E (θ + εZ)₍ᵣ₎ for every rank r that the oracle gives a weight, in descending order of the values.
    ///
    /// **Shapes.** One value for each rank with a weight; scratch as for the gradient.
    ///
    /// **Ties and NaN.** Ties need no rule. NaN is an error.
    ///
    /// **Cost.** One selection and one quadrature a rank.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::TopKSum;
    /// let both = Exact::new(TopKSum::new(2)?, Normal, 1.0)?;
    /// let mut values = [0.0_f64; 2];
    /// both.rank_values(&[0.0, 0.0], &mut values, &mut [0.0; 1000])?;
    /// // E max(Z₁, Z₂) = 1/√π, and the minimum mirrors it.
    /// assert!((values[0] - core::f64::consts::PI.sqrt().recip()).abs() < 1e-9 && (values[0] + values[1]).abs() < 1e-9);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for the type; another number of values.
    pub fn rank_values(&self, theta: &[F], values: &mut [F], scratch: &mut [F]) -> Result<()> {
        let ranks = self.oracle.ranks();
        let scratch = self.checked(theta, scratch)?;
        check::length("values", values, ranks.each().count())?;
        for ((_, rank), value) in ranks.each().zip(values) {
            let center = select::kth_value(theta, rank, scratch);
            let smoothed =
                self.one_run(theta, Run { first: rank, last: rank }, (center, F::zero()), (None, &|_| true), scratch, &Portable)?;
            *value = check::in_range("smoothed value", center + smoothed.value)?;
        }
        Ok(())
    }

    /// A histogram of classes of a row whose deepest wanted score is `center`; see [`sharded`](crate::sharded).
    ///
    /// **Cost.** Some values of the law, to find how far its noise reaches.
    ///
    /// ```
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::KthLargest;
    /// use topk_loss::oracle::TopKSum;
    /// let histogram = Exact::new(KthLargest::new(2)?, Normal, 0.5)?.histogram(1.0_f64, 7)?;
    /// assert_eq!(histogram.counts(), [0; 64]);
    /// assert!(Exact::new(TopKSum::new(2)?, Normal, 0.5)?.histogram(1.0_f64, 7).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A center that is not finite, more ranks than one, k > `num_classes`, a float that the tolerance is beyond.
    pub fn histogram(&self, center: F, num_classes: usize) -> Result<Histogram<N, F>> {
        Ok(Histogram::new(self.single(center, num_classes)?))
    }

    /// The problem of a row whose deepest wanted score is `center`.
    #[inline(always)]
    pub(crate) fn single(&self, center: F, num_classes: usize) -> Result<Problem<N, F>> {
        check::finite("center", &[center])?;
        self.precision.check()?;
        let ranks = self.oracle.ranks();
        check::rank(ranks.last(), num_classes)?;
        if ranks.first() != ranks.last() {
            return Err(Error::Parameter { name: "oracle", must: "a single order statistic to be computed over shards" });
        }
        let run = Run { first: ranks.last(), last: ranks.last() };
        Ok(self.problem(run, self.epsilon, (center, F::zero()), num_classes))
    }

    #[inline(always)]
    fn problem(&self, run: Run, scale: F, (center, spread): (F, F), num_classes: usize) -> Problem<N, F> {
        Problem { law: self.law, run, scale, center, span: (F::zero(), spread), num_classes, precision: self.precision.down_to(run.last) }
    }

    #[inline(always)]
    fn checked<'s>(&self, theta: &[F], scratch: &'s mut [F]) -> Result<&'s mut [F]> {
        check::scores(theta)?;
        check::rank(self.oracle.ranks().last(), theta.len())?;
        check::scratch(scratch, self.scratch_len(theta.len()))
    }
}

impl<F: Real, N: Noise<F>, O: OrderStatistics<F>> Oracle<F> for Exact<O, N, F> {
    fn scratch_len(&self, dim: usize) -> usize {
        scratch_len::<F>(dim, self.oracle.ranks().last(), false)
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        Ok(self.all_ranks(theta, None, scratch)?.value)
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        Ok(self.certified(theta, weight, grad, scratch)?.value)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        self.oracle.translation(theta, scratch)
    }
}

impl<O: Copy, N: Copy, F: Real> FoldIn for Exact<O, N, F> {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
