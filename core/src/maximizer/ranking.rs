//! The ranking of all entries, as a maximizer: the place of each.

use super::Maximizer;
use crate::{Real, Result, Translation, check};

/// y*(θ)ᵢ = the place of entry i counted from the bottom, 1 for the smallest and L for the largest, over C = the permutations of
/// (1, …, L), whose hull is the permutahedron.
///
/// Places count upwards because the maximizer of ⟨y, θ⟩ grows with θ; L + 1 − y is the [rank](crate::select::rank_of) from the top, and
/// its expectation under noise is a soft rank.
///
/// **Shapes.** θ and y of L entries; scratch 2L.
///
/// **Errors.** No entry, NaN or infinite entries, scratch too short; `y` is then as before.
///
/// **Ties and NaN.** Of two equal entries the one that stands first ranks higher; NaN is an error.
///
/// **Cost.** O(L log L); a merge sort.
///
/// ```
/// use topk_loss::maximizer::{Maximizer, Ranking};
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
        dim.saturating_mul(2)
    }

    fn argmax(&self, theta: &[F], y: &mut [F], scratch: &mut [F]) -> Result<()> {
        let len = theta.len();
        check::length("y", y, len)?;
        check::scores(theta)?;
        let (sorted, taken) = descending(theta, check::scratch(scratch, 2 * len)?);
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
        let (sorted, _) = descending(theta, check::scratch(scratch, 2 * len)?);
        let center = sorted.get(len / 2).copied().unwrap_or(F::zero());
        Ok(Translation { center, mass: F::from_usize(len) * F::from_usize(len + 1) * F::from_f64(0.5) })
    }
}

/// θ in descending order, in one half of the scratch, and the other half.
///
/// Merging from half to half rather than the standard library's sorts: the compiler cannot prove that those do not panic.
fn descending<'s, F: Real>(theta: &[F], scratch: &'s mut [F]) -> (&'s mut [F], &'s mut [F]) {
    let (mut sorted, mut spare) = scratch.split_at_mut(scratch.len() / 2);
    sorted.iter_mut().zip(theta).for_each(|(place, &t)| *place = t);
    let mut run = 1_usize;
    while run < theta.len() {
        // At least 1 for the compiler's sake.
        let pair = run.saturating_mul(2).max(1);
        for (from, to) in sorted.chunks(pair).zip(spare.chunks_mut(pair)) {
            let (left, right) = from.split_at(run.min(from.len()));
            merge(left, right, to);
        }
        core::mem::swap(&mut sorted, &mut spare);
        run = pair;
    }
    (sorted, spare)
}

fn merge<F: Real>(left: &[F], right: &[F], merged: &mut [F]) {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    for place in merged {
        let next = match (left.peek(), right.peek()) {
            (Some(l), Some(r)) if r > l => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        *place = next.copied().unwrap_or(F::zero());
    }
}
