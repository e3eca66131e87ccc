//! The calibrated top-K hinge and its smoothed forms, as plain data: the loss to start from.

mod evaluate;

use super::{Loss, Smoothing};
use crate::compiled::{Example, values_by};
use crate::{AsMargins, FoldIn, Margins, Real, Result, check, exact};

/// ℓ(s, y) = scale · (m_y + top₍K+1₎(s) − s_y)₊, the calibrated top-K hinge, with top₍K+1₎ the (K+1)-th largest of **all** scores
/// (the label's included) or its smoothing.
///
/// | | margins | scale | smoothing |
/// |---|---|---|---|
/// | calibrated hinge | `Uniform(1)` | 1 | `None` |
/// | noised balanced loss | `Uniform(1)` | 1 | ε = 0.2 … 1 |
/// | noised imbalanced loss, cosine scores | [`ldam_margins`](crate::imbalance::ldam_margins) | 40 … 60 | ε = 0.01 … 0.1 |
///
/// It is a [`Hinge`](super::Hinge) over a [`KthLargest`](crate::KthLargest) or a smoothing of it, as plain data that CPU batches and devices
/// share. The smoothed forms are *hinges of the mean*: with few draws their expectation near the kink is above the hinge of the expectation,
/// with [`Smoothing::Exact`] there is nothing to average. The paper drew B = 5 … 10 times a step.
///
/// **Shapes.** L scores, 1 ≤ K < L; scratch 2L, drawn 3L; exact as [`scratch_len`](Loss::scratch_len) says: for few classes about
/// 36 numbers for each that is near the window and 1000 beside, for many at most 8L + 2K + 4.
///
/// **Errors.** K ≥ L, a label that is no class, per-class margins that are not L, NaN or infinite scores.
///
/// **Ties and NaN.** Equal scores rank by index, lowest first. At the kink the gradient is zero. NaN is an error.
///
/// **Cost.** O(L), times the number of draws.
///
/// ```
/// use topk_loss::{Loss, TopKHinge};
/// let (scores, mut grad) = ([0.2_f64, 0.9, 0.4, 0.7], [0.0; 4]);
/// let hard = TopKHinge::new(2)?;
/// let value = hard.value_and_grad(&scores, 0, &mut grad, &mut [0.0; 8])?;
/// assert_eq!((value, grad), (1.2, [-1.0, 0.0, 1.0, 0.0]));
///
/// let smooth = TopKHinge::smoothed(2, 1e-3)?;
/// let value = smooth.value_and_grad(&scores, 0, &mut grad, &mut [0.0; 1000])?;
/// assert!((value - 1.2).abs() < 1e-9 && (grad[2] - 1.0).abs() < 1e-9);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Garcin, Servajean, Joly, Salmon, "Stochastic smoothing of the top-K calibrated hinge loss for deep imbalanced
/// classification", ICML 2022; Yang, Koyejo, "On the consistency of top-k surrogate losses", ICML 2020.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopKHinge<F, M = Margins<'static, F>> {
    k: usize,
    margins: M,
    scale: F,
    smoothing: Smoothing<F>,
    tolerance: Option<F>,
}

impl<F: Real> TopKHinge<F> {
    /// The calibrated hinge of `k` guesses: margin 1, scale 1, no smoothing.
    ///
    /// ```
    /// use topk_loss::{Loss, TopKHinge};
    /// // 1 + 1 − 0, by the third largest score.
    /// assert_eq!(TopKHinge::new(2)?.value(&[0.0, 3.0, 1.0, 2.0], 0, &mut [0.0; 8])?, 2.0);
    /// assert!(TopKHinge::<f64>::new(0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0.
    pub fn new(k: usize) -> Result<Self> {
        check::at_least_one("k", k)?;
        Ok(Self { k, margins: Margins::Uniform(F::one()), scale: F::one(), smoothing: Smoothing::None, tolerance: None })
    }

    /// The loss to start from: margin 1, scale 1, smoothed exactly by noise of scale `epsilon`.
    ///
    /// ```
    /// use topk_loss::{Smoothing, TopKHinge};
    /// let spelt_out = TopKHinge::new(5)?.with_smoothing(Smoothing::Exact { epsilon: 0.2 })?;
    /// assert_eq!(TopKHinge::smoothed(5, 0.2)?, spelt_out);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0, an ε that is not positive and finite.
    pub fn smoothed(k: usize, epsilon: F) -> Result<Self> {
        Self::new(k)?.with_smoothing(Smoothing::Exact { epsilon })
    }
}

impl<F: Real, M: AsMargins<F>> TopKHinge<F, M> {
    /// The same with other margins: [`Margins`], or a list of one a class that the loss then has, borrows or shares.
    ///
    /// **Cost.** One pass over margins that are listed.
    ///
    /// ```
    /// use topk_loss::{Loss, TopKHinge};
    /// /// A model that owns its loss, and the loss its margins.
    /// struct Model {
    ///     loss: TopKHinge<f32, Vec<f32>>,
    /// }
    /// let model = Model { loss: TopKHinge::new(1)?.with_margins(vec![0.5, 1.0, 0.25])? };
    /// assert_eq!(model.loss.value(&[0.0, 1.0, 2.0], 2, &mut [0.0; 6])?, 0.0);
    /// assert_eq!(model.loss.value(&[0.0, 1.0, 2.0], 1, &mut [0.0; 6])?, 1.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A margin that is not finite.
    pub fn with_margins<N: AsMargins<F>>(self, margins: N) -> Result<TopKHinge<F, N>> {
        margins.as_margins().check()?;
        let Self { k, scale, smoothing, tolerance, .. } = self;
        Ok(TopKHinge { k, margins, scale, smoothing, tolerance })
    }

    /// The same with another scale.
    ///
    /// ```
    /// use topk_loss::{Loss, TopKHinge};
    /// assert_eq!(TopKHinge::new(2)?.with_scale(3.0)?.value(&[0.0, 3.0, 1.0, 2.0], 0, &mut [0.0; 8])?, 6.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A scale that is not positive and finite.
    pub fn with_scale(self, scale: F) -> Result<Self> {
        Ok(Self { scale: check::positive("scale", scale)?, ..self })
    }

    /// The same with another smoothing.
    ///
    /// ```
    /// use topk_loss::{Loss, Smoothing, TopKHinge};
    /// let loss = TopKHinge::new(1)?.with_smoothing(Smoothing::Exact { epsilon: 0.1 })?;
    /// // The second largest of two tied scores is ε/√π below them.
    /// let value = loss.value(&[0.0_f64, 0.0], 0, &mut [0.0; 2000])?;
    /// assert!((value - (1.0 - 0.1 / std::f64::consts::PI.sqrt())).abs() < 1e-9);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An ε that is not positive and finite, zero draws.
    pub fn with_smoothing(self, smoothing: Smoothing<F>) -> Result<Self> {
        Ok(Self { smoothing: smoothing.checked()?, ..self })
    }

    /// The same with another bound on the gradient's error under exact smoothing, see
    /// [`Exact::with_tolerance`](crate::Exact::with_tolerance): 1e−7 in `f64` and 1e−4 in `f32` unless said. It is
    /// relative to the scale, the L1 error over the classes. Other smoothings do not heed it.
    ///
    /// ```
    /// use topk_loss::{Loss, TopKHinge};
    /// let (scores, mut scratch) = ([0.2_f64, 0.9, 0.4, 0.7], [0.0; 1000]);
    /// let loss = TopKHinge::smoothed(2, 0.2)?;
    /// let finer = loss.with_tolerance(1e-10)?.value(&scores, 0, &mut scratch)?;
    /// assert!((loss.value(&scores, 0, &mut scratch)? - finer).abs() < 1e-7);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A tolerance that is not positive and finite. One that cannot be reached is found when a row is computed.
    pub fn with_tolerance(self, tolerance: F) -> Result<Self> {
        Ok(Self { tolerance: Some(check::positive("tolerance", tolerance)?), ..self })
    }

    /// The number of guesses K.
    ///
    /// ```
    /// assert_eq!(topk_loss::TopKHinge::<f64>::new(5)?.k(), 5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn k(&self) -> usize {
        self.k
    }

    /// The rank of the score that the guesses just miss, K + 1; no row has a class for the number that K = `usize::MAX` would need.
    #[doc(hidden)]
    #[must_use]
    pub const fn first_missed(&self) -> usize {
        self.k.saturating_add(1)
    }

    /// The margins.
    ///
    /// ```
    /// use topk_loss::{Margins, TopKHinge};
    /// assert_eq!(TopKHinge::new(5)?.margins(), &Margins::Uniform(1.0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn margins(&self) -> &M {
        &self.margins
    }

    /// The same loss, its margins borrowed: plain data to copy.
    ///
    /// ```
    /// use topk_loss::{Margins, TopKHinge};
    /// let owned = TopKHinge::new(1)?.with_margins(vec![0.5, 1.0])?;
    /// assert_eq!(owned.borrowed().margins(), &Margins::PerClass(&[0.5, 1.0]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> TopKHinge<F, Margins<'_, F>> {
        let Self { k, scale, smoothing, tolerance, .. } = *self;
        TopKHinge { k, margins: self.margins.as_margins(), scale, smoothing, tolerance }
    }

    /// What multiplies the hinge.
    ///
    /// ```
    /// assert_eq!(topk_loss::TopKHinge::new(5)?.with_scale(2.0)?.scale(), 2.0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn scale(&self) -> F {
        self.scale
    }

    /// The smoothing.
    ///
    /// ```
    /// use topk_loss::{Smoothing, TopKHinge};
    /// assert_eq!(TopKHinge::smoothed(5, 0.2)?.smoothing(), Smoothing::Exact { epsilon: 0.2 });
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn smoothing(&self) -> Smoothing<F> {
        self.smoothing
    }

    /// The tolerance, if it is not the default.
    ///
    /// ```
    /// use topk_loss::TopKHinge;
    /// let loss = TopKHinge::smoothed(5, 0.2)?;
    /// assert_eq!((loss.tolerance(), loss.with_tolerance(1e-9)?.tolerance()), (None, Some(1e-9)));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn tolerance(&self) -> Option<F> {
        self.tolerance
    }
}

impl<F: Real, M: AsMargins<F>> Loss<F> for TopKHinge<F, M> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        match self.smoothing {
            Smoothing::None => num_classes.saturating_mul(2),
            Smoothing::Exact { .. } => exact::scratch_len::<F>(num_classes, self.first_missed(), false),
            Smoothing::Pathwise { .. } | Smoothing::Conditional { .. } => num_classes.saturating_mul(3),
        }
    }

    // Each smoothing by itself: an image for a small machine holds those that it uses.
    values_by!(|loss: &Self, example| match loss.smoothing {
        Smoothing::None => F::hard_hinge(&loss.borrowed(), example),
        Smoothing::Exact { .. } => F::exact_hinge(&loss.borrowed(), example),
        Smoothing::Pathwise { .. } => F::pathwise_hinge(&loss.borrowed(), example),
        Smoothing::Conditional { .. } => F::conditional_hinge(&loss.borrowed(), example),
    });
}

impl<F: Real, M: Clone> FoldIn for TopKHinge<F, M> {
    fn fold_in(&self, data: u64) -> Self {
        Self { smoothing: self.smoothing.fold_in(data), margins: self.margins.clone(), ..*self }
    }
}
