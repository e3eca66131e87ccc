//! Derivatives from differences of values, with the error that they may have.
//!
//! Differences at four sizes of step, each with its Richardson extrapolation, and the size taken whose error is estimated least: large steps where
//! the value is noisy, small ones where it bends. One-sided differences tell a kink from a bend.

use super::law::Stop;

/// What differences say about a function of one number.
pub struct Slope {
    pub slope: f64,
    /// By how much the slope to the right is above that to the left.
    pub jump: f64,
    /// How far these may be off.
    pub error: f64,
}

impl Slope {
    /// From the rise of the function over `step` and over half of it, to both sides; `noise` is what a rise may be off.
    pub fn new(step: f64, noise: f64, rise: impl Fn(f64) -> Result<f64, Stop>) -> Result<Self, Stop> {
        let half = 0.5 * step;
        let (down, up, half_down, half_up) = (rise(-step)?, rise(step)?, rise(-half)?, rise(half)?);
        let (coarse, fine) = ((up - down) / (2.0 * step), (half_up - half_down) / step);
        // A bend's share of the one-sided slopes' difference halves with the step, a kink's stays.
        let (coarse_jump, fine_jump) = ((up + down) / step, (half_up + half_down) / half);
        Ok(Self {
            slope: fine + (fine - coarse) / 3.0,
            jump: 2.0 * fine_jump - coarse_jump,
            error: 4.0 * (fine - coarse).abs() + 4.0 * noise / step,
        })
    }

    /// The one with the least error, and its step, for a function that is computed to `precision` of its size.
    pub fn best(precision: f64, noise: f64, rise: impl Fn(f64) -> Result<f64, Stop>) -> Result<(f64, Self), Stop> {
        // About the cube root of the precision, rounding and bending balance.
        let [coarsest, finer @ ..] = [64.0, 8.0, 1.0, 0.125].map(|factor| factor * precision.cbrt());
        let mut best = (coarsest, Self::new(coarsest, noise, &rise)?);
        for step in finer {
            let slope = Self::new(step, noise, &rise)?;
            // Unlike <, this takes whatever is better than NaN.
            if slope.error < best.1.error || best.1.error.is_nan() {
                best = (step, slope);
            }
        }
        Ok(best)
    }
}
