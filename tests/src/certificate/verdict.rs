//! The verdict of a certificate: what is proven of a loss, as whole numbers that anyone can check.

use core::fmt;

use num_rational::Ratio;

/// What wrong guesses cost at one corner of the cells.
///
/// See [`Verdict`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The corner: scores in descending order. Its guesses are the first K classes.
    pub scores: Vec<i64>,
    /// Other K classes, as many as may be likelier.
    pub likelier: Vec<usize>,
    /// Scores that would be better if those were likelier, with their weights w, each at least 0.
    pub rivals: Vec<(i128, Vec<i64>)>,
    /// For each label, Σ w (ℓ(scores) − ℓ(rival)) is at least this, if it is one of the likelier classes, less this, if it is one of the
    /// guesses.
    pub divisor: i128,
}

/// Why a loss is calibrated: a [`Bound`] for each corner of its cells, and each set of K classes that the corner does not guess.
///
/// See [`Verdict`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The margin of the loss, for which all numbers are whole.
    pub margin: i64,
    /// A bound for each corner and each set of classes.
    pub bounds: Vec<Bound>,
}

impl Certificate {
    /// The least price of a label that is missed beyond need, in margins: what the calibration function H(t) ≥ slope · t rises by.
    ///
    /// Scores whose guesses are right less often than the best ones, by a share t of the labels, have a risk of at least slope · t · margin
    /// above the infimum. For a certificate of [`certify`](super::certify) there is no larger slope of which this is true.
    ///
    /// **Cost.** One pass over the bounds. See [`Verdict`] for an example.
    #[must_use]
    pub fn slope(&self) -> f64 {
        let slopes = self.bounds.iter().map(|bound| {
            let price: f64 = bound.rivals.iter().map(|&(weight, _)| weight as f64).sum();
            bound.divisor as f64 / (price * self.margin as f64)
        });
        slopes.fold(f64::INFINITY, f64::min)
    }
}

/// Why a loss is not calibrated.
///
/// See the [module](super) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The margin of the loss, for which all numbers are whole.
    pub margin: i64,
    /// The distribution η of the label, times the sum of these.
    pub shares: Vec<i128>,
    /// Scores in descending order, with the least risk that there is. They allow the first K classes to be guessed.
    pub scores: Vec<i64>,
    /// Other K classes, which are likelier.
    pub likelier: Vec<usize>,
}

/// Whether a loss is top-K calibrated, with the proof; see [`certify`](super::certify).
///
/// ```
/// use topk_loss::{Margins, TopKHinge};
/// use topk_loss_laws::certificate::{Cells, Verdict, certify};
/// let hinge = |margin| TopKHinge::new(1)?.with_margins(Margins::Uniform(margin));
/// let verdict = certify(hinge, 1, &Cells::of_kth(3, 1)?)?;
/// assert!(verdict.witness().is_none() && verdict.margin() > 0);
/// let Verdict::Calibrated(certificate) = verdict else { panic!("{verdict}") };
/// assert_eq!(certificate.slope(), 1.0);
/// assert!(certificate.bounds.iter().all(|bound| bound.likelier != [0])); // the first class is the guess
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The loss is calibrated, and here is why.
    Calibrated(Certificate),
    /// The loss is not calibrated, and here is where.
    Refuted(Witness),
}

impl Verdict {
    /// The counter-example, if the loss is not calibrated. See [`Verdict`] for an example.
    #[must_use]
    pub fn witness(&self) -> Option<&Witness> {
        match self {
            Self::Calibrated(_) => None,
            Self::Refuted(witness) => Some(witness),
        }
    }

    /// The margin of the loss, for which all numbers are whole. See [`Verdict`] for an example.
    #[must_use]
    pub fn margin(&self) -> i64 {
        match self {
            Self::Calibrated(Certificate { margin, .. }) | Self::Refuted(Witness { margin, .. }) => *margin,
        }
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list<T: Copy + Into<i128>>(numbers: &[T], unit: i128) -> String {
            let over = |number: &T| Ratio::new((*number).into(), unit.max(1)).to_string();
            numbers.iter().map(over).collect::<Vec<_>>().join(", ")
        }
        let shares = list(&self.shares, self.shares.iter().copied().fold(0, i128::saturating_add));
        let (scores, likelier) = (list(&self.scores, self.margin.into()), &self.likelier);
        write!(f, "for the shares ({shares}) no scores are better than ({scores}) margins, ")?;
        write!(f, "though the classes {likelier:?}, counted from 0, are likelier than the first {}", likelier.len())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calibrated(certificate) => {
                write!(
                    f,
                    "calibrated, by {} bounds; a label that is missed beyond need costs at least {:.4} margins",
                    certificate.bounds.len(),
                    certificate.slope()
                )
            }
            Self::Refuted(witness) => write!(f, "refuted: {witness}"),
        }
    }
}
