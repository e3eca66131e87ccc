//! Compares two outcomes in one clause of a sentence.

use crate::outcome::{Outcome, Statistic};

/// "a is 1.2 points above b, with each of 3 seeds": the difference in macro top-K accuracy and how sure it is.
pub fn comparison<N: ToString>(name: impl Fn(&Outcome) -> N, a: &Outcome, b: &Outcome) -> String {
    let difference = 100.0 * a.above(b).collect::<Statistic>().mean;
    let names = [name(a), name(b)].map(|name| name.to_string());
    if difference.abs() < 0.05 {
        return format!("{} and {} differ by less than 0.1 points", names[0], names[1]);
    }
    let agreeing = a.above(b).filter(|above| above * difference > 0.0).count();
    let certainty = match (agreeing, a.runs.len()) {
        (_, 1) => "with one seed, so it may be chance".into(),
        (agreeing, seeds) if agreeing == seeds => format!("with each of {seeds} seeds"),
        (agreeing, seeds) if 10 * agreeing >= 9 * seeds => format!("with {agreeing} of {seeds} seeds"),
        (agreeing, seeds) => format!("but with {agreeing} of {seeds} seeds only, so it may be chance"),
    };
    let relation = if difference < 0.0 { "below" } else { "above" };
    format!("{} is {:.1} points {relation} {}, {certainty}", names[0], difference.abs(), names[1])
}
