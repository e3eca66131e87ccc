//! Every loss as data: a description that can be written, read and compared, and the loss that it becomes.
//!
//! ```
//! use topk_loss::Loss;
//! use topk_loss::config::BaseConfig;
//! let described: BaseConfig<f64, Vec<f64>> = BaseConfig::Focal { gamma: 2.0 };
//! assert_eq!(described.build()?.value(&[0.0, 0.0], 1, &mut [])?, 2.0_f64.ln() / 4.0);
//! # Ok::<(), topk_loss::Error>(())
//! ```

mod built;

pub use built::{AnyLoss, BaseLoss};

pub use crate::compiled::Law;
use crate::{AsMargins, AsRanks, Margins, Ranks, Real, Smoothing, TopKSvmForm};

/// A loss of the catalogue with what may be around it; `T` is what lists are kept in: `Vec<F>`, `&[F]`, `[F; L]`.
///
/// Plain data of any values: [`build`](Self::build) checks them. With the feature `serde` it is read and written; names are those of the
/// fields and variants in snake case, and unknown ones are refused. JSON keeps every bit of a float if its reader does: `serde_json` with
/// the feature `float_roundtrip`.
///
/// ```
/// use topk_loss::config::{BaseConfig, LossConfig, MarginConfig};
/// use topk_loss::{Loss, Smoothing};
/// let base = BaseConfig::TopKHinge {
///     k: 1,
///     margins: MarginConfig::Uniform(1.0),
///     scale: 1.0,
///     smoothing: Smoothing::None,
///     tolerance: None,
/// };
/// let loss = LossConfig { adjustments: Some(vec![0.0, 0.0, 1.0]), ..base.into() }.build()?;
/// // 1 + 2 − 1: the adjusted scores are 1, 2, 3.
/// assert_eq!(loss.value(&[1.0, 2.0, 2.0], 0, &mut [0.0; 9])?, 2.0);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(deny_unknown_fields, bound(deserialize = "F: Real + serde::Deserialize<'de>, T: serde::Deserialize<'de>"))
)]
pub struct LossConfig<F, T> {
    /// The loss itself.
    pub loss: BaseConfig<F, T>,
    /// What is added to the scores, see [`LogitAdjusted`](crate::LogitAdjusted);
    /// [shift-invariant](crate::LogitAdjusted::shift_invariant), as all of these losses are.
    #[cfg_attr(feature = "serde", serde(default = "none"))]
    pub adjustments: Option<T>,
    /// What the loss of a class counts, see [`ClassWeighted`](crate::ClassWeighted).
    #[cfg_attr(feature = "serde", serde(default = "none"))]
    pub class_weights: Option<T>,
}

/// One loss and its parameters, as data: a variant for every loss that has a description.
///
/// ```
/// use topk_loss::Loss;
/// use topk_loss::config::BaseConfig;
/// let described: BaseConfig<f64, Vec<f64>> = BaseConfig::SmoothTopKSvm { k: 1, temperature: 1.0, margin: 0.0 };
/// // Of one guess, temperature 1 and no margin it is the cross-entropy.
/// let loss = described.build()?;
/// let value = loss.value(&[0.0, 0.0], 0, &mut vec![0.0; loss.scratch_len(2)])?;
/// assert!((value - 2.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(
        deny_unknown_fields,
        rename_all = "snake_case",
        bound(deserialize = "F: Real + serde::Deserialize<'de>, T: serde::Deserialize<'de>")
    )
)]
pub enum BaseConfig<F, T> {
    /// [`CrossEntropy`](crate::CrossEntropy).
    CrossEntropy,
    /// [`Focal`](crate::Focal).
    Focal {
        /// The focusing parameter γ.
        gamma: F,
    },
    /// [`Ldam`](crate::Ldam).
    Ldam {
        /// By how much a label must lead.
        margins: MarginConfig<F, T>,
        /// What multiplies the scores.
        #[cfg_attr(feature = "serde", serde(default = "F::one"))]
        scale: F,
    },
    /// [`TopKHinge`](crate::TopKHinge).
    TopKHinge {
        /// The number of guesses.
        k: usize,
        /// By how much a label must lead.
        #[cfg_attr(feature = "serde", serde(default))]
        margins: MarginConfig<F, T>,
        /// What multiplies the hinge.
        #[cfg_attr(feature = "serde", serde(default = "F::one"))]
        scale: F,
        /// How the order statistic is smoothed.
        #[cfg_attr(feature = "serde", serde(default = "unsmoothed"))]
        smoothing: Smoothing<F>,
        /// The bound on an exactly smoothed gradient's error, if not the default.
        #[cfg_attr(feature = "serde", serde(default = "none"))]
        tolerance: Option<F>,
    },
    /// [`TopKHinges`](crate::TopKHinges).
    TopKHinges {
        /// The shares of 1, 2, … guesses.
        shares: T,
        /// By how much a label must lead.
        #[cfg_attr(feature = "serde", serde(default))]
        margins: MarginConfig<F, T>,
        /// What multiplies the hinges.
        #[cfg_attr(feature = "serde", serde(default = "F::one"))]
        scale: F,
        /// The scale of the noise, if they are smoothed.
        #[cfg_attr(feature = "serde", serde(default = "none"))]
        epsilon: Option<F>,
    },
    /// [`TopKSvm`](crate::TopKSvm).
    TopKSvm {
        /// The number of guesses.
        k: usize,
        /// Which of the four.
        form: TopKSvmForm,
        /// By how much a label must lead.
        #[cfg_attr(feature = "serde", serde(default))]
        margins: MarginConfig<F, T>,
        /// What multiplies the hinge.
        #[cfg_attr(feature = "serde", serde(default = "F::one"))]
        scale: F,
    },
    /// [`SmoothTopKSvm`](crate::SmoothTopKSvm).
    SmoothTopKSvm {
        /// The number of guesses.
        k: usize,
        /// How soft the maxima are.
        temperature: F,
        /// By how much the label must lead.
        #[cfg_attr(feature = "serde", serde(default = "F::one"))]
        margin: F,
    },
    /// [`PolyhedralHinge`](crate::loss::PolyhedralHinge).
    PolyhedralHinge {
        /// The number of guesses.
        k: usize,
        /// By how much a label must lead.
        #[cfg_attr(feature = "serde", serde(default))]
        margins: MarginConfig<F, T>,
        /// What multiplies the hinge.
        #[cfg_attr(feature = "serde", serde(default = "F::one"))]
        scale: F,
    },
    /// [`TopKMarginCrossEntropy`](crate::loss::TopKMarginCrossEntropy).
    TopKMarginCrossEntropy {
        /// The number of guesses.
        k: usize,
        /// By how much they are lowered.
        #[cfg_attr(feature = "serde", serde(default))]
        margins: MarginConfig<F, T>,
        /// What multiplies the scores.
        #[cfg_attr(feature = "serde", serde(default = "F::one"))]
        scale: F,
    },
    /// [`TopKCrossEntropy`](crate::TopKCrossEntropy).
    TopKCrossEntropy {
        /// How many, or a mixture.
        guesses: Guesses<T>,
        /// The noise's law.
        law: Law,
        /// Its scale.
        #[cfg_attr(feature = "serde", serde(default = "F::one"))]
        epsilon: F,
    },
}

/// The margins of a described loss, however they are kept; by default 1 for all classes.
///
/// ```
/// use topk_loss::Margins;
/// use topk_loss::config::MarginConfig;
/// use topk_loss::loss::AsMargins;
/// assert_eq!(MarginConfig::<f64, Vec<f64>>::default().as_margins(), Margins::Uniform(1.0));
/// assert_eq!(MarginConfig::<f64, Vec<f64>>::PerClass(vec![0.5, 2.0]).as_margins(), Margins::PerClass(&[0.5, 2.0]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum MarginConfig<F, T> {
    /// The same for all classes.
    Uniform(F),
    /// One a class.
    PerClass(T),
}

/// 1 for all classes.
impl<F: Real, T> Default for MarginConfig<F, T> {
    fn default() -> Self {
        Self::Uniform(F::one())
    }
}

impl<F: Real, T: AsRef<[F]>> AsMargins<F> for MarginConfig<F, T> {
    fn as_margins(&self) -> Margins<'_, F> {
        match self {
            Self::Uniform(margin) => Margins::Uniform(*margin),
            Self::PerClass(margins) => Margins::PerClass(margins.as_ref()),
        }
    }
}

/// The number of guesses of a top-K cross-entropy, or a mixture of several.
///
/// ```
/// use topk_loss::config::Guesses;
/// use topk_loss::oracle::{AsRanks, Ranks};
/// assert_eq!(AsRanks::<f64>::as_ranks(&Guesses::<Vec<f64>>::K(5)), Ranks::Single(5));
/// assert_eq!(Guesses::Mixture([0.5, 0.5]).as_ranks(), Ranks::Weighted(&[0.5, 0.5]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Guesses<T> {
    /// So many.
    K(usize),
    /// The shares of 1, 2, … guesses.
    Mixture(T),
}

impl<F: Real, T: AsRef<[F]>> AsRanks<F> for Guesses<T> {
    fn as_ranks(&self) -> Ranks<'_, F> {
        match self {
            Self::K(k) => Ranks::Single(*k),
            Self::Mixture(shares) => Ranks::Weighted(shares.as_ref()),
        }
    }
}

#[cfg(feature = "serde")]
const fn none<T>() -> Option<T> {
    None
}

#[cfg(feature = "serde")]
const fn unsmoothed<F>() -> Smoothing<F> {
    Smoothing::None
}

impl<F, T> From<BaseConfig<F, T>> for LossConfig<F, T> {
    fn from(loss: BaseConfig<F, T>) -> Self {
        Self { loss, adjustments: None, class_weights: None }
    }
}
