//! Puts a comparison of losses into words.

use crate::comparison::comparison;
use crate::evaluation::FEW_BELOW;
use crate::method::{CROSS_ENTROPY, Method};
use crate::outcome::Outcome;
use crate::study::Run;

/// From this occupancy on, a class is called a squatter.
const SQUATTER: f64 = 0.9;

/// Sentences that the outcomes, at least one, bear out.
pub fn of_losses(outcomes: &[Outcome], k: usize) -> Vec<String> {
    let mut ranked: Vec<&Outcome> = outcomes.iter().collect();
    ranked.sort_by(|a, b| b.macro_accuracy().mean.total_cmp(&a.macro_accuracy().mean));
    let compared = |a: &Outcome, b: &Outcome| comparison(|outcome| outcome.method.name, a, b);
    let find = |method: &Method| outcomes.iter().find(|outcome| outcome.method == *method);

    let mut said = Vec::new();
    if let [best, second, ..] = ranked[..] {
        let accuracy = best.macro_accuracy().per_cent();
        said.push(format!("Of these losses, {} serves {k} guesses best: {accuracy} % macro top-{k} accuracy.", best.method.name));
        said.push(format!("{}.", compared(best, second)));
        let usual = find(&CROSS_ENTROPY).filter(|usual| ![best.method, second.method].contains(&usual.method));
        said.extend(usual.map(|usual| format!("{}.", compared(best, usual))));
        said.extend(rarest(outcomes));
    }
    for smoothed in outcomes {
        if let Some(hard) = smoothed.method.unsmoothed.and_then(find) {
            let rates = (smoothed.settings.learning_rate, hard.settings.learning_rate);
            let condition = if rates.0 == rates.1 { String::new() } else { format!(", at learning rates {} and {}", rates.0, rates.1) };
            said.push(format!("Smoothed against not smoothed{condition}: {}.", compared(smoothed, hard)));
        }
    }
    said.extend(squatters(outcomes, k));
    said
}

/// Which loss is best where training rows are fewest.
fn rarest(outcomes: &[Outcome]) -> Option<String> {
    let mut known: Vec<_> = outcomes.iter().map(|outcome| (outcome.method.name, outcome.few_shot().per_cent())).collect();
    known.retain(|(_, accuracy)| !accuracy.mean.is_nan());
    known.sort_by(|(_, a), (_, b)| b.mean.total_cmp(&a.mean));
    let [(best, high), .., (worst, low)] = known[..] else { return None };
    Some(format!("Classes with fewer than {FEW_BELOW} training rows fare best with {best} ({high} %) and worst with {worst} ({low} %)."))
}

/// Which losses let classes sit in nearly all guesses, where guesses are scarce enough for that to be a waste.
fn squatters(outcomes: &[Outcome], k: usize) -> Vec<String> {
    let num_classes = outcomes[0].runs[0].ranking.len();
    if 2 * k > num_classes {
        return Vec::new();
    }
    let squatting = |run: &Run| run.last.occupancies.iter().filter(|&&share| share >= SQUATTER).count() as f64;
    let (clean, squatted): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.runs.iter().all(|run| squatting(run) == 0.0));

    let waste = |outcome: &&Outcome| {
        let (name, count) = (outcome.method.name, outcome.over_seeds(|run| Some(squatting(run))).mean);
        let share = 100.0 * SQUATTER;
        format!(
            "{name} wastes guesses on squatters: on average {count:.1} of {num_classes} classes are in over {share:.0} % of all top {k}."
        )
    };
    let mut said: Vec<String> = squatted.iter().map(waste).collect();
    let highest = clean.iter().flat_map(|outcome| &outcome.runs).flat_map(|run| &run.last.occupancies).copied().reduce(f64::max);
    said.extend(highest.map(|highest| {
        let names: Vec<&str> = clean.iter().map(|outcome| outcome.method.name).collect();
        let (names, highest, even) = (names.join(", "), 100.0 * highest, 100.0 * k as f64 / num_classes as f64);
        format!("With {names}, no class is in more than {highest:.0} % of all top {k}; even guessing gives {even:.1} %.")
    }));
    said
}
