//! The losses that descriptions become: one type for whichever it is.

use super::{Guesses, MarginConfig};
use crate::loss::{PolyhedralHinge, TopKMarginCrossEntropy};
use crate::{
    ClassWeighted, CrossEntropy, Focal, FoldIn, Gumbel, Ldam, Logistic, LogitAdjusted, Loss, Normal, Real, Result, SmoothTopKSvm,
    TopKCrossEntropy, TopKHinge, TopKHinges, TopKSvm,
};

/// A loss that was described: made of a [`BaseConfig`](super::BaseConfig), so all its parameters are right.
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
#[expect(missing_docs, reason = "each is the loss of its name")]
pub enum BaseLoss<F, T> {
    CrossEntropy(CrossEntropy),
    Focal(Focal<F>),
    Ldam(Ldam<F, MarginConfig<F, T>>),
    TopKHinge(TopKHinge<F, MarginConfig<F, T>>),
    TopKHinges(TopKHinges<F, T, MarginConfig<F, T>>),
    TopKSvm(TopKSvm<F, MarginConfig<F, T>>),
    SmoothTopKSvm(SmoothTopKSvm<F>),
    PolyhedralHinge(PolyhedralHinge<F, MarginConfig<F, T>>),
    TopKMarginCrossEntropy(TopKMarginCrossEntropy<F, MarginConfig<F, T>>),
    NormalCrossEntropy(TopKCrossEntropy<Normal, F, Guesses<T>>),
    GumbelCrossEntropy(TopKCrossEntropy<Gumbel, F, Guesses<T>>),
    LogisticCrossEntropy(TopKCrossEntropy<Logistic, F, Guesses<T>>),
}

/// A loss that was described, with what is around it: made of a [`LossConfig`](super::LossConfig).
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
#[expect(missing_docs, reason = "each is the loss of its type")]
pub enum AnyLoss<F, T> {
    Base(BaseLoss<F, T>),
    Adjusted(LogitAdjusted<BaseLoss<F, T>, T>),
    Weighted(ClassWeighted<BaseLoss<F, T>, T>),
    WeightedAdjusted(ClassWeighted<LogitAdjusted<BaseLoss<F, T>, T>, T>),
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
