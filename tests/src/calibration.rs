//! Is my loss top-K calibrated?
//!
//! Training lowers a loss; what is wanted is few labels outside the K guesses. Whether the one leads to the other, with enough data and a
//! model that can express anything, is decided one input at a time. There the label has some distribution η, and the model's scores s
//! have the *conditional risk* R(s) = Σ_y η_y ℓ(s, y). Scores are **top-K preserving** for η when the K guesses they allow, ties broken
//! in any way, are K likeliest classes ([`is_preserving`]). The loss is **top-K calibrated** if, whatever η is, scores that are not
//! preserving have a risk strictly above the infimum: no minimiser of the loss makes wrong guesses.
//!
//! A loss that is not calibrated need not be bad, but for some inputs its minimum is indifferent between right and wrong guesses, and
//! more data does not help there. Three lines tell:
//!
//! ```
//! use topk_loss::loss::{TopKSvm, TopKSvmForm};
//! use topk_loss::{Margins, Smoothing, TopKHinge};
//! use topk_loss_laws::calibration::{Search, is_preserving, top_k_calibrated};
//!
//! let (k, num_classes, margins) = (2, 4, Margins::Uniform(1.0));
//! let lapin = TopKSvm::new(k, TopKSvmForm::MeanWithLabel)?.with_margins(margins)?;
//! let verdict = top_k_calibrated(&lapin, k, num_classes, &Search::default())?;
//! assert!(verdict.is_refuted(), "{verdict}");
//!
//! // A counter-example can be checked by hand: the first guess is safe, but classes 1, 2 and 3 are tied for the second, and 3 never happens.
//! let witness = verdict.witness();
//! assert_eq!((&witness.shares[..], &witness.scores[..]), (&[0.75, 0.125, 0.125, 0.0][..], &[1.0, 0.0, 0.0, 0.0][..]));
//! assert!(!is_preserving(&witness.scores, &witness.shares, k) && witness.gap() == 0.0);
//!
//! let calibrated = TopKHinge::new(k)?.with_margins(margins)?;
//! let verdict = top_k_calibrated(&calibrated, k, num_classes, &Search::default())?;
//! assert!(!verdict.is_refuted(), "{verdict}");
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! **Your own loss** needs to be a [`Loss`] over `f64`, with a value and a gradient (test that one first); it may have kinks and need
//! not be convex. A few classes are enough: K + 1 and K + 2 may behave differently, more than that rarely do. Set [`Search::unit`]
//! to the loss's margin, or to the scale on which its scores matter.
//!
//! **How to read a verdict.** The witness of [`Verdict::Refuted`] is a fact: these scores have this risk and allow these wrong guesses.
//! That no scores have a lower risk (or at most by [`CALIBRATION_GAP`]) is what was found by searching, with one exception: for a loss
//! that is linear wherever no difference of two scores crosses 0 or ±unit, like a hinge over an order statistic, every vertex is
//! searched, for every set of guesses, and the refutation is a proof but for rounding. `CalibratedAsFarAsTested` is evidence: other η
//! may refute the loss. Look at the gap of the closest η. It cannot be large, because wrong guesses that cost few labels may cost
//! little; but beside the regret it should not look like zero. For how it falls with the regret see [`calibration_curve`].
//! For a loss that is linear between kinks a [certificate](crate::certificate) takes the place of evidence.
//!
//! **How it searches.** Over distributions with zeros, with ties, near the uniform one, with contenders for the K-th place that are
//! nearly equal, and random ones. For each, and for each set of K guesses, from the best weak orders of the classes (all of them are
//! tried) and from ln η, downhill by a quasi-Newton method that copes with kinks, then along every subset of the classes with shrinking
//! steps. The best wrong scores found are finally released: if the risk falls once wrong guesses are not imposed, there is a gap.
//! Nothing is random but by a fixed key.
//!
//! **What is known** of the losses here (`tests/calibration.rs` has the verdicts, for K up to 3 and L from 3 to 6):
//!
//! | loss | top-K calibrated |
//! |---|---|
//! | calibrated hinge | yes (Yang and Koyejo; [certified](crate::certificate)) |
//! | polyhedral hinge | yes (the proof is in its documentation; certified) |
//! | top-K margin cross-entropy | not refuted |
//! | its exact smoothing by normal noise of scale ε | refuted if ε c > m, c the expected maximum of K + 1 normal numbers: then K + 1 tied classes all lead the smoothed order statistic by m and cost nothing (K = 1: ε > 1.77 m, K = 3: 0.97 m, K = 5: 0.79 m); not refuted below |
//! | `TopKSvm`, K = 1 (Crammer and Singer) | no, for L ≥ 3 |
//! | `KthOther`, `MeanInside`, K ≥ 2 | no, for L ≥ K + 2; yes for L = K + 1, where only the unlikeliest class must be found (certified) |
//! | `MeanWithLabel`, `MeanOutside` | no |
//! | cross-entropy, top-K cross-entropy | not refuted |
//! | smooth top-K SVM | not refuted, but the gap vanishes with the temperature, towards its hard limit `KthOther` |
//!
//! Why yes for L = K + 1, with μ the least share: `MeanInside` of scores with mean 0 is (u_y)₊ with u_y = m − (L/K) s_y, and Σ u = L m.
//! So the risk is at least L m μ, and a class j at the lowest score, where u_j ≥ m, adds (η_j − μ) m to that. The risk of `KthOther`,
//! with z the lowest class and w the next, d above it, is at least η_z (m + d) + η_w (m − d)₊, which is at least m(η_z + η_w) at a tie,
//! at least min(m(η_z + η_w), 2m η_z) otherwise, and 2m μ at best: above that wherever η_z > μ or a likelier w is tied with z.
//!
//! **References.** Yang, Koyejo, "On the consistency of top-k surrogate losses", ICML 2020; Bartlett, Jordan, McAuliffe, "Convexity,
//! classification, and risk bounds", JASA 101, 2006; Steinwart, "How to compare different loss functions and their risks", Constructive
//! Approximation 26, 2007 (the calibration function).

mod candidates;
mod explore;
mod minimum;
mod risk;
mod selection;
mod shares;
mod verdict;

use candidates::Candidates;
use topk_loss::{Error, Key, Loss, Result};

pub use self::selection::is_preserving;
pub use self::verdict::{Verdict, Witness};
use crate::tolerances::CALIBRATION_GAP;

/// How widely to search; the default is meant for losses with a margin of 1 and scores of that size.
///
/// ```
/// use topk_loss_laws::calibration::Search;
/// let search = Search { unit: 0.5, ..Search::default() }; // for a margin of one half
/// assert_eq!((search.radius, search.parts), (40.0, 8));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// The distance of scores at which the loss may have a kink: its margin. Steps and candidates are multiples of it.
    pub unit: f64,
    /// No two scores are further apart. Infima at infinity are approached to about exp(−radius) for logarithmic losses.
    pub radius: f64,
    /// Among the distributions are all whose shares are multiples of 1/parts, in descending order.
    pub parts: usize,
    /// How many random distributions.
    pub random: usize,
    /// From how many points to go downhill, for each distribution, among wrong guesses and among right ones.
    pub descents: usize,
    /// Where the random distributions come from.
    pub key: Key,
}

impl Search {
    /// The default search as a constant: for a margin of 1. See [`Search`] for an example.
    pub const DEFAULT: Self = Self { unit: 1.0, radius: 40.0, parts: 8, random: 12, descents: 6, key: Key::new(0) };
}

impl Default for Search {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// By how much contenders for the K-th place lead the next class, where they do so slightly.
const LEADS: [f64; 6] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4];

/// Looks for a distribution of the label for which scores that are not top-K preserving are as good as any; see the [module](self).
///
/// **Cost.** L · Lᴸ calls of the loss at most for the candidates, then some thousand calls a distribution.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::calibration::{Search, Verdict, top_k_calibrated};
/// let Verdict::CalibratedAsFarAsTested { closest, .. } = top_k_calibrated(&CrossEntropy, 1, 3, &Search::default())? else { panic!() };
/// // Nearly equal contenders: the gap is half of the squared regret.
/// assert_eq!(closest.shares, [0.505, 0.495, 0.0]);
/// assert!((closest.gap() - 0.5 * closest.regret.powi(2)).abs() < 1e-7);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// K = 0, K ≥ L, and the loss's own where all scores are equal. Elsewhere scores for which the loss is an error are avoided.
///
/// # Panics
/// More than 8 classes.
pub fn top_k_calibrated<L: Loss<f64>>(loss: &L, k: usize, num_classes: usize, search: &Search) -> Result<Verdict> {
    let candidates = prepare(loss, k, num_classes, search)?;
    let mut verdict: Option<Verdict> = None;
    for shares in shares::shares(k, num_classes, &LEADS, search)? {
        let witnesses = explore::witnesses(loss, k, &shares, &candidates, search, search.descents);
        let Some(witness) = least_gap(witnesses) else { continue };
        if witness.gap() <= CALIBRATION_GAP * candidates.size {
            return Ok(Verdict::Refuted(witness));
        }
        verdict = Some(match verdict {
            Some(Verdict::CalibratedAsFarAsTested { tried, closest }) => {
                let closest = least_gap(vec![closest, witness]).expect("two witnesses");
                Verdict::CalibratedAsFarAsTested { tried: tried + 1, closest }
            }
            _ => Verdict::CalibratedAsFarAsTested { tried: 1, closest: witness },
        });
    }
    Ok(verdict.expect("some shares differ"))
}

/// The calibration function H at some regrets: how little scores can cost beyond the infimum whose guesses miss so many labels more than
/// need be.
///
/// H(t) = inf {R(s) − inf R : the regret of s is at least t}, over η and s; a loss is calibrated if and only if H(t) > 0 for every t > 0.
/// If H is convex, a model whose risk exceeds the infimum by r misses at most H⁻¹(r) labels beyond need. For the calibrated hinge H(t) =
/// m t.
///
/// Each point is given with the scores that attain it; their [gap](Witness::gap) is an upper bound of H, over the distributions tried.
/// Regrets that none of these has are left out.
///
/// **Cost.** As [`top_k_calibrated`], with descents from every set of guesses.
///
/// ```
/// use topk_loss::{Margins, Smoothing, TopKHinge};
/// use topk_loss_laws::calibration::{Search, calibration_curve};
/// let hinge = TopKHinge::new(2)?.with_margins(Margins::Uniform(0.5))?;
/// let curve = calibration_curve(&hinge, 2, 3, &[0.05, 0.1, 0.2], &Search { unit: 0.5, ..Search::default() })?;
/// for (regret, witness) in curve {
///     assert!((witness.gap() - 0.5 * regret).abs() < 1e-12);
/// }
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// As [`top_k_calibrated`].
///
/// # Panics
/// More than 8 classes.
pub fn calibration_curve<L: Loss<f64>>(
    loss: &L,
    k: usize,
    num_classes: usize,
    regrets: &[f64],
    search: &Search,
) -> Result<Vec<(f64, Witness)>> {
    const ROUNDING: f64 = 1e-12;
    let candidates = prepare(loss, k, num_classes, search)?;
    let mut curve: Vec<(f64, Option<Witness>)> = regrets.iter().map(|&regret| (regret, None)).collect();
    for shares in shares::shares(k, num_classes, regrets, search)? {
        let witnesses = explore::witnesses(loss, k, &shares, &candidates, search, usize::MAX);
        for (regret, lowest) in &mut curve {
            let far = witnesses.iter().filter(|witness| witness.regret >= *regret - ROUNDING).cloned();
            *lowest = least_gap(lowest.take().into_iter().chain(far));
        }
    }
    Ok(curve.into_iter().filter_map(|(regret, lowest)| Some((regret, lowest?))).collect())
}

fn prepare<L: Loss<f64>>(loss: &L, k: usize, num_classes: usize, search: &Search) -> Result<Candidates> {
    assert!(num_classes <= 8, "the weak orders of {num_classes} classes are too many");
    if k == 0 || k >= num_classes {
        return Err(Error::K { k, max: num_classes.saturating_sub(1) });
    }
    Candidates::new(loss, num_classes, search.unit)
}

fn least_gap(witnesses: impl IntoIterator<Item = Witness>) -> Option<Witness> {
    witnesses.into_iter().reduce(|best, other| if other.gap() < best.gap() { other } else { best })
}
