//! Puts a comparison of estimators into words.

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
    let price = |other: &Outcome| format!("{:.1} times that of {}", last.seconds().mean / other.seconds().mean, name(other));
    let prices: Vec<String> = others.iter().map(price).collect();
    said.push(format!("The time that {} takes is {}.", name(last), prices.join("; ")));
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
    let mean = |outcome: &Outcome| match target.epochs(outcome) {
        (epochs, reached) if reached == outcome.runs.len() => Some(epochs.mean),
        _ => None,
    };
    let after = |epochs: f64| {
        let those = outcomes.iter().filter(|outcome| mean(outcome) == Some(epochs));
        let names: Vec<String> = those.map(|outcome| outcome.settings.estimator.to_string()).collect();
        format!("after {epochs:.1} epochs, by {}", names.join("; "))
    };
    let epochs = || outcomes.iter().filter_map(mean);
    let (soonest, latest) = (epochs().reduce(f64::min)?, epochs().reduce(f64::max)?);
    let (accuracy, share) = (100.0 * target.0, 100.0 * SHARE);
    Some(format!(
        "{accuracy:.1} %, {share:.0} % of the best final mean, is reached soonest {}, and latest {}.",
        after(soonest),
        after(latest)
    ))
}
