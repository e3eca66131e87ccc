//! What is to be computed, in one plain value that every step carries.

use super::precision::Precision;
use super::ranks::Ranks;
use crate::Real;

/// Order statistics of θ + scale·Z, with everything that does not depend on the classes' scores one by one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Problem<'w, N, F> {
    pub law: N,
    pub ranks: Ranks<'w, F>,
    /// ε; −ε where the scores are mirrored.
    pub scale: F,
    /// The score that u = 0 stands for: that of the deepest wanted rank.
    pub center: F,
    /// The u between which what decides lies, 0 among them: the wanted ranks, and a label that competes with them.
    pub span: (F, F),
    pub num_classes: usize,
    pub precision: Precision<F>,
}

/// Beyond this many units of ε a class is above or below for certain, whatever the law; it keeps u finite.
const FAR: f64 = 1e6;

impl<N, F: Real> Problem<'_, N, F> {
    /// u = (s − center)/scale.
    #[inline]
    pub fn unit(&self, score: F) -> F {
        let far = F::from_f64(FAR);
        ((score - self.center) / self.scale).max(-far).min(far)
    }
}
