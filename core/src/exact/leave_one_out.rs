//! The distribution of a count without one of its trials, for those of p > ½, which no division takes out again.
//!
//! Without one half of the trials, then without either half of the other half, and so on: each trial is added once a halving, to ever fewer
//! entries, since of the distribution without m trials only the last m are needed to add all but one of them. Nothing is subtracted, so
//! even the least of the probabilities keep their digits.

use super::counts::{Group, TOGETHER, add_trials, last_with_all_but_one, times};
use crate::Real;
use crate::lanes::{LANES, Lanes, zip};

/// How many entries fit at a halving that leaves `1 << level` groups out.
const fn room_at(level: usize, num_counts: usize) -> usize {
    let most = (2 * TOGETHER).saturating_mul(1 << level);
    if most < num_counts { most } else { num_counts }
}

/// How many times the groups are halved.
const fn levels(groups: usize) -> usize {
    if groups < 2 { 0 } else { groups.next_power_of_two().ilog2() as usize }
}

/// Room for the entries of all halvings before the given one.
const fn room_below(level: usize, num_counts: usize) -> usize {
    let (mut sum, mut l) = (0, 0);
    while l < level {
        sum = room_at(l, num_counts).saturating_add(sum);
        l += 1;
    }
    sum
}

/// The room that [`multiply_by_last_without`] needs.
pub(super) const fn room_len(groups: usize, num_counts: usize) -> usize {
    room_below(levels(groups), num_counts)
}

/// Multiplies each of `factors` by the last entry of the distribution that one of the `trials` is missing from; `counts` has none of
/// them. Trials are given as [`add_trials`] takes them.
#[inline(always)]
pub(super) fn multiply_by_last_without<F: Real, const SIGNED: bool>(
    counts: &[Lanes<F>],
    trials: &[Group<F>],
    factors: &mut [Group<F>],
    room: &mut [Lanes<F>],
) {
    let levels = levels(trials.len());
    for (group, (own, factors)) in trials.iter().zip(factors).enumerate() {
        // What the group before was left out of too is there already.
        let shared = if group == 0 { levels } else { levels.min(group.trailing_zeros() as usize + 1) };
        for level in (0..shared).rev() {
            let sibling = ((group >> level) ^ 1) << level;
            let others = trials.get(sibling..).unwrap_or_default();
            let others = others.get(..others.len().min(1 << level)).unwrap_or_default();
            let needed = TOGETHER << level;
            let (lower, upper) = room.split_at_mut_checked(room_below(level + 1, counts.len())).unwrap_or_default();
            let own = lower.get_mut(room_below(level, counts.len())..).unwrap_or_default();
            let parent = if level + 1 == levels { counts } else { upper.get(..room_at(level + 1, counts.len())).unwrap_or_default() };
            let parent = last(parent, (2 * needed).min(needed + TOGETHER * others.len()));
            let window = last_mut(own, parent.len());
            window.iter_mut().zip(parent).for_each(|(own, parent)| *own = *parent);
            for (left, others) in (1..=others.len()).rev().zip(others) {
                add_trials::<_, SIGNED, TOGETHER>(last_mut(window, needed + TOGETHER * left), others.each_ref());
            }
        }
        let whole = if levels == 0 { counts } else { room.get(..room_at(0, counts.len())).unwrap_or_default() };
        let (window, mut entries) = (last(whole, TOGETHER), [[F::zero(); LANES]; TOGETHER]);
        last_mut(&mut entries, window.len()).copy_from_slice(window);
        let probabilities = last_with_all_but_one::<F, SIGNED>(&entries, own);
        for (factor, probability) in factors.iter_mut().zip(probabilities) {
            *factor = zip(*factor, probability, times);
        }
    }
}

/// The last entries, or all there are.
#[inline(always)]
fn last<F>(entries: &[Lanes<F>], len: usize) -> &[Lanes<F>] {
    entries.get(entries.len().saturating_sub(len)..).unwrap_or_default()
}

#[inline(always)]
fn last_mut<F>(entries: &mut [Lanes<F>], len: usize) -> &mut [Lanes<F>] {
    let first = entries.len().saturating_sub(len);
    entries.get_mut(first..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use super::*;

    /// The last entry with all trials but one added, one by one.
    fn with_all_but(left_out: usize, counts: &[f64], trials: &[f64]) -> f64 {
        let mut counts = counts.to_vec();
        for (_, &p) in trials.iter().enumerate().filter(|&(i, _)| i != left_out) {
            for j in (0..counts.len()).rev() {
                counts[j] = (1.0 - p) * counts[j] + if j > 0 { p * counts[j - 1] } else { 0.0 };
            }
        }
        counts[counts.len() - 1]
    }

    /// Each addition of a trial rounds three times, and loses another digit where 1 − p is 0.1.
    #[test]
    fn leaving_out_by_halves_is_leaving_out_one_by_one() {
        let mut state = 1_u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for _ in 0..60 {
            let counts: Vec<f64> = (0..1 + (80.0 * uniform()) as usize).map(|_| 1e-3 + uniform()).collect();
            let trials: Vec<f64> = (0..(200.0 * uniform()) as usize).map(|_| 0.9 * uniform()).collect();
            let lanes = |x: f64| core::array::from_fn(|lane| x / (1.0 + lane as f64));
            let mut tails: Vec<Lanes<f64>> = trials.iter().map(|&p| lanes(p)).collect();
            tails.resize(trials.len().next_multiple_of(TOGETHER), lanes(0.0));
            let groups = tails.as_chunks::<TOGETHER>().0;
            let start: Vec<Lanes<f64>> = counts.iter().map(|&count| [count; LANES]).collect();
            let mut factors = vec![[[1.0; LANES]; TOGETHER]; groups.len()];
            let mut room = vec![[0.0; LANES]; room_len(groups.len(), counts.len())];
            multiply_by_last_without::<_, false>(&start, groups, &mut factors, &mut room);
            for lane in [0, 1, LANES - 1] {
                let of_lane: Vec<f64> = trials.iter().map(|&p| lanes(p)[lane]).collect();
                for (i, factor) in factors.as_flattened()[..trials.len()].iter().enumerate() {
                    let expected = with_all_but(i, &counts, &of_lane);
                    let tolerance = 30.0 * f64::EPSILON * (1 + trials.len()) as f64;
                    assert!((factor[lane] / expected - 1.0).abs() <= tolerance, "{} where {expected} is true", factor[lane]);
                }
            }
        }
    }
}
