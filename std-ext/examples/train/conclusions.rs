//! What the numbers say, in words.

use crate::evaluation::FEW_BELOW;
use crate::method::Method;
use crate::outcome::Outcome;

/// From this occupancy on, a class is called a squatter.
const SQUATTER: f64 = 0.9;

pub fn conclusions(outcomes: &[Outcome], k: usize) -> Vec<String> {
    let mut ranked: Vec<&Outcome> = outcomes.iter().collect();
    ranked.sort_by(|a, b| b.macro_accuracy().mean.total_cmp(&a.macro_accuracy().mean));
    let find = |method: Method| outcomes.iter().find(|outcome| outcome.method == method);

    let mut said = Vec::new();
    if let [best, second, ..] = ranked[..] {
        said.push(format!(
            "With {k} guesses, {} is right most often: {} % macro top-{k}. {}.",
            best.method.name(),
            best.macro_accuracy(),
            comparison(best, second)
        ));
        if let Some(usual) = find(Method::CrossEntropy).filter(|usual| ![best.method, second.method].contains(&usual.method)) {
            said.push(format!("{}.", comparison(best, usual)));
        }
        said.extend(few(outcomes));
    }
    for smoothed in outcomes {
        if let Some(hard) = smoothed.method.unsmoothed().and_then(find) {
            said.push(format!("What the smoothing does: {}.", comparison(smoothed, hard)));
        }
    }
    said.extend(outcomes.iter().map(|outcome| occupancy(outcome, k)));
    said
}

/// The difference of two losses in macro top-K accuracy, and how sure it is: same seed, same rows.
fn comparison(a: &Outcome, b: &Outcome) -> String {
    let difference = 100.0 * (a.macro_accuracy().mean - b.macro_accuracy().mean);
    let pairs = || a.runs.iter().zip(&b.runs).map(|(a, b)| a.last.macro_accuracy - b.last.macro_accuracy);
    let agreeing = pairs().filter(|pair| pair * difference > 0.0).count();
    let seeds = pairs().count();
    let (a, b) = (a.method.name(), b.method.name());
    let relation = if difference < 0.0 { "below" } else { "above" };
    let certainty = match (agreeing == seeds, seeds) {
        (_, 1) => "with a single seed, which may be chance".into(),
        (true, _) => format!("in every one of {seeds} seeds"),
        (false, _) => format!("but only in {agreeing} of {seeds} seeds, so it may be chance"),
    };
    format!("{a} is {:.1} points {relation} {b}, {certainty}", difference.abs())
}

/// Who is best where training rows are fewest.
fn few(outcomes: &[Outcome]) -> Option<String> {
    let mut known: Vec<_> = outcomes.iter().map(|outcome| (outcome.method.name(), outcome.over_seeds(|run| run.last.group_accuracies[2]))).collect();
    known.retain(|(_, accuracy)| !accuracy.mean.is_nan());
    known.sort_by(|(_, a), (_, b)| b.mean.total_cmp(&a.mean));
    let [(best, high), .., (worst, low)] = known[..] else { return None };
    Some(format!("On the classes with fewer than {FEW_BELOW} training rows, the best is {best} with {high} %, the last {worst} with {low} %."))
}

/// Whether a class sits in nearly all guesses.
fn occupancy(outcome: &Outcome, k: usize) -> String {
    let highest = outcome.highest_occupancy();
    let squatters = outcome.over_seeds(|run| Some(run.last.occupancies.iter().filter(|&&share| share >= SQUATTER).count() as f64)).mean;
    let name = outcome.method.name();
    let num_classes = outcome.runs[0].ranking.len();
    let fair = 100.0 * k as f64 / num_classes as f64;
    if highest.mean >= SQUATTER {
        format!(
            "{name} has squatters: {squatters:.1} classes on average sit in over {:.0} % of the top-{k} guesses (even guessing: {fair:.1} %), and so waste places.",
            100.0 * SQUATTER
        )
    } else {
        format!("{name} has no squatter: no class sits in more than {:.0} % of the top-{k} guesses (even guessing: {fair:.1} %).", 100.0 * highest.mean)
    }
}
