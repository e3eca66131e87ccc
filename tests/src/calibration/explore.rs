//! One distribution of the label: the least conditional risk of each set of K guesses.

use topk_loss::Loss;

use super::candidates::Candidates;
use super::minimum::Minimum;
use super::risk::Risk;
use super::selection::Selection;
use super::{Search, Witness};
use crate::tolerances::LEAST_REGRET;

/// The least risk known of a set of guesses.
struct Found {
    selection: Selection,
    regret: f64,
    minimum: Minimum,
}

/// The best scores found that allow wrong guesses, two or three for each set of them.
///
/// All scores allow some set of K guesses, so the infimum over all scores is the least of these sets' infima, and the infimum over the
/// scores that are not preserving the least over the wrong sets. `descents` limits from how many points the search goes downhill among
/// the wrong sets, and among the right ones.
pub(super) fn witnesses<L: Loss<f64>>(
    loss: &L,
    k: usize,
    shares: &[f64],
    candidates: &Candidates,
    search: &Search,
    descents: usize,
) -> Vec<Witness> {
    let mut risk = Risk::new(loss, shares, search.radius, candidates.size / search.unit);
    // Where the cross-entropy has its minimum.
    let logarithms: Vec<f64> = shares.iter().map(|share| search.unit * share.max(1e-3).ln()).collect();
    let mut found = Vec::new();
    for selection in Selection::all(k, shares.len()) {
        risk.selection = Some(selection);
        let regret = selection.regret(shares);
        let starts = candidates.best(shares, selection).into_iter().chain([&logarithms[..]]);
        found.extend(starts.map(|start| Found { selection, regret, minimum: Minimum::at(&mut risk, start) }));
    }
    found.sort_by(|a, b| a.minimum.risk.total_cmp(&b.minimum.risk));

    let (mut wrong, mut right): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.regret >= LEAST_REGRET);
    let mut best_of_each = Vec::new();
    for group in [&mut right, &mut wrong] {
        for found in group.iter_mut().take(descents) {
            risk.selection = Some(found.selection);
            found.minimum = found.minimum.clone().descend(&mut risk);
        }
        if let Some(best) = group.iter_mut().min_by(|a, b| a.minimum.risk.total_cmp(&b.minimum.risk)) {
            risk.selection = Some(best.selection);
            best.minimum = best.minimum.clone().polish(&mut risk, search.unit);
            best_of_each.push(best.minimum.clone());
        }
    }
    // What can be gained on the wrong ones once nothing is imposed is a gap.
    risk.selection = None;
    let free = best_of_each.into_iter().map(|start| start.descend(&mut risk).polish(&mut risk, search.unit));
    let Some(least) = free.reduce(Minimum::or) else { return Vec::new() };
    let witness = |Found { regret, minimum, .. }| Witness {
        shares: shares.to_vec(),
        scores: minimum.scores,
        risk: minimum.risk,
        regret,
        best_scores: least.scores.clone(),
        least_risk: least.risk,
    };
    wrong.into_iter().map(witness).collect()
}
