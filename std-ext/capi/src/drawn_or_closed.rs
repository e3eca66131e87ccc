//! The losses that are drawn or have a closed form: all that a library without the feature `integrals` has, in a ninth of the code.
//!
//! A `TopKHinge` chooses its smoothing when it runs, and so holds the exact one. A `Hinge` over the same oracle is the same loss, to the bit.

use topk_loss::config::{BaseConfig, LossConfig, MarginConfig};
use topk_loss::estimator::{Conditional, Pathwise};
use topk_loss::loss::{ClassWeighted, Focal, Hinge, Ldam, LogitAdjusted, PolyhedralHinge, SmoothTopKSvm, TopKMarginCrossEntropy, TopKSvm};
use topk_loss::noise::Normal;
use topk_loss::oracle::KthLargest;
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, FoldIn, Loss, Real, Smoothing};

use crate::error::{Failure, Result};

type Margins<F> = MarginConfig<F, &'static [F]>;

/// A loss and what is around it.
#[derive(Clone, Copy)]
pub(crate) enum AnyLoss<F: 'static> {
    Base(BaseLoss<F>),
    Adjusted(LogitAdjusted<BaseLoss<F>, &'static [F]>),
    Weighted(ClassWeighted<BaseLoss<F>, &'static [F]>),
    WeightedAdjusted(ClassWeighted<LogitAdjusted<BaseLoss<F>, &'static [F]>, &'static [F]>),
}

/// A loss of its own.
#[derive(Clone, Copy)]
pub(crate) enum BaseLoss<F: 'static> {
    CrossEntropy(CrossEntropy),
    Focal(Focal<F>),
    Ldam(Ldam<F, Margins<F>>),
    Hard(Hinge<KthLargest, F, Margins<F>>),
    Pathwise(Hinge<Pathwise<KthLargest, MonteCarlo<Normal>, F>, F, Margins<F>>),
    Conditional(Hinge<Conditional<KthLargest, MonteCarlo<Normal>, F>, F, Margins<F>>),
    TopKSvm(TopKSvm<F, Margins<F>>),
    SmoothTopKSvm(SmoothTopKSvm<F>),
    PolyhedralHinge(PolyhedralHinge<F, Margins<F>>),
    TopKMarginCrossEntropy(TopKMarginCrossEntropy<F, Margins<F>>),
}

impl<F: Real> AnyLoss<F> {
    /// The loss that is described.
    pub fn new(config: LossConfig<F, &'static [F]>) -> Result<Self> {
        let loss = BaseLoss::new(config.loss)?;
        let adjusted = |adjustments| LogitAdjusted::new(loss, adjustments).map(LogitAdjusted::shift_invariant);
        Ok(match (config.adjustments, config.class_weights) {
            (None, None) => Self::Base(loss),
            (Some(adjustments), None) => Self::Adjusted(adjusted(adjustments)?),
            (None, Some(weights)) => Self::Weighted(ClassWeighted::new(loss, weights)?),
            (Some(adjustments), Some(weights)) => Self::WeightedAdjusted(ClassWeighted::new(adjusted(adjustments)?, weights)?),
        })
    }

    fn inside(&self) -> &dyn Loss<F> {
        match self {
            Self::Base(loss) => loss,
            Self::Adjusted(loss) => loss,
            Self::Weighted(loss) => loss,
            Self::WeightedAdjusted(loss) => loss,
        }
    }
}

impl<F: Real> BaseLoss<F> {
    fn new(config: BaseConfig<F, &'static [F]>) -> Result<Self> {
        Ok(match config {
            BaseConfig::CrossEntropy => Self::CrossEntropy(CrossEntropy),
            BaseConfig::Focal { gamma } => Self::Focal(Focal::new(gamma)?),
            BaseConfig::Ldam { margins, scale } => Self::Ldam(Ldam::new(margins, scale)?),
            BaseConfig::TopKHinge { k, margins, scale, smoothing, .. } => {
                let missed = KthLargest::new(k.saturating_add(usize::from(k > 0)))?;
                match smoothing {
                    Smoothing::None => Self::Hard(Hinge::new(missed, margins, scale)?),
                    Smoothing::Exact { .. } => return Err(Failure::LeftOut),
                    Smoothing::Pathwise { epsilon, num_samples, key } => {
                        let smoothed = Pathwise::new(missed, MonteCarlo::new(Normal, num_samples)?, epsilon, key)?;
                        Self::Pathwise(Hinge::new(smoothed, margins, scale)?)
                    }
                    Smoothing::Conditional { epsilon, num_samples, key } => {
                        let smoothed = Conditional::new(missed, MonteCarlo::new(Normal, num_samples)?, epsilon, key)?;
                        Self::Conditional(Hinge::new(smoothed, margins, scale)?)
                    }
                }
            }
            BaseConfig::TopKSvm { k, form, margins, scale } => {
                Self::TopKSvm(TopKSvm::new(k, form)?.with_margins(margins)?.with_scale(scale)?)
            }
            BaseConfig::SmoothTopKSvm { k, temperature, margin } => Self::SmoothTopKSvm(SmoothTopKSvm::new(k, temperature, margin)?),
            BaseConfig::PolyhedralHinge { k, margins, scale } => {
                Self::PolyhedralHinge(PolyhedralHinge::new(k)?.with_margins(margins)?.with_scale(scale)?)
            }
            BaseConfig::TopKMarginCrossEntropy { k, margins, scale } => {
                let loss = TopKMarginCrossEntropy::new(k, F::one())?.with_margins(margins)?.with_scale(scale)?;
                Self::TopKMarginCrossEntropy(loss)
            }
            BaseConfig::TopKHinges { .. } | BaseConfig::TopKCrossEntropy { .. } => return Err(Failure::LeftOut),
        })
    }

    fn inside(&self) -> &dyn Loss<F> {
        match self {
            Self::CrossEntropy(loss) => loss,
            Self::Focal(loss) => loss,
            Self::Ldam(loss) => loss,
            Self::Hard(loss) => loss,
            Self::Pathwise(loss) => loss,
            Self::Conditional(loss) => loss,
            Self::TopKSvm(loss) => loss,
            Self::SmoothTopKSvm(loss) => loss,
            Self::PolyhedralHinge(loss) => loss,
            Self::TopKMarginCrossEntropy(loss) => loss,
        }
    }
}

macro_rules! losses {
    ($($any:ident),+) => {
        $(impl<F: Real> Loss<F> for $any<F> {
            fn scratch_len(&self, num_classes: usize) -> usize {
                self.inside().scratch_len(num_classes)
            }

            fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> topk_loss::Result<F> {
                self.inside().value(scores, label, scratch)
            }

            fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> topk_loss::Result<F> {
                self.inside().value_and_grad(scores, label, grad, scratch)
            }
        })+
    };
}

losses!(AnyLoss, BaseLoss);

impl<F: Real> FoldIn for BaseLoss<F> {
    fn fold_in(&self, data: u64) -> Self {
        match self {
            Self::Pathwise(loss) => Self::Pathwise(loss.fold_in(data)),
            Self::Conditional(loss) => Self::Conditional(loss.fold_in(data)),
            // None of the others draws.
            other => *other,
        }
    }
}

impl<F: Real> FoldIn for AnyLoss<F> {
    fn fold_in(&self, data: u64) -> Self {
        match self {
            Self::Base(loss) => Self::Base(loss.fold_in(data)),
            Self::Adjusted(loss) => Self::Adjusted(loss.fold_in(data)),
            Self::Weighted(loss) => Self::Weighted(loss.fold_in(data)),
            Self::WeightedAdjusted(loss) => Self::WeightedAdjusted(loss.fold_in(data)),
        }
    }
}

#[cfg(all(test, feature = "integrals"))]
mod tests {
    use topk_loss::{FoldIn, Loss};

    use super::{AnyLoss, BaseConfig, LossConfig};
    use crate::TopkSettings;
    use crate::error::Failure;
    use crate::settings::{Enum, TopkKind, TopkSmoothing};

    const ADJUSTMENTS: &[f32] = &[0.5, -0.25, 0.0, 1.0, 0.125];
    const WEIGHTS: &[f32] = &[1.0, 2.0, 0.5, 1.5, 1.0];

    fn bits(loss: &impl Loss<f32>) -> (u32, [u32; 5]) {
        let (mut grad, mut scratch) = ([0.0; 5], vec![0.0; loss.scratch_len(5)]);
        let value = loss.value_and_grad(&[0.25, 1.5, -0.5, 0.75, 1.0], 3, &mut grad, &mut scratch).unwrap();
        (value.to_bits(), grad.map(f32::to_bits))
    }

    #[test]
    fn the_bits_are_those_of_the_whole_catalogue() {
        let mut left_out = 0;
        for &kind in TopkKind::ALL {
            for &smoothing in TopkSmoothing::ALL {
                let settings = TopkSettings { smoothing: smoothing.number(), k: 2, scale: 1.5_f32, ..TopkSettings::of(kind.number()) };
                // SAFETY: there is no list.
                let Ok(LossConfig { loss, .. }) = (unsafe { settings.describe(|float| float, |list| list) }) else { continue };
                for (adjustments, class_weights) in
                    [(None, None), (Some(ADJUSTMENTS), None), (None, Some(WEIGHTS)), (Some(ADJUSTMENTS), Some(WEIGHTS))]
                {
                    let config = LossConfig { loss, adjustments, class_weights };
                    match AnyLoss::new(config) {
                        Ok(of_this) => assert_eq!(bits(&of_this.fold_in(7)), bits(&config.build().unwrap().fold_in(7)), "{config:?}"),
                        Err(Failure::LeftOut) => left_out += 1,
                        Err(other) => panic!("{config:?}: {other}"),
                    }
                }
            }
        }
        // The exact hinge, and the top-K cross-entropy, whose settings have no smoothing; several hinges at once need a list.
        assert_eq!(left_out, 4 * (1 + 4));
    }

    #[test]
    fn no_guess_is_refused_alike() {
        let config: LossConfig<f32, &[f32]> =
            BaseConfig::TopKHinge { k: 0, margins: Default::default(), scale: 1.0, smoothing: topk_loss::Smoothing::None, tolerance: None }
                .into();
        assert!(matches!(AnyLoss::new(config), Err(Failure::Loss(error)) if Err(error) == config.build().map(|_| ())));
    }
}
