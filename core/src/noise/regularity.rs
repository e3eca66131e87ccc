//! What the exact form asks of a law.

/// How smooth a density is, and how its upper tail falls: this decides which quadrature converges fast.
///
/// ```
/// use topk_loss::noise::{Gumbel, Noise, Normal, Regularity};
/// assert_eq!(Noise::<f64>::regularity(&Normal), Regularity::GaussianTail);
/// assert_eq!(Noise::<f64>::regularity(&Gumbel), Regularity::ExponentialTail);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regularity {
    /// A kink or a jump somewhere: the exact estimator declines, the conditional one serves.
    Kinked,
    /// Analytic: the exact estimator treats every class by itself.
    Smooth,
    /// Analytic, survival falling like exp(−z²/2): classes far below are summed by their moments in z.
    GaussianTail,
    /// Analytic, survival an analytic function of exp(−z): classes far below are summed by their moments in exp(−z).
    ExponentialTail,
}
