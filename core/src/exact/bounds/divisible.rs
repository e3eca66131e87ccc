//! Which classes may be divided out of a count: those of which rounding does not grow.

use super::Bounds;
use crate::Real;
use crate::exact::precision::is_double;

impl<F: Real> Bounds<'_, F> {
    /// Up to where classes may be divided out of the count of those above any t of a window that begins at `low`: the end of the bin of the
    /// rank set before, or `low`.
    ///
    /// With o the odds of such a class, forward division multiplies rounding by at most Σ_j o^(k−1−j) P(N = j) ≤ o^(k−1) ∏ (1 − p_i + p_i/o).
    /// By its tangents at p_i = 1 and p_i = 0 the logarithm is at most (o − 1) times how many of the k − 1 largest are below t on average,
    /// less 1 − 1/o times how many of the others are above.
    #[inline(always)]
    pub fn divisible(&self, low: F) -> F {
        const PROBES: usize = 4;
        // ln of how much rounding may grow by.
        let most = F::from_f64(if is_double::<F>() { 12.0 } else { 1.0 });
        let (first, last) = (((low - self.lowest) / self.width + F::from_f64(0.5)).to_usize().unwrap_or(0), self.bins - self.own);
        for probe in 0..PROBES {
            let m = first + last.saturating_sub(first) * probe / PROBES;
            let [p, q] = [&*self.survival, &*self.cdf].map(|tail| tail.get(m + self.own).copied().unwrap_or(F::zero()));
            // Both sides times p·q/(p − q).
            if p > q && self.leading_below(m) * p - self.rest_reaching(m) * q > most * p * q / (p - q) {
                return low;
            }
        }
        low.max(self.edge(last))
    }
}
