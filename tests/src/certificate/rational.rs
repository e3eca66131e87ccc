//! Rows of rational numbers, and their common denominators.

use num_rational::BigRational;
use num_traits::Zero;
use topk_loss::{Error, Result};

pub(super) type Row = Vec<BigRational>;

/// Makes an entry of `row` zero by a multiple of `by`, whose entry is 1 there.
pub(super) fn eliminate(row: &mut [BigRational], by: &[BigRational], column: usize) {
    let factor = row[column].clone();
    if !factor.is_zero() {
        row.iter_mut().zip(by).for_each(|(entry, by)| *entry -= &factor * by);
    }
}

/// Whole numbers, and by what they must be divided.
///
/// # Errors
/// They are beyond 128 bits.
pub(super) fn over_common_denominator(row: &[BigRational]) -> Result<(Vec<i128>, i128)> {
    let whole = || {
        let mut denominators = row.iter().map(|entry| i128::try_from(entry.denom()).ok());
        let denominator = denominators.try_fold(1, |common, denominator| least_common_multiple(common, denominator?))?;
        let times = |entry: &BigRational| (entry * BigRational::from_integer(denominator.into())).to_integer();
        let numerators = row.iter().map(|entry| i128::try_from(times(entry)).ok()).collect::<Option<_>>()?;
        Some((numerators, denominator))
    };
    whole().ok_or(Error::Overflow { what: "a rational number" })
}

pub(super) fn least_common_multiple(a: i128, b: i128) -> Option<i128> {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor).checked_mul(b)
}
