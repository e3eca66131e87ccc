//! How a top-K hinge is smoothed, as plain data.

use crate::{FoldIn, Key, MonteCarlo, Normal, Real, Result, check};

/// How the (K+1)-th largest score is smoothed; the noise is standard normal, scaled by ε.
///
/// ```
/// use topk_loss::{Key, Loss, Smoothing, TopKHinge};
/// // Two tied scores: the second largest is ε/√π below them, exactly; by one draw it is something else.
/// let value = |smoothing| TopKHinge::new(1)?.with_smoothing(smoothing)?.value(&[0.0_f64, 0.0], 0, &mut [0.0; 2000]);
/// assert_eq!(value(Smoothing::None)?, 1.0);
/// assert!((value(Smoothing::Exact { epsilon: 0.1 })? - (1.0 - 0.1 / std::f64::consts::PI.sqrt())).abs() < 1e-9);
/// assert_ne!(value(Smoothing::Pathwise { epsilon: 0.1, num_samples: 1, key: Key::new(1) })?, 1.0);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case", deny_unknown_fields))]
pub enum Smoothing<F> {
    /// Not at all: the calibrated top-K hinge itself.
    None,
    /// Exactly, with no random number, see [`Exact`](crate::estimator::Exact): the smoothing to take unless another is being studied.
    Exact {
        /// The scale of the noise, in units of the scores.
        epsilon: F,
    },
    /// The paper's estimator, see [`Pathwise`](crate::estimator::Pathwise).
    Pathwise {
        /// The scale of the noise, in units of the scores.
        epsilon: F,
        /// How many draws are averaged.
        num_samples: usize,
        /// Where the draws come from; fold the training step in, batches fold the example in.
        key: Key,
    },
    /// The paper's draws with the variance of each class's own noise taken out, see [`Conditional`](crate::estimator::Conditional).
    Conditional {
        /// The scale of the noise, in units of the scores.
        epsilon: F,
        /// How many draws are averaged.
        num_samples: usize,
        /// Where the draws come from; fold the training step in, batches fold the example in.
        key: Key,
    },
}

impl<F: Real> Smoothing<F> {
    /// The same, if ε is positive and finite and there are draws where some are averaged.
    pub(super) fn checked(self) -> Result<Self> {
        match self {
            Self::None => {}
            Self::Exact { epsilon } => {
                check::positive("epsilon", epsilon)?;
            }
            Self::Pathwise { epsilon, num_samples, .. } | Self::Conditional { epsilon, num_samples, .. } => {
                check::positive("epsilon", epsilon)?;
                MonteCarlo::new(Normal, num_samples)?;
            }
        }
        Ok(self)
    }
}

impl<F: Real> FoldIn for Smoothing<F> {
    fn fold_in(&self, data: u64) -> Self {
        match *self {
            Self::Pathwise { epsilon, num_samples, key } => Self::Pathwise { epsilon, num_samples, key: key.fold_in(data) },
            Self::Conditional { epsilon, num_samples, key } => Self::Conditional { epsilon, num_samples, key: key.fold_in(data) },
            // Named one by one, so that a new smoothing that draws cannot be forgotten here.
            deterministic @ (Self::None | Self::Exact { .. }) => deterministic,
        }
    }
}
