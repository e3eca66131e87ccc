//! The Euclidean soft mask of the K largest entries.

use crate::excess::{self, Excess};
use crate::lanes::{Compensated, PAIR};
use crate::{Real, Result, check};

/// h(θ) = clip((θ − t)/w, 0, 1) with Σ h = k: the point of {0 ≤ h ≤ 1, Σ h = k} that is nearest to θ/w.
///
/// The k largest entries softly: each entry that is above the k + 1-th by at least w, and k at most, is 1; entries within w of each other share. It is
/// the gradient of a smoothed [`TopKSum`](crate::oracle::TopKSum), w → 0 is the [`TopKMask`](super::TopKMask). Unlike a softmax it has exact zeros and ones.
///
/// **Shapes.** θ, mask and products of L entries, 1 ≤ k ≤ L; scratch L.
///
/// **Units.** w in those of θ.
///
/// **Errors.** k > L, NaN or infinite entries, scratch too short; outputs are then as before.
///
/// **Ties and NaN.** Equal entries have equal masks; NaN is an error. A common offset cancels before anything can round.
///
/// **Cost.** Two passes over the row, and one for each step of Newton's method on t, of which there are a few, over the entries that are near or above
/// it.
///
/// ```
/// use topk_loss::maximizer::SoftTopKMask;
/// let (soft, mut mask) = (SoftTopKMask::new(2, 1.0)?, [0.0; 4]);
/// soft.mask(&[3.0, 1.0, 0.5, -2.0], &mut mask, &mut [0.0; 4])?;
/// assert_eq!(mask, [1.0, 0.75, 0.25, 0.0]);
/// let mut product = [0.0; 4];
/// soft.jacobian_product(&mask, &[1.0, 2.0, 0.0, 5.0], &mut product)?;
/// assert_eq!(product, [0.0, 1.0, -1.0, 0.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Blondel, Teboul, Berthet, Djolonga, "Fast differentiable sorting and ranking", ICML 2020 (projections onto permutahedra, of
/// which this is one); the threshold search is this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftTopKMask<F> {
    k: usize,
    width: F,
}

/// Where a mask goes from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ramp<F> {
    /// What entries are taken relative to: the largest.
    top: F,
    /// Relative to it.
    start: F,
    width: F,
}

impl<F: Real> Ramp<F> {
    /// An entry relative to the largest, and how far up the ramp it is: the width times the mask.
    #[inline(always)]
    pub fn at(&self, entry: F) -> (F, F) {
        let relative = entry - self.top;
        let above = relative - self.start;
        let above = if above > F::zero() { above } else { F::zero() };
        (relative, if above < self.width { above } else { self.width })
    }

    /// How far it is from the ramp's upper end.
    pub fn lack(&self, entry: F) -> F {
        self.width - self.at(entry).1
    }
}

impl<F: Real> SoftTopKMask<F> {
    /// The mask of `k` entries whose ramp is `width` wide.
    ///
    /// # Errors
    /// k = 0, a width that is not positive and finite.
    pub fn new(k: usize, width: F) -> Result<Self> {
        check::at_least_one("k", k)?;
        Ok(Self { k, width: check::positive("width", width)? })
    }

    /// The number of entries K.
    #[must_use]
    pub const fn k(&self) -> usize {
        self.k
    }

    /// The width of the ramp.
    #[must_use]
    pub const fn width(&self) -> F {
        self.width
    }

    /// Writes h(θ).
    ///
    /// # Errors
    /// See the type's description.
    pub fn mask(&self, theta: &[F], mask: &mut [F], scratch: &mut [F]) -> Result<()> {
        check::length("mask", mask, theta.len())?;
        check::scores(theta)?;
        check::rank(self.k, theta.len())?;
        let ramp = self.ramp(theta, check::scratch(scratch, theta.len())?)?;
        mask.iter_mut().zip(theta).for_each(|(h, &entry)| *h = ramp.at(entry).1 / self.width);
        Ok(())
    }

    /// Writes the product of the Jacobian ∂h/∂θ, which is symmetric, with `direction`, given the mask: (v_i − mean of v)/w over the entries
    /// strictly between 0 and 1, 0 at the others. At a kink it is the Jacobian of the side where the entry is fixed.
    ///
    /// # Errors
    /// Different lengths, a NaN or infinite direction; `product` is then as before.
    pub fn jacobian_product(&self, mask: &[F], direction: &[F], product: &mut [F]) -> Result<()> {
        check::length("direction", direction, mask.len())?;
        check::length("product", product, mask.len())?;
        check::finite("direction", direction)?;
        let is_between = |h: F| h > F::zero() && h < F::one();
        let shared = || mask.iter().zip(direction).filter(|&(&h, _)| is_between(h)).map(|(_, &v)| v);
        let mean = Compensated::of(shared()) / F::from_usize(shared().count().max(1));
        for ((out, &h), &v) in product.iter_mut().zip(mask).zip(direction) {
            *out = if is_between(h) { (v - mean) / self.width } else { F::zero() };
        }
        Ok(())
    }

    /// The ramp of k entries at least; the scratch is as long.
    #[inline(always)]
    pub(crate) fn ramp(&self, theta: &[F], scratch: &mut [F]) -> Result<Ramp<F>> {
        let (k, width) = (F::from_usize(self.k), self.width);
        let (top, parts) = excess::leaders(theta)?;
        check::in_range("width of all guesses", k * width)?;
        let start = if self.k >= theta.len() {
            theta.iter().fold(F::zero(), |least, &entry| least.min(entry - top)) - width
        } else {
            // Some entries alone, if they can be more than k, have a ramp that starts below.
            let none = F::neg_infinity();
            let floor = if self.k < PAIR && theta.len() >= PAIR { start(&parts, k, width, none) } else { none };
            start(excess::gather(theta, top, floor, scratch), k, width, floor)
        };
        Ok(Ramp { top, start, width })
    }
}

/// Where the ramp of more than k entries starts, none of which is positive; it is not below `floor`.
///
/// Not above where the entries' whole excess would be that of k of them either. From there down, by Newton's method as long as its steps stay
/// between what is known.
#[inline(always)]
fn start<F: Real>(entries: &[F], k: F, width: F, floor: F) -> F {
    let total = k * width;
    let (mut start, _) = excess::root(entries, total, if floor > -total { floor } else { -total });
    let (mut low, mut high, mut leap) = (floor, start, width);
    // The piece that a step of Newton's came from.
    let mut left = None;
    for step in 0_usize.. {
        let Excess { whole, between, sum } = Excess::new(entries, start, width);
        let surplus = sum + width * (whole - k);
        // Without a whole one the excess is the mask; at a mask of k there is nothing to search.
        if whole == F::zero() || surplus == F::zero() {
            break;
        }
        let root = start + surplus / between;
        if left == Some((whole, between)) {
            // The step did not leave the piece: its line's root is the answer.
            start = root;
            break;
        }
        (low, high) = if surplus > F::zero() { (start, high) } else { (low, start) };
        // Now and then another step, so that the search ends whatever the entries.
        let newton = Some(root).filter(|&root| low < root && root < high && step % 4 != 3);
        left = newton.map(|_| (whole, between));
        let other = if low > F::neg_infinity() { (low + high) * F::from_f64(0.5) } else { high - leap };
        let next = newton.unwrap_or(other);
        if !(low < next && next < high) {
            break;
        }
        (start, leap) = (next, leap + leap);
    }
    start
}
