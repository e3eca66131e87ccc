//! Two outcomes in one clause.

use crate::outcome::{Outcome, Statistic};

/// "a is 1.2 points above b, with each of 3 seeds": the difference in macro top-K accuracy and how sure it is.
pub fn comparison<N: ToString>(name: impl Fn(&Outcome) -> N, a: &Outcome, b: &Outcome) -> String {
    let difference = 100.0 * a.above(b).collect::<Statistic>().mean;
    let agreeing = a.above(b).filter(|above| above * difference > 0.0).count();
    let certainty = match (agreeing, a.runs.len()) {
        (_, 1) => "with one seed, so it may be chance".into(),
        (agreeing, seeds) if agreeing == seeds => format!("with each of {seeds} seeds"),
        (agreeing, seeds) => format!("but with {agreeing} of {seeds} seeds only, so it may be chance"),
    };
    let relation = if difference < 0.0 { "below" } else { "above" };
    let (a, b) = (name(a).to_string(), name(b).to_string());
    format!("{a} is {:.1} points {relation} {b}, {certainty}", difference.abs())
}
