//! What a comparison of estimators says.

use crate::comparison::comparison;
use crate::outcome::Outcome;
use crate::target::{SHARE, Target};

/// A training that ends this far below the best mean has collapsed.
const COLLAPSE: f64 = 0.1;

/// Sentences that the outcomes of one loss bear out; each estimator is held against the last one.
pub fn of_estimators(outcomes: &[Outcome]) -> Vec<String> {
    let name = |outcome: &Outcome| outcome.settings.estimator;
    let Some((last, others)) = outcomes.split_last() else { return Vec::new() };
    let mut said: Vec<String> = others.iter().map(|other| format!("{}.", comparison(name, last, other))).collect();
    said.extend(collapses(outcomes));
    said.extend(speed(outcomes));
    let prices = others.iter().map(|other| format!("{:.2} times that of {}", last.seconds().mean / other.seconds().mean, name(other)));
    said.push(format!("A training with {} takes {}.", name(last), prices.collect::<Vec<_>>().join(", ")));
    said
}

fn collapses(outcomes: &[Outcome]) -> Vec<String> {
    let best = outcomes.iter().map(|outcome| outcome.macro_accuracy().mean).fold(0.0, f64::max);
    let points = 100.0 * COLLAPSE;
    let said = outcomes.iter().filter_map(|outcome| {
        let collapsed = outcome.runs.iter().filter(|run| run.last.macro_accuracy < best - COLLAPSE).count();
        let (name, runs) = (outcome.settings.estimator, outcome.runs.len());
        (collapsed > 0).then(|| format!("{name} ends over {points:.0} points below the best mean with {collapsed} of {runs} seeds."))
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { vec![format!("None collapses: no seed ends over {points:.0} points below the best mean.")] } else { said }
}

/// Who reaches the target soonest and latest, of those who do with every seed.
fn speed(outcomes: &[Outcome]) -> Option<String> {
    let target = Target::of(outcomes);
    let reaching = outcomes.iter().map(|outcome| (outcome.settings.estimator, target.epochs(outcome), outcome.runs.len()));
    let mut epochs: Vec<_> =
        reaching.filter(|(_, (_, reached), runs)| reached == runs).map(|(name, (epochs, _), _)| (name, epochs)).collect();
    epochs.sort_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean));
    let [(first, soonest), .., (slow, latest)] = epochs[..] else { return None };
    let (accuracy, share) = (100.0 * target.0, 100.0 * SHARE);
    Some(format!(
        "{accuracy:.1} %, {share:.0} % of the best final mean, is reached after {soonest} epochs by {first} and after {latest} by {slow}."
    ))
}
