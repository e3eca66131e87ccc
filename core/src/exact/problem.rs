//! The problem: what is to be computed, in one plain value that every step carries.

use super::precision::Precision;
use super::ranks::Run;
use crate::Real;

/// Order statistics of θ + scale·Z, with everything that does not depend on the classes' scores one by one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Problem<N, F> {
    pub law: N,
    /// Whose order statistics are summed.
    pub run: Run,
    /// ε; −ε where the scores are mirrored.
    pub scale: F,
    /// The score that u = 0 stands for: that of the deepest wanted rank.
    pub center: F,
    /// The u between which what decides lies, 0 among them: the wanted ranks, and a label that competes with them.
    pub span: (F, F),
    pub num_classes: usize,
    pub precision: Precision<F>,
}

impl<N, F: Real> Problem<N, F> {
    /// The same under another law.
    #[inline(always)]
    pub fn under<M>(self, law: M) -> Problem<M, F> {
        let Self { run, scale, center, span, num_classes, precision, .. } = self;
        Problem { law, run, scale, center, span, num_classes, precision }
    }

    /// Whether it is about −s, and so about the law of −Z: s₍ₖ₎ = −(−s)₍L+1−k₎.
    #[inline(always)]
    pub fn is_mirrored(&self) -> bool {
        self.scale < F::zero()
    }

    /// Whether a row is so short that a histogram takes longer than it saves.
    pub fn is_small(&self) -> bool {
        const SMALL: usize = 32;
        self.num_classes <= SMALL
    }

    #[inline(always)]
    pub fn units(&self) -> Units<F> {
        let inverse = self.scale.recip().abs();
        let stretch = if inverse.is_finite() && inverse >= F::min_positive_value() {
            F::one()
        } else if self.scale.abs() < F::one() {
            F::epsilon().recip()
        } else {
            F::epsilon()
        };
        Units { center: self.center, stretch, inverse: (self.scale * stretch).recip() }
    }
}

/// The scores of a row in units of ε about the center.
#[derive(Debug, Clone, Copy)]
pub struct Units<F> {
    center: F,
    /// A power of two, so that the inverse of an ε at either end of the float's range is normal.
    stretch: F,
    inverse: F,
}

/// Beyond this many units of ε a class is above or below for certain, whatever the law; it keeps u finite.
const FAR: f64 = 1e6;

impl<F: Real> Units<F> {
    /// u = (s − center)/scale.
    #[inline(always)]
    pub fn of(&self, score: F) -> F {
        let far = F::from_f64(FAR);
        let u = (score - self.center) * self.stretch * self.inverse;
        let u = if u > far { far } else { u };
        if u < -far { -far } else { u }
    }
}

/// A position that is never above any t.
#[inline(always)]
pub(crate) fn never<F: Real>() -> F {
    -F::from_f64(FAR)
}
