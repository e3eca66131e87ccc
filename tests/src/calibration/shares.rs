//! The distributions of the label on which the search tries a loss.

use topk_loss::Result;
use topk_loss::noise::Uniform;
use topk_loss::sampler::{MonteCarlo, Sampler};

use super::Search;

/// Shares with zeros, with ties, nearly uniform, of nearly equal contenders for the K-th place, and random ones.
///
/// `leads`: by how much the K contenders lead the next one.
pub(super) fn shares(k: usize, num_classes: usize, leads: &[f64], search: &Search) -> Result<Vec<Vec<f64>>> {
    let parts = search.parts;
    let share = |part: Option<&usize>| part.map_or(0.0, |&part| part as f64 / parts as f64);
    let partitions = partitions(parts, num_classes, parts);
    let mut all: Vec<Vec<f64>> =
        partitions.into_iter().map(|partition| (0..num_classes).map(|class| share(partition.get(class))).collect()).collect();

    let last = (num_classes - 1) as f64;
    all.extend([0.1, 0.3, 0.6].map(|slope| normalized((0..num_classes).map(|class| 1.0 + slope * (1.0 - 2.0 * class as f64 / last)))));

    let guesses = k as f64;
    for lead in leads.iter().filter(|&&lead| lead * guesses <= 1.0) {
        let behind = (1.0 - guesses * lead) / (guesses + 1.0);
        all.push((0..num_classes).map(|class| [behind + lead, behind, 0.0][usize::from(class >= k) + usize::from(class > k)]).collect());
    }

    let sampler = MonteCarlo::new(Uniform, search.random.max(1))?;
    for index in 0..search.random {
        let mut uniform = vec![0.0_f64; num_classes];
        sampler.sample(search.key, index, &mut uniform)?;
        // Uniform on the simplex, nearly equal, nearly degenerate.
        let power = [1.0, 0.2, 3.0][index % 3];
        all.push(normalized(uniform.into_iter().map(|z| (-(0.5 * (1.0 + z)).ln()).powf(power))));
    }
    Ok(all)
}

/// The ways to write `total` as a sum of at most `places` numbers, none above `largest`, in descending order.
fn partitions(total: usize, places: usize, largest: usize) -> Vec<Vec<usize>> {
    if total == 0 {
        return vec![vec![]];
    }
    if places == 0 {
        return vec![];
    }
    let with_first = |first| partitions(total - first, places - 1, first).into_iter().map(move |rest| [vec![first], rest].concat());
    (1..=total.min(largest)).rev().flat_map(with_first).collect()
}

fn normalized(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let weights: Vec<f64> = weights.collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}
