//! The losses that descriptions become: one type for whichever it is, and how it is built.

use super::{BaseConfig, Guesses, LossConfig, MarginConfig};
use crate::compiled::Law;
use crate::loss::{PolyhedralHinge, TopKMarginCrossEntropy};
use crate::{
    ClassWeighted, CrossEntropy, Focal, FoldIn, Gumbel, Ldam, Logistic, LogitAdjusted, Loss, Normal, Real, Result, SmoothTopKSvm,
    TopKCrossEntropy, TopKHinge, TopKHinges, TopKSvm,
};

/// A loss that was described: made of a [`BaseConfig`], so all its parameters are right.
///
/// Shapes, errors, ties and cost are those of the loss inside.
///
/// ```
/// use topk_loss::config::{BaseConfig, BaseLoss};
/// use topk_loss::{CrossEntropy, Loss};
/// let loss = BaseConfig::<f64, Vec<f64>>::CrossEntropy.build()?;
/// assert_eq!(loss, BaseLoss::CrossEntropy(CrossEntropy));
/// assert_eq!(loss.value(&[0.0, 0.0], 1, &mut [])?, 2.0_f64.ln());
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BaseLoss<F, T> {
    /// The [`CrossEntropy`].
    CrossEntropy(CrossEntropy),
    /// The [`Focal`] loss.
    Focal(Focal<F>),
    /// [`Ldam`], a cross-entropy with margins.
    Ldam(Ldam<F, MarginConfig<F, T>>),
    /// The calibrated [`TopKHinge`].
    TopKHinge(TopKHinge<F, MarginConfig<F, T>>),
    /// [`TopKHinges`], of several K at once.
    TopKHinges(TopKHinges<F, T, MarginConfig<F, T>>),
    /// One of the four [`TopKSvm`]s.
    TopKSvm(TopKSvm<F, MarginConfig<F, T>>),
    /// The [`SmoothTopKSvm`].
    SmoothTopKSvm(SmoothTopKSvm<F>),
    /// The [`PolyhedralHinge`].
    PolyhedralHinge(PolyhedralHinge<F, MarginConfig<F, T>>),
    /// The [`TopKMarginCrossEntropy`].
    TopKMarginCrossEntropy(TopKMarginCrossEntropy<F, MarginConfig<F, T>>),
    /// The [`TopKCrossEntropy`] under [`Normal`] noise.
    NormalCrossEntropy(TopKCrossEntropy<Normal, F, Guesses<T>>),
    /// The [`TopKCrossEntropy`] under [`Gumbel`] noise.
    GumbelCrossEntropy(TopKCrossEntropy<Gumbel, F, Guesses<T>>),
    /// The [`TopKCrossEntropy`] under [`Logistic`] noise.
    LogisticCrossEntropy(TopKCrossEntropy<Logistic, F, Guesses<T>>),
}

/// A loss that was described, with what is around it: made of a [`LossConfig`].
///
/// Shapes, errors, ties and cost are those of the loss inside and of what is around it.
///
/// ```
/// use topk_loss::Loss;
/// use topk_loss::config::{AnyLoss, BaseConfig, LossConfig};
/// let weighted = LossConfig { class_weights: Some([1.0, 4.0]), ..BaseConfig::CrossEntropy.into() }.build()?;
/// assert!(matches!(weighted, AnyLoss::Weighted(_)));
/// assert_eq!(weighted.value(&[0.0_f64, 0.0], 1, &mut [])?, 4.0 * 2.0_f64.ln());
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnyLoss<F, T> {
    /// The [`BaseLoss`] with nothing around it.
    Base(BaseLoss<F, T>),
    /// [`LogitAdjusted`] around it.
    Adjusted(LogitAdjusted<BaseLoss<F, T>, T>),
    /// [`ClassWeighted`] around it.
    Weighted(ClassWeighted<BaseLoss<F, T>, T>),
    /// [`ClassWeighted`] around [`LogitAdjusted`] around it.
    WeightedAdjusted(ClassWeighted<LogitAdjusted<BaseLoss<F, T>, T>, T>),
}

impl<F: Real, T: AsRef<[F]>> BaseConfig<F, T> {
    /// The loss that is described.
    ///
    /// **Cost.** One pass over each list, whose entries the constructors check.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::config::BaseConfig;
    /// let loss = BaseConfig::<f64, [f64; 0]>::Focal { gamma: 2.0 }.build()?;
    /// assert_eq!(loss.value(&[0.0, 0.0], 1, &mut [])?, 2.0_f64.ln() / 4.0);
    /// assert!(BaseConfig::<f64, [f64; 0]>::Focal { gamma: -1.0 }.build().is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of its constructor.
    pub fn build(self) -> Result<BaseLoss<F, T>> {
        Ok(match self {
            Self::CrossEntropy => BaseLoss::CrossEntropy(CrossEntropy),
            Self::Focal { gamma } => BaseLoss::Focal(Focal::new(gamma)?),
            Self::Ldam { margins, scale } => BaseLoss::Ldam(Ldam::new(margins, scale)?),
            Self::TopKHinge { k, margins, scale, smoothing, tolerance } => {
                let loss = TopKHinge::new(k)?.with_margins(margins)?.with_scale(scale)?.with_smoothing(smoothing)?;
                BaseLoss::TopKHinge(match tolerance {
                    Some(tolerance) => loss.with_tolerance(tolerance)?,
                    None => loss,
                })
            }
            Self::TopKHinges { shares, margins, scale, epsilon } => {
                BaseLoss::TopKHinges(TopKHinges::new(shares)?.with_margins(margins)?.with_scale(scale)?.with_epsilon(epsilon)?)
            }
            Self::TopKSvm { k, form, margins, scale } => {
                BaseLoss::TopKSvm(TopKSvm::new(k, form)?.with_margins(margins)?.with_scale(scale)?)
            }
            Self::SmoothTopKSvm { k, temperature, margin } => BaseLoss::SmoothTopKSvm(SmoothTopKSvm::new(k, temperature, margin)?),
            Self::PolyhedralHinge { k, margins, scale } => {
                BaseLoss::PolyhedralHinge(PolyhedralHinge::new(k)?.with_margins(margins)?.with_scale(scale)?)
            }
            Self::TopKMarginCrossEntropy { k, margins, scale } => {
                let loss = TopKMarginCrossEntropy::new(k, F::one())?.with_margins(margins)?.with_scale(scale)?;
                BaseLoss::TopKMarginCrossEntropy(loss)
            }
            Self::TopKCrossEntropy { guesses, law: Law::Normal, epsilon } => {
                BaseLoss::NormalCrossEntropy(TopKCrossEntropy::mixture(guesses, Normal, epsilon)?)
            }
            Self::TopKCrossEntropy { guesses, law: Law::Gumbel, epsilon } => {
                BaseLoss::GumbelCrossEntropy(TopKCrossEntropy::mixture(guesses, Gumbel, epsilon)?)
            }
            Self::TopKCrossEntropy { guesses, law: Law::Logistic, epsilon } => {
                BaseLoss::LogisticCrossEntropy(TopKCrossEntropy::mixture(guesses, Logistic, epsilon)?)
            }
        })
    }
}

impl<F: Real, T: AsRef<[F]>> LossConfig<F, T> {
    /// The loss that is described.
    ///
    /// **Cost.** One pass over each list, whose entries the constructors check.
    ///
    /// ```
    /// use topk_loss::Loss;
    /// use topk_loss::config::{BaseConfig, LossConfig};
    /// let weighted = LossConfig { class_weights: Some([1.0, 4.0]), ..BaseConfig::CrossEntropy.into() };
    /// assert_eq!(weighted.build()?.value(&[0.0_f64, 0.0], 1, &mut [])?, 4.0 * 2.0_f64.ln());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of its constructors.
    pub fn build(self) -> Result<AnyLoss<F, T>> {
        let loss = self.loss.build()?;
        Ok(match (self.adjustments, self.class_weights) {
            (None, None) => AnyLoss::Base(loss),
            (Some(adjustments), None) => AnyLoss::Adjusted(LogitAdjusted::new(loss, adjustments)?.shift_invariant()),
            (None, Some(weights)) => AnyLoss::Weighted(ClassWeighted::new(loss, weights)?),
            (Some(adjustments), Some(weights)) => {
                AnyLoss::WeightedAdjusted(ClassWeighted::new(LogitAdjusted::new(loss, adjustments)?.shift_invariant(), weights)?)
            }
        })
    }
}

/// What an expression makes of whichever loss it is.
#[doc(hidden)]
#[macro_export]
macro_rules! of_base_loss {
    ($any:expr, $loss:ident => $result:expr) => {
        match $any {
            $crate::config::BaseLoss::CrossEntropy($loss) => $result,
            $crate::config::BaseLoss::Focal($loss) => $result,
            $crate::config::BaseLoss::Ldam($loss) => $result,
            $crate::config::BaseLoss::TopKHinge($loss) => $result,
            $crate::config::BaseLoss::TopKHinges($loss) => $result,
            $crate::config::BaseLoss::TopKSvm($loss) => $result,
            $crate::config::BaseLoss::SmoothTopKSvm($loss) => $result,
            $crate::config::BaseLoss::PolyhedralHinge($loss) => $result,
            $crate::config::BaseLoss::TopKMarginCrossEntropy($loss) => $result,
            $crate::config::BaseLoss::NormalCrossEntropy($loss) => $result,
            $crate::config::BaseLoss::GumbelCrossEntropy($loss) => $result,
            $crate::config::BaseLoss::LogisticCrossEntropy($loss) => $result,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! of_any_loss {
    ($any:expr, $loss:ident => $result:expr) => {
        match $any {
            $crate::config::AnyLoss::Base($loss) => $result,
            $crate::config::AnyLoss::Adjusted($loss) => $result,
            $crate::config::AnyLoss::Weighted($loss) => $result,
            $crate::config::AnyLoss::WeightedAdjusted($loss) => $result,
        }
    };
}

/// The methods of whichever loss it is.
macro_rules! delegate {
    ($any:ident, $of:ident) => {
        impl<F: Real, T: AsRef<[F]>> Loss<F> for $any<F, T> {
            fn scratch_len(&self, num_classes: usize) -> usize {
                $of!(self, loss => Loss::<F>::scratch_len(loss, num_classes))
            }

            fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F> {
                $of!(self, loss => loss.value(scores, label, scratch))
            }

            fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
                $of!(self, loss => loss.value_and_grad(scores, label, grad, scratch))
            }
        }
    };
}

delegate!(BaseLoss, of_base_loss);
delegate!(AnyLoss, of_any_loss);

impl<F: Real, T: Clone> FoldIn for BaseLoss<F, T> {
    fn fold_in(&self, data: u64) -> Self {
        match self {
            Self::TopKHinge(loss) => Self::TopKHinge(loss.fold_in(data)),
            // None of the others draws.
            other => other.clone(),
        }
    }
}

impl<F: Real, T: Clone> FoldIn for AnyLoss<F, T> {
    fn fold_in(&self, data: u64) -> Self {
        match self {
            Self::Base(loss) => Self::Base(loss.fold_in(data)),
            Self::Adjusted(loss) => Self::Adjusted(loss.fold_in(data)),
            Self::Weighted(loss) => Self::Weighted(loss.fold_in(data)),
            Self::WeightedAdjusted(loss) => Self::WeightedAdjusted(loss.fold_in(data)),
        }
    }
}
