//! The Euclidean soft mask of the K largest entries.

use crate::lanes::Compensated;
use crate::{Real, Result, check, select};

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
/// **Cost.** Two selections and a pass for each step of Newton's method on t, rarely more than six.
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
    /// An entry relative to the largest.
    pub fn relative(&self, entry: F) -> F {
        entry - self.top
    }

    /// The mask at an entry.
    pub fn at(&self, entry: F) -> F {
        let x = self.relative(entry);
        if x >= self.start + self.width {
            F::one()
        } else if x > self.start {
            (x - self.start) / self.width
        } else {
            F::zero()
        }
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
        let scratch = check::scratch(scratch, theta.len())?;
        let ramp = self.ramp(theta, scratch);
        mask.iter_mut().zip(theta).for_each(|(h, &entry)| *h = ramp.at(entry));
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

    /// The ramp of entries that are checked; the scratch is as long.
    pub(crate) fn ramp(&self, theta: &[F], scratch: &mut [F]) -> Ramp<F> {
        let Self { k, width } = *self;
        let top = theta.iter().copied().fold(F::neg_infinity(), F::max);
        // At the lower end the k largest are whole; at the upper one no other counts, so that the mask is at most k.
        let mut low = (select::kth_value(theta, k, scratch) - top) - width;
        let mut high = if k < theta.len() { select::kth_value(theta, k + 1, scratch) - top } else { low };
        if low >= high {
            return Ramp { top, start: low, width };
        }
        // The piece that a step of Newton's came from.
        let (mut start, mut left) = ((low + high) * F::from_f64(0.5), None);
        for step in 0_usize.. {
            let piece = Piece::at(theta.iter().map(|&entry| entry - top), start, width);
            let root = piece.root(k, width);
            if left == Some((piece.whole, piece.shared)) {
                // The step did not leave it: its line's root is the answer.
                start = root.unwrap_or(start);
                break;
            }
            let is_above = root.map_or(piece.whole <= k, |root| root <= start);
            if is_above {
                high = start
            } else {
                low = start
            }
            // Now and then a step that halves the interval, so that the search ends whatever the entries.
            let newton = root.filter(|&root| low < root && root < high && step % 4 != 3);
            left = newton.map(|_| (piece.whole, piece.shared));
            start = newton.unwrap_or((low + high) * F::from_f64(0.5));
            if start <= low || start >= high {
                break;
            }
        }
        Ramp { top, start, width }
    }
}

/// The linear piece of Σ h that a start is on.
struct Piece<F> {
    /// How many entries are 1.
    whole: usize,
    /// How many are between 0 and 1, and their sum.
    shared: usize,
    sum: F,
}

impl<F: Real> Piece<F> {
    fn at(entries: impl Iterator<Item = F>, start: F, width: F) -> Self {
        let (end, mut whole, mut shared, mut sum) = (start + width, 0, 0, Compensated::zero());
        for x in entries {
            if x >= end {
                whole += 1;
            } else if x > start {
                shared += 1;
                sum.add(x);
            }
        }
        Self { whole, shared, sum: sum.sum() }
    }

    /// Where the piece's line has Σ h = whole + (sum − shared·t)/w = k, unless it is level.
    fn root(&self, k: usize, width: F) -> Option<F> {
        let missing = F::from_usize(k) - F::from_usize(self.whole);
        (self.shared > 0).then(|| (self.sum - width * missing) / F::from_usize(self.shared))
    }
}
