//! Margins: by how much a label's score must lead.

use crate::{Error, Real, Result, check};

/// The margin of every class, as a loss reads it.
///
/// What a loss holds is any [`AsMargins`]: this, or a list that it borrows, owns or shares.
///
/// ```
/// use topk_loss::loss::Hinge;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss::{Loss, Margins};
/// // The second class is rare, and its score should lead by more.
/// let hinge = Hinge::new(KthLargest::new(2)?, Margins::PerClass(&[0.5, 2.0]), 1.0)?;
/// assert_eq!(hinge.value(&[1.0, 1.0], 0, &mut [0.0; 4])?, 0.5);
/// assert_eq!(hinge.value(&[1.0, 1.0], 1, &mut [0.0; 4])?, 2.0);
/// # Ok::<(), topk_loss::Error>(())
/// ```
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
/// use topk_loss::loss::AsMargins;
/// use topk_loss::Margins;
/// assert_eq!([0.5, 1.0].as_margins(), Margins::PerClass(&[0.5, 1.0]));
/// assert_eq!(Margins::Uniform(0.5).as_margins(), Margins::Uniform(0.5));
/// ```
pub trait AsMargins<F> {
    /// The margins, as a loss reads them.
    ///
    /// ```
    /// use topk_loss::Margins;
    /// use topk_loss::loss::AsMargins;
    /// assert_eq!(vec![0.5, 1.0].as_margins(), Margins::PerClass(&[0.5, 1.0]));
    /// ```
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

    /// All positive too.
    pub(crate) fn check_positive(&self) -> Result<()> {
        match self {
            Self::Uniform(margin) => check::positive("margin", *margin).map(|_| ()),
            Self::PerClass(margins) => {
                check::finite("margins", margins)?;
                margins.iter().try_for_each(|&margin| check::positive("margins", margin).map(|_| ()))
            }
        }
    }

    /// The margin of one of `num_classes` classes.
    ///
    /// ```
    /// use topk_loss::{Error, Margins};
    /// let margins = Margins::PerClass(&[0.5, 2.0]);
    /// assert_eq!(margins.of(1, 2), Ok(2.0));
    /// assert_eq!(margins.of(2, 2), Err(Error::Label { label: 2, num_classes: 2 }));
    /// ```
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
