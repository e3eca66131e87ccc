//! How far each float is pushed.

use crate::Real;

/// The accuracy the exact form aims at and the sizes that reach it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Precision<F> {
    /// The probability mass that may lie outside the window, at either end.
    pub outside: F,
    /// The degree of the Chebyshev expansions, below [`MAX_TERMS`].
    pub degree: usize,
    /// Nodes of the coarsest trapezoid rule, at least 2; the rule is halved at least once.
    pub nodes: usize,
    /// The bound on the quadrature's error (L1, gradient) at which halving stops.
    pub quadrature: F,
    /// The bound on the whole error above which the classes far below are treated one by one.
    pub tolerance: F,
}

/// Room for the terms of a Chebyshev expansion.
pub(crate) const MAX_TERMS: usize = 25;

impl<F: Real> Precision<F> {
    pub fn of_float() -> Self {
        let double = F::epsilon() < F::from_f64(1e-10);
        let pick = |f64_value: f64, f32_value: f64| F::from_f64(if double { f64_value } else { f32_value });
        Self {
            outside: pick(1e-11, 1e-7),
            degree: if double { 24 } else { 15 },
            nodes: if double { 21 } else { 15 },
            quadrature: pick(5e-8, 1e-5),
            tolerance: pick(1e-7, 1e-3),
        }
    }

    /// For a probability, whose logarithm is as accurate as a softmax's.
    pub fn of_probability() -> Self {
        let usual = Self::of_float();
        let (outside, quadrature) = (F::from_f64(512.0) * F::epsilon(), F::from_f64(5e6) * F::epsilon());
        Self { outside: usual.outside.min(outside), quadrature: usual.quadrature.min(quadrature), ..usual }
    }

    /// For a reference: the quadrature is driven on to where rounding begins.
    pub fn strict(self) -> Self {
        let rounding = F::epsilon() * F::from_f64(64.0);
        Self { quadrature: (self.quadrature * F::from_f64(1e-3)).max(rounding), ..self }
    }

    /// The same in another number type.
    pub fn map<G>(self, convert: impl Fn(F) -> G) -> Precision<G> {
        let Self { outside, degree, nodes, quadrature, tolerance } = self;
        Precision { outside: convert(outside), degree, nodes, quadrature: convert(quadrature), tolerance: convert(tolerance) }
    }
}
