//! Where a label stands among the classes, and which event is a hit.

use crate::exact::precision::is_double;
use crate::{Noise, Real, Regularity};

/// Where the label stands, in units of ε about the center.
#[derive(Debug, Clone, Copy)]
pub struct Label<F> {
    pub(crate) u: F,
    /// How much further down it is: there ln P(Y > T) falls by as much.
    pub(crate) beyond: F,
    /// The event that makes the label one of the guesses: Y > T, or Y < T where the scores are mirrored.
    pub(crate) hit: Event,
}

/// On which side of T the label is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Above,
    Below,
}

/// Under an exponential tail, P(Y > t) is proportional to exp(u_y) to the last digit once the label is this far below.
const LINEAR_BELOW: f64 = 96.0;

/// Nearer where no noise reaches this far down, and so T does not: in a double and in a single.
const LOWEST: f64 = 7.0;
const LINEAR_NEARER: [f64; 2] = [48.0, 24.0];

/// How far below the rank a label is given room among the bins, and how far above it: there the window reaches less far beyond the label.
const ROOM_BELOW: f64 = 48.0;
const ROOM_ABOVE: f64 = 78.0;

/// As far beyond the label, since what is known of its chance is less than that by some factor.
const MARGIN: f64 = 8.0;

impl<F: Real> Label<F> {
    #[inline(always)]
    pub(crate) fn new(u: F, law: &impl Noise<F>) -> Self {
        let hit = Event::Above;
        let [double, single] = LINEAR_NEARER;
        let is_short = law.cdf(-F::from_f64(LOWEST)) == F::zero();
        let lowest = -F::from_f64(match (is_short, is_double::<F>()) {
            (false, _) => LINEAR_BELOW,
            (true, true) => double,
            (true, false) => single,
        });
        match law.regularity() {
            Regularity::ExponentialTail if u < lowest => Self { u: lowest, beyond: lowest - u, hit },
            _ => Self { u, beyond: F::zero(), hit },
        }
    }

    /// The same label where the scores are mirrored.
    #[inline(always)]
    pub(crate) fn mirrored(self) -> Self {
        let hit = if self.hit == Event::Above { Event::Below } else { Event::Above };
        Self { u: -self.u, hit, ..self }
    }

    /// The u between which it is decided whether the label is among the guesses.
    #[inline(always)]
    pub(crate) fn span(&self) -> (F, F) {
        let (below, above) = (F::from_f64(ROOM_BELOW), F::from_f64(ROOM_ABOVE));
        (self.u.max(-below).min(F::zero()), (self.u + F::from_f64(MARGIN)).min(above).max(F::zero()))
    }
}
