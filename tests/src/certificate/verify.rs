//! Checks a verdict by code that shares nothing with what found it: whole numbers of 128 bits, no linear programme.

use std::collections::{BTreeSet, HashMap};

use topk_loss::{Loss, Result};

use super::{Bound, Cells, Certificate, Verdict, Witness};
use crate::Violation;
use crate::laws::Law;

type Verified<T> = core::result::Result<T, Violation>;

const LAW: Law = Law("certificate");

/// Checks a verdict: of a certificate every bound, of a witness that no scores are better. The arguments are
/// [`certify`](super::certify)'s.
///
/// **Cost.** At most seconds for six classes. See the [module](super) for an example.
///
/// # Errors
/// What is wrong with it.
pub fn verify<L: Loss<f64>>(with_margin: impl Fn(f64) -> Result<L>, k: usize, cells: &Cells, verdict: &Verdict) -> Verified<()> {
    let (num_classes, margin) = (cells.num_classes(), verdict.margin());
    require(0 < k && k < num_classes, "the guesses", k, "at least 1 and fewer than the classes")?;
    require(margin > 0, "the margin", margin, "above 0")?;
    let loss = with_margin(margin as f64).map_err(|error| LAW.violation("the loss", error, "a loss"))?;
    let losses = |scores: &[i64]| whole_losses(&loss, scores, num_classes);
    let corners = corners(cells, margin)?;
    match verdict {
        Verdict::Calibrated(Certificate { bounds, .. }) => {
            let bounds: HashMap<_, _> = bounds.iter().map(|bound| ((&bound.scores[..], &bound.likelier[..]), bound)).collect();
            for corner in &corners {
                for likelier in subsets(0, num_classes, k).iter().filter(|set| set.iter().any(|&class| class >= k)) {
                    let place = format!("the bound at {corner:?} for {likelier:?}");
                    let bound = bounds.get(&(&corner[..], &likelier[..])).ok_or_else(|| LAW.violation(&place, "missing", "there"))?;
                    require(is_bound(bound, k, losses)?, place, format_args!("{bound:?}"), "a bound")?;
                }
            }
            Ok(())
        }
        Verdict::Refuted(Witness { shares, scores, likelier, .. }) => {
            require(subsets(0, num_classes, k).contains(likelier), "the likelier classes", format_args!("{likelier:?}"), "K classes")?;
            require(shares.len() == num_classes && shares.iter().all(|&share| share >= 0), "a share", "wrong", "at least 0")?;
            let own = losses(scores)?;
            require(scores[..k].iter().min() >= scores[k..].iter().max(), "a guess", "not allowed", "among the K largest scores")?;
            let (total, guessed) = (sum(likelier.iter().map(|&class| Some(shares[class]))), sum(shares[..k].iter().copied().map(Some)));
            require(fits(total)? > fits(guessed)?, "the likelier classes", "not likelier", "likelier than the guesses")?;
            let risk = fits(dot(shares, &own))?;
            let mut ranked = shares.clone();
            ranked.sort_unstable_by_key(|&share| core::cmp::Reverse(share));
            for corner in corners {
                // The least risk of all orders of the corner's scores: the least loss for the likeliest label.
                let mut losses = losses(&corner)?;
                losses.sort_unstable();
                let least = fits(dot(&ranked, &losses))?;
                require(risk <= least, "the risk", risk, format_args!("at most {least}, as in some order of {corner:?}"))?;
            }
            Ok(())
        }
    }
}

fn require(holds: bool, place: impl core::fmt::Display, found: impl core::fmt::Display, expected: impl core::fmt::Display) -> Verified<()> {
    if holds { Ok(()) } else { Err(LAW.violation(place, found, expected)) }
}

fn fits<T>(number: Option<T>) -> Verified<T> {
    number.ok_or_else(|| LAW.violation("a number", "beyond 128 bits", "below"))
}

fn sum(terms: impl IntoIterator<Item = Option<i128>>) -> Option<i128> {
    terms.into_iter().try_fold(0_i128, |sum, term| sum.checked_add(term?))
}

fn dot(a: &[i128], b: &[i128]) -> Option<i128> {
    sum(a.iter().zip(b).map(|(a, b)| a.checked_mul(*b)))
}

/// Whether Σ w (ℓ(scores) − ℓ(rival)) ≥ divisor · (1 for the likelier − 1 for the guesses), label by label, and no weight is negative.
fn is_bound(bound: &Bound, k: usize, losses: impl Fn(&[i64]) -> Verified<Vec<i128>>) -> Verified<bool> {
    let own = losses(&bound.scores)?;
    let rivals = bound.rivals.iter().map(|(weight, scores)| Ok((*weight, losses(scores)?))).collect::<Verified<Vec<_>>>()?;
    let mut holds = bound.divisor > 0 && rivals.iter().all(|&(weight, _)| weight >= 0);
    for (label, own) in own.iter().enumerate() {
        let excess = fits(sum(rivals.iter().map(|(weight, losses)| weight.checked_mul(own.checked_sub(losses[label])?))))?;
        let regret = i128::from(bound.likelier.contains(&label)) - i128::from(label < k);
        holds &= excess >= fits(regret.checked_mul(bound.divisor))?;
    }
    Ok(holds)
}

/// The loss of every label; a number that is not whole may be rounded, and is refused.
fn whole_losses(loss: &impl Loss<f64>, scores: &[i64], num_classes: usize) -> Verified<Vec<i128>> {
    let is_exact = |number: f64| number.fract() == 0.0 && number.abs() < 2_f64.powi(53);
    let floats: Vec<f64> = scores.iter().map(|&score| score as f64).collect();
    require(floats.len() == num_classes && floats.iter().all(|&score| is_exact(score)), "the scores", "wrong", "whole, below 2^53")?;
    let mut scratch = vec![0.0; loss.scratch_len(num_classes)];
    let losses = (0..num_classes).map(|label| match loss.value(&floats, label, &mut scratch) {
        Ok(value) if is_exact(value) => Ok(value as i128),
        found => Err(LAW.violation(format_args!("the loss of label {label} at {scores:?}"), format_args!("{found:?}"), "whole")),
    });
    losses.collect()
}

/// The points with s₁ ≥ s₂ ≥ … = 0 where L − 1 independent hyperplanes meet: cuts, and sᵢ = sᵢ₊₁.
fn corners(cells: &Cells, margin: i64) -> Verified<BTreeSet<Vec<i64>>> {
    let unknowns = cells.num_classes() - 1;
    let ties = (0..unknowns).map(|i| (0..=unknowns).map(|j| Some(i128::from(j == i) - i128::from(j == i + 1 && j < unknowns))).collect());
    let cuts = cells.cuts().iter().map(|cut| {
        let normal = cut.normal[..unknowns].iter().map(|&entry| Some(entry.into()));
        normal.chain([i128::from(cut.offset).checked_mul(margin.into())]).collect()
    });
    let hyperplanes = fits(ties.chain(cuts).collect::<Option<Vec<Vec<i128>>>>())?;
    let mut corners = BTreeSet::new();
    for meeting in subsets(0, hyperplanes.len(), unknowns) {
        let Some((det, mut scores)) = fits(solve(meeting.iter().map(|&i| hyperplanes[i].clone()).collect()))? else { continue };
        scores.push(0);
        if scores.is_sorted_by(|a, b| a >= b) {
            let whole = scores.iter().map(|score| (score % det == 0).then(|| i64::try_from(score / det).ok())?).collect();
            corners.insert(fits(whole)?);
        }
    }
    Ok(corners)
}

/// |d| and |d| · x, d the equations' determinant, by Bareiss and Jordan: `None` beyond 128 bits, nothing in it where d = 0.
fn solve(mut rows: Vec<Vec<i128>>) -> Option<Option<(i128, Vec<i128>)>> {
    let mut before = 1;
    for column in 0..rows.len() {
        let Some(next) = (column..rows.len()).find(|&row| rows[row][column] != 0) else { return Some(None) };
        rows.swap(column, next);
        let by = rows[column].clone();
        for row in (0..rows.len()).filter(|&row| row != column) {
            let factor = rows[row][column];
            for (entry, by_entry) in rows[row].iter_mut().zip(&by) {
                *entry = entry.checked_mul(by[column])?.checked_sub(factor.checked_mul(*by_entry)?)?.checked_div(before)?;
            }
        }
        before = by[column];
    }
    let positive = |row: &Vec<i128>| row[rows.len()].checked_mul(before.signum());
    Some(Some((before.checked_abs()?, rows.iter().map(positive).collect::<Option<_>>()?)))
}

/// Every ascending list of `size` numbers from `first` on, below `end`.
fn subsets(first: usize, end: usize, size: usize) -> Vec<Vec<usize>> {
    match size {
        0 => vec![vec![]],
        _ => (first..end).flat_map(|i| subsets(i + 1, end, size - 1).into_iter().map(move |rest| [vec![i], rest].concat())).collect(),
    }
}
