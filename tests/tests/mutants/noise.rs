//! Noise laws whose functions do not belong together.

use topk_loss::noise::{Gumbel, Noise, Normal};
use topk_loss_laws::laws::noise;
use topk_loss_laws::strategies::probability;
use topk_loss_laws::{Violation, check};

use crate::plant::Row;

type Verdict = Result<(), Violation>;

/// A law, and which of its functions is wrong in which way.
#[derive(Debug, Clone, Copy)]
struct Faulty<N>(N, Fault);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    ScoreSign,
    DensityFactor,
    DensityScale,
    TailByDifference,
    QuantileOff,
    QuantileOfTheOtherTail,
    SurvivalIsTheCdf,
    LogarithmOfTen,
    ClaimsSymmetry,
    ScoreOfAnotherLaw,
}

impl<N: Noise<f64>> Noise<f64> for Faulty<N> {
    fn quantile(&self, p: f64) -> f64 {
        match self.1 {
            Fault::QuantileOff => self.0.quantile(p) + 1e-6,
            Fault::QuantileOfTheOtherTail => self.0.quantile(1.0 - p),
            _ => self.0.quantile(p),
        }
    }
    fn cdf(&self, z: f64) -> f64 {
        self.0.cdf(z)
    }
    fn survival(&self, z: f64) -> f64 {
        match self.1 {
            Fault::TailByDifference => 1.0 - self.0.cdf(z),
            Fault::SurvivalIsTheCdf => self.0.cdf(z),
            _ => self.0.survival(z),
        }
    }
    fn pdf(&self, z: f64) -> f64 {
        match self.1 {
            Fault::DensityFactor => (-0.5 * z * z).exp(),
            Fault::DensityScale => self.0.pdf(1.02 * z) * 1.02,
            _ => self.0.pdf(z),
        }
    }
    fn ln_pdf(&self, z: f64) -> f64 {
        if self.1 == Fault::LogarithmOfTen { self.0.pdf(z).log10() } else { self.0.ln_pdf(z) }
    }
    fn ln_cdf(&self, z: f64) -> f64 {
        self.0.ln_cdf(z)
    }
    fn ln_survival(&self, z: f64) -> f64 {
        self.0.ln_survival(z)
    }
    fn score(&self, z: f64) -> f64 {
        match self.1 {
            Fault::ScoreSign => -self.0.score(z),
            Fault::ScoreOfAnotherLaw => Gumbel.score(z),
            _ => self.0.score(z),
        }
    }
    fn is_symmetric(&self) -> bool {
        self.1 == Fault::ClaimsSymmetry || self.0.is_symmetric()
    }
}

fn row<N: Noise<f64> + 'static>(
    fault: &'static str,
    law: &'static str,
    judge: fn(&Faulty<N>, &f64) -> Verdict,
    original: N,
    planted: Fault,
) -> Row {
    let with = move |fault| check(probability(), |p| judge(&Faulty(original, fault), &p)).map(drop).map_err(|refuted| refuted.violation);
    Row::new(fault, law, move || with(Fault::None), move || with(planted))
}

/// The law's name is its function's.
macro_rules! row {
    ($fault:literal, $law:ident: $noise:expr, $planted:ident) => {
        row($fault, stringify!($law), |noise, p| noise::$law(noise, p), $noise, Fault::$planted)
    };
}

pub fn rows() -> Vec<Row> {
    vec![
        row!("the score has the wrong sign", score_is_the_fall_of_the_log_density: Normal, ScoreSign),
        row!("the score is another law's", score_is_the_fall_of_the_log_density: Normal, ScoreOfAnotherLaw),
        row!("the density lacks its constant", density_is_the_slope_of_the_probability: Normal, DensityFactor),
        row!("the density is of another scale", density_is_the_slope_of_the_probability: Gumbel, DensityScale),
        row!("the upper tail is one minus the rest", density_is_the_slope_of_the_probability: Normal, TailByDifference),
        row!("the quantile is off by 1e−6", quantile_inverts_the_cdf: Normal, QuantileOff),
        row!("the quantile is of the other tail", quantile_inverts_the_cdf: Gumbel, QuantileOfTheOtherTail),
        row!("the survival is the distribution function", probabilities_sum_to_one: Normal, SurvivalIsTheCdf),
        row!("the logarithm is to the base ten", logarithms_agree: Normal, LogarithmOfTen),
        row!("a skewed law says it is symmetric", symmetry_is_as_claimed: Gumbel, ClaimsSymmetry),
    ]
}
