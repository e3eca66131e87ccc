//! The verdict of a search for a counter-example: refuted with a witness, or not refuted as far as tested.

use core::fmt;

/// Scores that choose wrong guesses for a distribution of the label, beside the best scores for it.
///
/// ```
/// use topk_loss_laws::calibration::Witness;
/// let (shares, scores, best_scores) = (vec![0.6, 0.4], vec![0.0, 0.0], vec![1.0, 0.0]);
/// let witness = Witness { shares, scores, risk: 1.0, regret: 0.2, best_scores, least_risk: 0.75 };
/// assert_eq!(witness.gap(), 0.25);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Witness {
    /// The distribution η of the label.
    pub shares: Vec<f64>,
    /// Scores that are not top-K preserving for η.
    pub scores: Vec<f64>,
    /// Their conditional risk Σ η_y ℓ(s, y).
    pub risk: f64,
    /// By how much their guesses, ties broken for the worse, are right less often than the best guesses.
    pub regret: f64,
    /// The best scores found.
    pub best_scores: Vec<f64>,
    /// Their conditional risk.
    pub least_risk: f64,
}

impl Witness {
    /// What the wrong scores cost more than the best ones: the difference of the two risks. See [`Witness`] for an example.
    #[must_use]
    pub fn gap(&self) -> f64 {
        self.risk - self.least_risk
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |numbers: &[f64]| numbers.iter().map(|x| format!("{:.4}", x + 0.0)).collect::<Vec<_>>().join(", ");
        write!(f, "for the shares ({}) the scores ({}) ", list(&self.shares), list(&self.scores))?;
        write!(f, "have the risk {:.9} and miss {:.4} more labels than need be; ", self.risk, self.regret)?;
        if self.gap() <= 0.0 {
            return write!(f, "no scores with less were found");
        }
        write!(f, "the best scores found, ({}), have {:.9}: a gap of {:.2e}", list(&self.best_scores), self.least_risk, self.gap())
    }
}

/// Whether a loss is top-K calibrated, as far as a search can tell; see [`top_k_calibrated`](super::top_k_calibrated).
///
/// See the [module](super) for an example of both.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Wherever it was tried, scores that are not top-K preserving cost more. Evidence, no proof.
    CalibratedAsFarAsTested {
        /// On how many distributions of the label.
        tried: usize,
        /// Where the gap was smallest.
        closest: Witness,
    },
    /// For some distribution of the label, scores that are not top-K preserving cost as little as any that were found.
    Refuted(Witness),
}

impl Verdict {
    /// The counter-example, or what came closest to one. See the [module](super) for an example.
    #[must_use]
    pub fn witness(&self) -> &Witness {
        match self {
            Self::CalibratedAsFarAsTested { closest: witness, .. } | Self::Refuted(witness) => witness,
        }
    }

    /// Whether there is a counter-example. See the [module](super) for an example.
    #[must_use]
    pub fn is_refuted(&self) -> bool {
        matches!(self, Self::Refuted(_))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CalibratedAsFarAsTested { tried, closest } => write!(f, "not refuted by {tried} distributions; the closest: {closest}"),
            Self::Refuted(witness) => write!(f, "refuted: {witness}"),
        }
    }
}
