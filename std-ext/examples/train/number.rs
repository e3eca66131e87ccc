//! Parses and checks the numbers that the command line accepts.

use core::str::FromStr;

/// From 1 on.
pub fn factor(text: &str) -> Result<f64, String> {
    number(text, "at least 1", |x| x >= 1.0)
}

pub fn probability(text: &str) -> Result<f64, String> {
    number(text, "between 0 and 1", |x| (0.0..=1.0).contains(&x))
}

pub fn guesses(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&k| k >= 1).ok_or_else(|| "must be a whole number, at least 1".into())
}

pub fn positive(text: &str) -> Result<f32, String> {
    number(text, "above 0", |x| x > 0.0)
}

pub fn not_negative(text: &str) -> Result<f32, String> {
    number(text, "at least 0", |x| x >= 0.0)
}

pub fn finite(text: &str) -> Result<f32, String> {
    number(text, "finite", |_| true)
}

fn number<T: FromStr + Copy + Into<f64>>(text: &str, must: &str, accept: impl Fn(f64) -> bool) -> Result<T, String> {
    let accepted = text.parse().ok().filter(|&number: &T| number.into().is_finite() && accept(number.into()));
    accepted.ok_or_else(|| format!("must be a number, {must}"))
}
