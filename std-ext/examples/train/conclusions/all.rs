//! Puts a comparison of all losses into words.

use crate::comparison::comparison;
use crate::evaluation::FEW_BELOW;
use crate::method::{CROSS_ENTROPY, Method, NOISED_IMBALANCED};
use crate::outcome::{Outcome, Statistic};
use crate::study::{Run, guesses};

/// A number of a run, where it has it.
type Measure = Box<dyn Fn(&Run) -> Option<f64>>;

/// One column of the table.
struct Column {
    praise: String,
    of: Measure,
    /// 1 where much is good, −1 where little is.
    sign: f64,
}

/// Sentences that the outcomes, at least one, bear out.
pub fn of_all(outcomes: &[Outcome], k: usize) -> Vec<String> {
    let mut said: Vec<String> = columns(k).iter().filter_map(|column| column.best(outcomes)).collect();
    said.extend(lead(outcomes, k));
    said.extend(price(outcomes));
    said
}

fn columns(k: usize) -> Vec<Column> {
    let accuracy = |(i, guesses)| Column {
        praise: format!("Best macro top-{guesses} accuracy"),
        of: Box::new(move |run: &Run| Some(run.macro_accuracies[i])),
        sign: 1.0,
    };
    let few = Column {
        praise: format!("Best top-{k} accuracy of classes with fewer than {FEW_BELOW} training rows"),
        of: Box::new(|run| run.last.group_accuracies[2]),
        sign: 1.0,
    };
    let occupancy = Column {
        praise: "Fewest squatters, by the highest occupancy".into(),
        of: Box::new(|run| run.last.occupancies.iter().copied().reduce(f64::max)),
        sign: -1.0,
    };
    guesses(k).into_iter().enumerate().map(accuracy).chain([few, occupancy]).collect()
}

impl Column {
    /// Who is best, and whose difference to the best, seed by seed, is below its own spread.
    fn best(&self, outcomes: &[Outcome]) -> Option<String> {
        let known = || outcomes.iter().map(|outcome| (outcome, outcome.over_seeds(&self.of))).filter(|(_, share)| !share.mean.is_nan());
        let (best, share) = known().max_by(|(_, a), (_, b)| (self.sign * a.mean).total_cmp(&(self.sign * b.mean)))?;
        let near = |other: &Outcome| {
            let runs = best.runs.iter().zip(&other.runs);
            let lead: Statistic = runs.filter_map(|(a, b)| Some(self.sign * ((self.of)(a)? - (self.of)(b)?))).collect();
            lead.deviation.is_some_and(|deviation| lead.mean < deviation)
        };
        let level: Vec<&str> =
            known().filter(|(other, _)| other.method != best.method && near(other)).map(|(other, _)| other.method.name).collect();
        let level = if level.is_empty() { String::new() } else { format!("; no further off than the spread: {}", level.join(", ")) };
        Some(format!("{}: {}, {} %{level}.", self.praise, best.method.name, share.per_cent()))
    }
}

/// The best loss for K guesses against the usual one and against the paper's.
fn lead(outcomes: &[Outcome], k: usize) -> Option<String> {
    let compared = |a: &Outcome, b: &Outcome| comparison(|outcome| outcome.method.name, a, b);
    let best = outcomes.iter().max_by(|a, b| a.macro_accuracy().mean.total_cmp(&b.macro_accuracy().mean))?;
    let rival = |method: &Method| outcomes.iter().find(|outcome| outcome.method == *method && outcome.method != best.method);
    let said: Vec<String> = [CROSS_ENTROPY, NOISED_IMBALANCED].iter().filter_map(rival).map(|rival| compared(best, rival)).collect();
    (!said.is_empty()).then(|| format!("With {k} guesses, {}.", said.join("; ")))
}

/// The losses whose steps take longest, in steps of cross-entropy.
fn price(outcomes: &[Outcome]) -> Option<String> {
    let usual = outcomes.iter().find(|outcome| outcome.method == CROSS_ENTROPY)?.milliseconds_a_step().mean;
    let times = |outcome: &Outcome| outcome.milliseconds_a_step().mean / usual;
    let dear: Vec<String> = outcomes
        .iter()
        .filter(|outcome| times(outcome) >= 2.0)
        .map(|outcome| format!("{} {:.1}", outcome.method.name, times(outcome)))
        .collect();
    (!dear.is_empty()).then(|| format!("A step takes at least twice as long as with cross-entropy: times {}.", dear.join(", ")))
}
