//! How the losses of a batch become one number.

/// The objective Σ_b c_b·ℓ_b of a batch, by the coefficients c of its losses; w_b are the weights, 1 where none are given.
///
/// The kernels multiply the gradients by c; the values stay ℓ_b. An ignored example counts nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reduction {
    /// Σ_b w_b·ℓ_b.
    Sum = 0,
    /// Σ_b w_b·ℓ_b divided by the number of examples that count.
    #[default]
    Mean = 1,
    /// Σ_b w_b·ℓ_b / Σ_b w_b.
    WeightedMean = 2,
}
