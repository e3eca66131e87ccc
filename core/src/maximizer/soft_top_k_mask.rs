//! The Euclidean soft mask of the K largest entries, and products with its Jacobian.

use crate::excess::{self, Excess};
use crate::lanes::{Compensated, PAIR};
use crate::{Error, Real, Result, check};

/// h(θ) = clip((θ − t)/w, 0, 1) with Σ h = k: the point of {0 ≤ h ≤ 1, Σ h = k} that is nearest to θ/w.
///
/// The k largest entries softly: each entry that is above the k + 1-th by at least w, and k at most, is 1; entries within w of each other
/// share. It is the gradient of a smoothed [`TopKSum`](crate::oracle::TopKSum), w → 0 is the [`TopKMask`](super::TopKMask). Unlike a
/// softmax it has exact zeros and ones.
///
/// **Shapes.** θ, mask and products of L entries, 1 ≤ k ≤ L; scratch L.
///
/// **Units.** w in those of θ.
///
/// **Errors.** k > L, NaN or infinite entries, scratch too short; outputs are then as before.
///
/// **Ties and NaN.** Equal entries have equal masks; NaN is an error. A common offset cancels before anything can round.
///
/// **Accuracy.** Entries are taken relative to the largest: where the k-th is d below it, a mask is good to a few roundings of d/w, if
/// fractions of w are normal numbers.
///
/// **Cost.** Two passes over the row, and one for each step of Newton's method on t, of which there are a few, over the entries that are
/// near or above it.
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
/// **References.** Blondel, Teboul, Berthet, Djolonga, "Fast differentiable sorting and ranking", ICML 2020 (projections onto permutahedra,
/// of which this is one); the threshold search is this library's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftTopKMask<F> {
    k: usize,
    width: F,
}

/// Where a mask goes from 0 to 1. It shows entries relative to the largest.
#[derive(Debug, Clone, Copy)]
pub struct Ramp<F> {
    top: F,
    /// Relative to it.
    start: F,
    width: F,
}

impl<F: Real> Ramp<F> {
    /// The ramp of `entries`, which are relative to `top` and more than k: all that are above `floor`, not below which it starts.
    #[inline(always)]
    #[must_use]
    pub fn new(entries: &[F], top: F, k: usize, width: F, floor: F) -> Self {
        Self { top, start: start(entries, F::from_usize(k), width, floor), width }
    }

    /// Where it starts, relative to the largest entry.
    #[must_use]
    pub const fn start(&self) -> F {
        self.start
    }

    /// How far up an entry is: the width times the mask.
    #[inline(always)]
    fn above(&self, relative: F) -> F {
        let above = relative - self.start;
        let above = if above > F::zero() { above } else { F::zero() };
        if above < self.width { above } else { self.width }
    }

    /// An entry less how far up it is.
    #[inline(always)]
    #[must_use]
    pub fn lowered(&self, entry: F) -> F {
        let relative = entry - self.top;
        relative - self.above(relative)
    }

    /// How far it is from the upper end.
    #[must_use]
    pub fn lack(&self, entry: F) -> F {
        self.width - self.above(entry - self.top)
    }
}

impl<F: Real> SoftTopKMask<F> {
    /// The mask of `k` entries whose ramp is `width` wide.
    ///
    /// ```
    /// use topk_loss::maximizer::SoftTopKMask;
    /// let soft = SoftTopKMask::new(2, 0.5)?;
    /// assert_eq!((soft.k(), soft.width()), (2, 0.5));
    /// assert!(SoftTopKMask::new(2, 0.0).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// k = 0, a width that is not positive and finite.
    pub fn new(k: usize, width: F) -> Result<Self> {
        check::at_least_one("k", k)?;
        Ok(Self { k, width: check::positive("width", width)? })
    }

    /// The number of entries k.
    ///
    /// ```
    /// use topk_loss::maximizer::SoftTopKMask;
    /// assert_eq!(SoftTopKMask::new(2, 0.5)?.k(), 2);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn k(&self) -> usize {
        self.k
    }

    /// The width of the ramp.
    ///
    /// ```
    /// use topk_loss::maximizer::SoftTopKMask;
    /// assert_eq!(SoftTopKMask::new(2, 0.5)?.width(), 0.5);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn width(&self) -> F {
        self.width
    }

    /// Writes the mask h(θ).
    ///
    /// **Ties and NaN.** Equal entries have equal masks; NaN is an error.
    ///
    /// **Cost.** The type's.
    ///
    /// ```
    /// use topk_loss::maximizer::SoftTopKMask;
    /// let mut mask = [0.0; 3];
    /// SoftTopKMask::new(1, 1.0)?.mask(&[1.0, 0.5, -2.0], &mut mask, &mut [0.0; 3])?;
    /// assert_eq!(mask, [0.75, 0.25, 0.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the type's description.
    pub fn mask(&self, theta: &[F], mask: &mut [F], scratch: &mut [F]) -> Result<()> {
        check::length("mask", mask, theta.len())?;
        let leaders = excess::leaders(theta)?;
        check::rank(self.k, theta.len())?;
        let ramp = self.ramp(theta, leaders, check::scratch(scratch, theta.len())?)?;
        mask.iter_mut().zip(theta).for_each(|(h, &entry)| *h = ramp.above(entry - ramp.top) / self.width);
        Ok(())
    }

    /// Writes the product of the Jacobian ∂h/∂θ, which is symmetric, with `direction`, given the mask: (v_i − mean of v)/w over the entries
    /// strictly between 0 and 1, 0 at the others. At a kink it is the Jacobian of the side where the entry is fixed.
    ///
    /// **Cost.** A few passes.
    ///
    /// ```
    /// use topk_loss::maximizer::SoftTopKMask;
    /// let mut product = [0.0; 3];
    /// // Two entries share, and their mean is taken out.
    /// SoftTopKMask::new(1, 0.5)?.jacobian_product(&[0.75, 0.25, 0.0], &[1.0, 0.0, 5.0], &mut product)?;
    /// assert_eq!(product, [1.0, -1.0, 0.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Different lengths, a NaN or infinite direction, a product beyond the float's range; `product` is then as before.
    pub fn jacobian_product(&self, mask: &[F], direction: &[F], product: &mut [F]) -> Result<()> {
        check::length("direction", direction, mask.len())?;
        check::length("product", product, mask.len())?;
        check::finite("direction", direction)?;
        let is_between = |h: F| h > F::zero() && h < F::one();
        let shared = || mask.iter().zip(direction).filter(|&(&h, _)| is_between(h)).map(|(_, &v)| v);
        let mean = Compensated::of(shared()) / F::from_usize(shared().count().max(1));
        let entries = || mask.iter().zip(direction).map(|(&h, &v)| if is_between(h) { (v - mean) / self.width } else { F::zero() });
        if !entries().fold(true, |all, entry| all & entry.is_finite()) {
            return Err(Error::Overflow { what: "product" });
        }
        product.iter_mut().zip(entries()).for_each(|(out, entry)| *out = entry);
        Ok(())
    }

    /// The ramp of k entries at least, given their leaders; the scratch is as long.
    #[inline(always)]
    pub(crate) fn ramp(&self, theta: &[F], (top, parts): (F, [F; PAIR]), scratch: &mut [F]) -> Result<Ramp<F>> {
        let Self { k, width } = *self;
        let total = check::in_range("width of all guesses", F::from_usize(k) * width)?;
        if k >= theta.len() {
            let least = theta.iter().fold(F::zero(), |least, &entry| least.min(entry - top));
            return Ok(Ramp { top, start: least - width, width });
        }
        // Some entries alone have a ramp that starts below.
        let floor = if Excess::new(&parts, -width, None).sum >= total {
            excess::bound(&parts, total, -width)
        } else {
            let parts = if k <= PAIR { &parts } else { excess::finer_leaders(theta, top, k, scratch) };
            excess::reached(parts, k, width) - width
        };
        Ok(Ramp::new(excess::gather(theta, top, floor, scratch), top, k, width, floor))
    }
}

/// Where the ramp of more than k entries starts, of which the largest is 0; it is not below `floor`.
#[inline(always)]
fn start<F: Real>(entries: &[F], k: F, width: F, floor: F) -> F {
    let (total, high) = (k * width, -width);
    // Without a whole one the mask is the excess.
    if Excess::new(entries, high, None).sum >= total {
        return excess::root(entries, total, if floor > high { floor } else { high }).0;
    }
    search(entries, k, width, floor, high)
}

/// The same where it is between `low`, which may be −∞, and `high`: by Newton's method as long as its steps stay between what is known.
#[inline(always)]
fn search<F: Real>(entries: &[F], k: F, width: F, mut low: F, mut high: F) -> F {
    /// Newton's method ends within half as many, of entries of any usual kind.
    const PATIENCE: usize = 16;
    let (mut start, mut leap) = (if low > F::neg_infinity() { low } else { high }, width);
    // The piece that a step of Newton's came from.
    let mut left = None;
    for step in 0_usize.. {
        let Excess { whole, between, sum } = Excess::new(entries, start, Some(width));
        let surplus = sum + width * (whole - k);
        // A mask of k may be anywhere where no entry is on the ramp.
        if surplus == F::zero() {
            break;
        }
        let root = start + surplus / between;
        if left == Some((whole, between)) {
            // The step did not leave the piece: its line's root is the answer.
            start = root;
            break;
        }
        (low, high) = if surplus > F::zero() { (start, high) } else { (low, start) };
        // From some number of steps on every other one halves, so that the search ends soon whatever the entries.
        let newton = Some(root).filter(|&root| low < root && root < high && (step < PATIENCE || step % 2 == 0));
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
