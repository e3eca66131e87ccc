//! The ranking of all entries.

use core::cmp::Ordering;

use super::Maximizer;
use crate::{Real, Result, Translation, check, select};

/// y*(θ)ᵢ = the place of entry i counted from the bottom, 1 for the smallest and L for the largest, over C = the permutations of
/// (1, …, L), whose hull is the permutahedron.
///
/// Places count upwards because the maximizer of ⟨y, θ⟩ grows with θ; L + 1 − y is the [rank](crate::rank_of) from the top, and
/// its expectation under noise is a soft rank.
///
/// **Shapes.** θ and y of L entries; scratch 2L.
///
/// **Errors.** No entry, NaN or infinite entries, scratch too short; `y` is then as before.
///
/// **Ties and NaN.** Of two equal entries the one that stands first ranks higher; NaN is an error.
///
/// **Cost.** O(L log L).
///
/// ```
/// use topk_loss::{Maximizer, Ranking};
/// let mut y = [0.0; 4];
/// Ranking.argmax(&[0.5, -1.0, 3.0, 0.5], &mut y, &mut [0.0; 8])?;
/// assert_eq!(y, [3.0, 1.0, 4.0, 2.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Blondel, Teboul, Berthet, Djolonga, "Fast differentiable sorting and ranking", ICML 2020 (ranking as a linear
/// program over the permutahedron).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ranking;

impl<F: Real> Maximizer<F> for Ranking {
    fn scratch_len(&self, dim: usize) -> usize {
        2 * dim
    }

    fn argmax(&self, theta: &[F], y: &mut [F], scratch: &mut [F]) -> Result<()> {
        let len = theta.len();
        check::length("y", y, len)?;
        check::scores(theta)?;
        let (sorted, taken) = check::scratch(scratch, 2 * len)?.split_at_mut(len);
        sorted.copy_from_slice(theta);
        sorted.sort_unstable_by(|a, b| b.partial_cmp(a).unwrap_or(Ordering::Equal));
        taken.fill(F::zero());
        for (place, &t) in y.iter_mut().zip(theta) {
            // Equal entries share the first of their positions and take the others one after the other.
            let above = sorted.partition_point(|&s| s > t);
            let Some(equal) = taken.get_mut(above) else { continue };
            *place = F::from_usize(len - above) - *equal;
            *equal += F::one();
        }
        Ok(())
    }

    /// All places count, so the center is the median.
    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        check::scores(theta)?;
        let len = theta.len();
        let center = select::kth_value(theta, len.div_ceil(2), check::scratch(scratch, len)?);
        Ok(Translation { center, mass: F::from_usize(len) * F::from_usize(len + 1) * F::from_f64(0.5) })
    }
}
