//! How the losses of a batch become one number.

/// The objective Σ_b c_b·ℓ_b of a batch, by the coefficients c of its losses; w_b are the weights, 1 where none are given.
///
/// An ignored example has coefficient 0 and counts nowhere. Core computes one example and needs none of it; the crates that compute batches
/// do.
///
/// The numbers are what code for a device, which has no such enum, is told.
///
/// ```
/// use topk_loss::loss::Reduction;
/// assert_eq!(Reduction::default(), Reduction::Mean);
/// assert_eq!([Reduction::Sum, Reduction::Mean, Reduction::WeightedMean].map(|reduction| reduction as u32), [0, 1, 2]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Reduction {
    /// Σ_b w_b·ℓ_b; 0 where all examples are ignored.
    Sum = 0,
    /// Σ_b w_b·ℓ_b divided by the number of examples that count; an error where none does.
    #[default]
    Mean = 1,
    /// Σ_b w_b·ℓ_b / Σ_b w_b, likewise. Where the loss is [`ClassWeighted`](crate::loss::ClassWeighted), the divisor is Σ_b w_b v_b, v_b
    /// being the weight of the example's class that ℓ_b has as a factor: the weighted mean of the loss inside, which is torch's mean.
    WeightedMean = 2,
}
