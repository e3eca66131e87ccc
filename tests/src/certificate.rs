//! Is my piecewise linear loss top-K calibrated? Decided, and proven.
//!
//! [`calibration`](crate::calibration) says what the question is, and searches. For a loss that is linear between its kinks, finitely many
//! linear programmes decide it. The answer is a [`Certificate`], or a [`Witness`]: a distribution of the label and scores of least risk
//! that allow wrong guesses. Both are lists of whole numbers. [`verify`] checks them by code of its own.
//!
//! ```
//! use topk_loss::loss::{TopKSvm, TopKSvmForm};
//! use topk_loss::{Margins, TopKHinge};
//! use topk_loss_laws::certificate::{Cells, Verdict, certify, verify};
//!
//! let (k, cells) = (2, Cells::of_kth(4, 2)?);
//! let hinge = |margin| TopKHinge::new(k)?.with_margins(Margins::Uniform(margin));
//! let verdict = certify(hinge, k, &cells)?;
//! verify(hinge, k, &cells, &verdict)?;
//! // It is calibrated: a label that is missed beyond need costs a margin.
//! let Verdict::Calibrated(certificate) = verdict else { panic!("{verdict}") };
//! assert_eq!(certificate.slope(), 1.0);
//!
//! let older = |margin| TopKSvm::new(k, TopKSvmForm::KthOther)?.with_margins(Margins::Uniform(margin));
//! let verdict = certify(older, k, &cells)?;
//! verify(older, k, &cells, &verdict)?;
//! // It is not. By hand: of three equally likely labels one, on top, pays 0, and the others 1. No scores do better. Class 1, tied for the
//! // second guess, never happens.
//! assert_eq!(
//!     verdict.to_string(),
//!     "refuted: for the shares (1/3, 0, 1/3, 1/3) no scores are better than (1, 0, 0, 0) margins, \
//!      though the classes [0, 2], counted from 0, are likelier than the first 2"
//! );
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What the proof takes for granted
//!
//! 1. The loss depends on the sorted scores and on the label's rank alone, and a common offset of the scores changes nothing.
//! 2. On sorted scores it is linear in each of the [`Cells`].
//! 3. It is bounded below.
//!
//! Of a function that can only be called this cannot be proven. It is tested, by the laws
//! [`is_linear_in_cells`](crate::laws::is_linear_in_cells) (1 and 2), [`ignores_a_common_offset`](crate::laws::ignores_a_common_offset) and
//! [`is_never_negative`](crate::laws::is_never_negative). All else is exact: the numbers are the loss's own values, taken at scores where
//! they are whole.
//!
//! A verdict is on the loss of the margin it names. A hinge of another margin is the same in another unit.
//!
//! # The theorem
//!
//! Scores allow some K guesses. Name the classes anew, so that the scores are sorted and the guesses are the first K classes, T. They are
//! wrong for η if some other K classes S are likelier, η(S) > η(T). So the loss is calibrated if and only if no sorted scores attain the
//! infimum of the risk for any such η.
//!
//! *Corners are enough.* Sorted scores whose last is 0 form a cone that contains no line. So its cells are polyhedra with corners. In a
//! cell the risk is linear and bounded below: it is nowhere less than at some corner. Hence the infimum is the least risk of the corners w,
//! in any order of the classes, and sorted scores attain it if and only if some corner v does.
//!
//! *Programmes decide.* For each v and S, maximise η(S) − η(T) over all η ≥ 0 with R(v) − R(w) ≤ 1 for every w. All of this is linear in η.
//! - If the maximum is infinite, it grows along a ray. There η(S) > η(T), and R(v) ≤ R(w) for every w: v is a witness.
//! - If it is some b, the dual programme has weights λ ≥ 0 of sum b such that, for each label y,
//!   Σ λ_w (ℓ(v, y) − ℓ(w, y)) ≥ \[y ∈ S\] − \[y ∈ T\]. Times η_y, and summed: η(S) − η(T) ≤ b (R(v) − inf R). Wrong guesses cost.
//!
//! The weights for every v and S are the certificate. The largest b says how many labels a risk above the infimum can miss beyond need; its
//! inverse is the [slope](Certificate::slope) of the calibration function. That every calibrated piecewise linear loss has such a rate is a
//! theorem of Frongillo and Waggoner; here is its value.
//!
//! *Few orders are needed.* The best order of w for η gives the least loss to the likeliest label, and so on. An order enters the programme
//! when an η asks for it.
//!
//! # Your own loss
//!
//! Write down its [cuts](Cut): where it bends, on sorted scores, for each rank of the label. Too many only take time; a missing one the law
//! finds. Losses with a margin or weight for each class do not fulfil 1; they are left to [`calibration`](crate::calibration).
//!
//! # What is known
//!
//! Of this library's hinges, for every K < L from 3 to 7 (`tests/certificate.rs`):
//!
//! | loss | top-K calibrated |
//! |---|---|
//! | calibrated hinge | yes, slope 1 |
//! | polyhedral hinge | yes, slope 1/max(K + 1, L − K + 1) |
//! | `KthOther`, `MeanInside` | for L = K + 1 ≥ 3 only, slope 1 |
//! | `MeanWithLabel`, `MeanOutside` | no |
//!
//! **References.** Yang, Koyejo, "On the consistency of top-k surrogate losses", ICML 2020; Frongillo, Waggoner, "Surrogate regret bounds
//! for polyhedral losses", NeurIPS 2021. The decision by corners, and its certificate, are this library's own.

mod cells;
mod programme;
mod rational;
mod rivals;
mod verdict;
mod verify;

use topk_loss::{Error, Loss, Result};

pub use self::cells::{Cells, Cut};
pub use self::verdict::{Bound, Certificate, Verdict, Witness};
pub use self::verify::verify;
use programme::{Optimum, maximise};
use rational::{least_common_multiple, over_common_denominator};
use rivals::{Point, Rivals, risk};

/// More classes have too many cells.
const MOST_CLASSES: usize = 8;

/// Decides whether a loss is top-K calibrated; see the [module](self).
///
/// `with_margin` makes the loss for a margin, the unit of the cells. It is called with one for which the corners are multiples of 1, 2, …,
/// L: means of their scores are whole, and the loss is computed without rounding. A loss that is not whole there is refused.
///
/// **Cost.** A system of equations for each L − 1 of the cuts and the L − 1 ties of neighbours, then a linear programme for each corner and
/// each K of the classes: at most seconds for six classes.
///
/// See the [module](self) for an example.
///
/// # Errors
/// K = 0, K ≥ L, more than 8 classes, the loss's own, a loss that is not whole, numbers beyond 128 bits.
pub fn certify<L: Loss<f64>>(with_margin: impl Fn(f64) -> Result<L>, k: usize, cells: &Cells) -> Result<Verdict> {
    let num_classes = cells.num_classes();
    cells::check_k(k, num_classes)?;
    if num_classes > MOST_CLASSES {
        return Err(Error::Parameter { name: "num_classes", must: "at most 8" });
    }
    let (margin, corners) = whole_corners(cells)?;
    let loss = with_margin(margin as f64)?;
    let points = corners.into_iter().map(|scores| Point::new(&loss, scores)).collect::<Result<Vec<_>>>()?;
    let rivals = Rivals::new(&points);
    let mut bounds = vec![];
    for point in &points {
        let mut known = vec![];
        for likelier in others(k, num_classes) {
            match price(point, &likelier, &rivals, &mut known)? {
                Price::Bounded { rivals, divisor } => bounds.push(Bound { scores: point.scores.clone(), likelier, rivals, divisor }),
                Price::Free { shares } => {
                    return Ok(Verdict::Refuted(Witness { margin, shares, scores: point.scores.clone(), likelier }));
                }
            }
        }
    }
    Ok(Verdict::Calibrated(Certificate { margin, bounds }))
}

/// The corners for a margin for which they, and the means of their scores, are whole.
fn whole_corners(cells: &Cells) -> Result<(i64, Vec<Vec<i64>>)> {
    let corners = cells.corners();
    let (all, denominator) = over_common_denominator(&corners.concat())?;
    let means = (1..=cells.num_classes() as i128).try_fold(1, least_common_multiple);
    let whole = || {
        let means = means?;
        let margin = i64::try_from(denominator.checked_mul(means)?).ok()?;
        let scores = all.iter().map(|&score| i64::try_from(score.checked_mul(means)?).ok()).collect::<Option<Vec<_>>>()?;
        Some((margin, scores.chunks(cells.num_classes()).map(<[_]>::to_vec).collect()))
    };
    whole().ok_or(Error::Overflow { what: "a corner" })
}

/// Every set of K classes but the first K.
fn others(k: usize, num_classes: usize) -> impl Iterator<Item = Vec<usize>> {
    let first = (1_u32 << k) - 1;
    let sets = (0..1_u32 << num_classes).filter(move |&set| set.count_ones() as usize == k && set != first);
    sets.map(move |set| (0..num_classes).filter(|class| set >> class & 1 == 1).collect())
}

/// What it costs to guess the first K classes.
enum Price {
    Bounded { rivals: Vec<(i128, Vec<i64>)>, divisor: i128 },
    Free { shares: Vec<i128> },
}

/// Maximises by how much the `likelier` classes are likelier than the guesses, over all η ≥ 0 for which the point's risk is at most 1 above
/// any rival's. The programme is of the `known` rivals, and of those that its solutions ask for.
fn price(point: &Point, likelier: &[usize], rivals: &Rivals, known: &mut Vec<Point>) -> Result<Price> {
    let regret: Vec<i64> =
        (0..point.scores.len()).map(|class| i64::from(likelier.contains(&class)) - i64::from(class < likelier.len())).collect();
    loop {
        let rows: Vec<Vec<i64>> = known.iter().map(|rival| point.excess(rival)).collect();
        let (shares, allowed, multipliers) = match maximise(&regret, &rows) {
            Optimum::Bounded { x, multipliers } => {
                let (shares, one) = over_common_denominator(&x)?;
                (shares, one, Some(multipliers))
            }
            Optimum::Unbounded { ray } => (over_common_denominator(&ray)?.0, 0, None),
        };
        let rival = rivals.best(&shares)?;
        let excess = risk(&shares, &point.excess(&rival))?;
        if excess > allowed {
            known.push(rival);
            continue;
        }
        let Some(multipliers) = multipliers else { return Ok(Price::Free { shares }) };
        let (weights, divisor) = over_common_denominator(&multipliers)?;
        let weighted = weights.into_iter().zip(&*known).filter(|&(weight, _)| weight > 0);
        let rivals = weighted.map(|(weight, rival)| (weight, rival.scores.clone())).collect();
        return Ok(Price::Bounded { rivals, divisor });
    }
}
