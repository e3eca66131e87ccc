//! Margins: by how much a label's score must lead.

use crate::{Error, Real, Result, check};

/// The margin of every class, as a loss reads it.
///
/// What a loss holds is any [`AsMargins`]: this, or a list that it borrows, owns or shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margins<'a, F> {
    /// The same for all classes.
    Uniform(F),
    /// One a class.
    PerClass(&'a [F]),
}

/// What has the margins of the classes: [`Margins`], or a list of one a class, whoever owns it: `&[F]`, `[F; L]`, `Vec<F>`, `Arc<[F]>`.
///
/// ```
/// use topk_loss::{AsMargins, Margins};
/// assert_eq!([0.5, 1.0].as_margins(), Margins::PerClass(&[0.5, 1.0]));
/// assert_eq!(Margins::Uniform(0.5).as_margins(), Margins::Uniform(0.5));
/// ```
pub trait AsMargins<F> {
    /// They themselves.
    fn as_margins(&self) -> Margins<'_, F>;
}

impl<F: Real> AsMargins<F> for Margins<'_, F> {
    fn as_margins(&self) -> Margins<'_, F> {
        *self
    }
}

impl<F: Real, T: AsRef<[F]>> AsMargins<F> for T {
    fn as_margins(&self) -> Margins<'_, F> {
        Margins::PerClass(self.as_ref())
    }
}

impl<F: Real> Margins<'_, F> {
    /// All finite, as many as there are classes where they are listed.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Uniform(margin) if margin.is_finite() => Ok(()),
            Self::Uniform(_) => Err(Error::Parameter { name: "margin", must: "finite" }),
            Self::PerClass(margins) => check::finite("margins", margins),
        }
    }

    /// The margin of one of `num_classes` classes.
    ///
    /// # Errors
    /// A label that none of the listed margins is for; another number of them than of classes.
    pub fn of(&self, label: usize, num_classes: usize) -> Result<F> {
        match *self {
            Self::Uniform(margin) => Ok(margin),
            Self::PerClass(margins) => {
                check::length("margins", margins, num_classes)?;
                check::label(margins, label)
            }
        }
    }
}

/// Margins that grow as classes get rarer: m_y = `max_margin` · n_y^(−1/4) / max_j n_j^(−1/4).
///
/// A class without examples gets `max_margin`, the limit the formula suggests; the maximum runs over the classes that have some.
///
/// **Shapes.** `counts` and `margins` one entry a class.
///
/// **Cost.** One power a class.
///
/// ```
/// use topk_loss::ldam_margins;
/// let mut margins = [0.0; 3];
/// ldam_margins(&[16, 1, 0], 0.5, &mut margins)?;
/// assert_eq!(margins, [0.25, 0.5, 0.5]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Cao, Wei, Gaidon, Arechiga, Ma, "Learning imbalanced datasets with label-distribution-aware margin loss",
/// NeurIPS 2019.
///
/// # Errors
/// Different lengths, no class, no example at all, a margin that is not positive and finite; `margins` is then as before.
pub fn ldam_margins<F: Real>(counts: &[usize], max_margin: F, margins: &mut [F]) -> Result<()> {
    check::length("margins", margins, counts.len())?;
    check::positive("max_margin", max_margin)?;
    let rarest = counts.iter().copied().filter(|&n| n > 0).min();
    let rarest = rarest.ok_or(Error::Parameter { name: "counts", must: "positive for at least one class" })?;
    for (margin, &count) in margins.iter_mut().zip(counts) {
        // One ratio and one power, so that the rarest class has exactly the largest margin.
        let share = F::from_usize(rarest) / F::from_usize(count.max(rarest));
        *margin = max_margin * share.powf(F::from_f64(0.25));
    }
    Ok(())
}
