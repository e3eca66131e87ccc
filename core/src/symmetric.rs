//! Elementary symmetric polynomials of many numbers, by the ratios of successive ones.
//!
//! e_m is the sum of all products of m of the numbers r, and overflows any float. The ratio e_m/e_{m−1} does not, nor does the drop
//! from one ratio to the next, which is positive (Newton's inequality) and is what the gradient of ln e_k − ln e_{k−1} is made of. A
//! number joins by sums of positive terms alone, so ratios and drops keep their digits in any float.

use crate::lanes::{LANES, Lanes};
use crate::{Real, Result, check, lanes};

/// e_m/e_{m−1}, and the drop e_{m−1}/e_{m−2} − e_m/e_{m−1}, for m = 1…k.
///
/// The first drop is infinite. It is kept as 1 and stands for its product with r/(∞ + r) over r, the only thing that is asked of it.
#[derive(Debug)]
pub(crate) struct Ratios<'s, F> {
    ratios: &'s mut [F],
    drops: &'s mut [F],
}

/// How many powers of a bulk's numbers matter.
pub(crate) const MAX_POWERS: usize = 18;

/// Power sums that describe a bulk, and coefficients of the gradient's power series.
pub(crate) type Powers<F> = [F; MAX_POWERS];

/// A bulk's sum is at least so many times k times its largest number; successive terms of the series then fall by a factor of 7.
pub(crate) const BULK: f64 = 8.0;

impl<'s, F: Real> Ratios<'s, F> {
    pub const fn scratch_len(k: usize) -> usize {
        k.saturating_mul(2)
    }

    /// Of no numbers; and the scratch that is left.
    pub fn new(k: usize, scratch: &'s mut [F]) -> Result<(Self, &'s mut [F])> {
        let (ratios, rest) = check::split(scratch, k)?;
        let (drops, rest) = check::split(rest, k)?;
        ratios.fill(F::zero());
        drops.fill(F::zero());
        if let Some(first) = drops.first_mut() {
            *first = F::one();
        }
        Ok((Self { ratios, drops }, rest))
    }

    /// The same numbers once more; and the scratch that is left.
    pub fn copy<'t>(&self, scratch: &'t mut [F]) -> Result<(Ratios<'t, F>, &'t mut [F])> {
        let (mut copy, rest) = Ratios::new(self.ratios.len(), scratch)?;
        copy.assign(self);
        Ok((copy, rest))
    }

    fn assign(&mut self, other: &Ratios<'_, F>) {
        self.ratios.iter_mut().zip(other.ratios.iter()).for_each(|(a, &b)| *a = b);
        self.drops.iter_mut().zip(other.drops.iter()).for_each(|(a, &b)| *a = b);
    }

    /// e_k/e_{k−1}.
    pub fn last(&self) -> F {
        self.ratio(self.len())
    }

    fn ratio(&self, m: usize) -> F {
        m.checked_sub(1).and_then(|i| self.ratios.get(i)).copied().unwrap_or(F::infinity())
    }

    fn drop(&self, m: usize) -> F {
        m.checked_sub(1).and_then(|i| self.drops.get(i)).copied().unwrap_or(F::zero())
    }

    /// Lets a positive number join: e_m ← e_m + r·e_{m−1}.
    pub fn add(&mut self, r: F) {
        let mut below = Below::first(r);
        for (ratio, drop) in self.ratios.iter_mut().zip(self.drops.iter_mut()) {
            let (old, old_drop) = (*ratio, *drop);
            *ratio = below.share * (old + r);
            *drop = below.share * old_drop + below.carried;
            below.advance(old, old_drop, r);
        }
    }

    /// Replaces the numbers by a bulk, given the sums of its powers in units of its largest number.
    ///
    /// Newton's identity m·e_m = Σ_j (−1)^{j+1} S_j e_{m−j}, divided by e_{m−1}, and its difference from one m to the next.
    pub fn set_bulk(&mut self, sums: &Powers<F>, largest: F) {
        for m in 1..=self.ratios.len() {
            let before = self.ratio(m - 1);
            // e_{m−j}/e_{m−1}, the rise of the ratio from m − 1 to m − j, the sum over j, and its fall from m − 1 to m.
            let (mut product, mut rise) = (F::one(), F::zero());
            let (mut sum, mut fall) = (F::zero(), F::zero());
            for (j, &power_sum) in (1..=m).zip(sums) {
                let signed = if j % 2 == 0 { -power_sum } else { power_sum };
                if j > 1 {
                    product /= self.ratio(m - j + 1);
                    rise += self.drop(m - j + 1);
                    fall -= signed * product * if j == m { F::one() } else { rise / self.ratio(m - j) };
                }
                sum += signed * product;
            }
            let count = F::from_usize(m);
            if let (Some(ratio), Some(drop)) = (self.ratios.get_mut(m - 1), self.drops.get_mut(m - 1)) {
                *ratio = sum / count;
                if m > 1 {
                    *drop = (before + fall) / count;
                }
            }
        }
        self.ratios.iter_mut().chain(self.drops.iter_mut().skip(1)).for_each(|entry| *entry *= largest);
    }

    /// K.
    pub fn len(&self) -> usize {
        self.ratios.len()
    }

    /// ∂(ln e_k − ln e_{k−1})/∂ln r of all numbers and another one, r.
    fn slope_of_another(&self, r: F) -> F {
        let k = self.len();
        slope(self.ratio(k - 1), self.last(), self.drop(k), r)
    }

    /// ∂(ln e_k − ln e_{k−1})/∂ln r, r being one of the numbers and at most e_k/(2 e_{k−1}).
    #[inline(always)]
    pub fn slopes(&self, r: Lanes<F>) -> Lanes<F> {
        let (zeros, none) = ([F::zero(); LANES], [F::infinity(); LANES]);
        // As in `Below`, with one division a step: share/(ratio without r + r) is the inverse of the ratio with it.
        let (mut share, mut rest, mut carried) = ([F::one(); LANES], r, zeros);
        let (mut before, mut last, mut last_drop) = (none, none, zeros);
        for (&ratio, &drop) in self.ratios.iter().zip(self.drops.iter()) {
            let whole = lanes::map(share, F::recip);
            before = last;
            last = lanes::zip(whole, r, |whole, r| ratio * whole - r);
            last_drop = lanes::zip(lanes::map(carried, |carried| drop - carried), whole, |drop, whole| drop * whole);
            let inverse = lanes::map(share, |share| share / ratio);
            share = lanes::zip(last, inverse, |last, inverse| last * inverse);
            carried = lanes::zip(rest, last_drop, |rest, drop| rest * drop);
            rest = lanes::zip(r, inverse, |r, inverse| r * inverse);
        }
        let share = lanes::zip(r, last, |r, last| r / (last + r));
        // There is none before the first of one.
        let more = lanes::zip3(before, last_drop, r, |before, drop, r| if before < F::infinity() { drop / (before + r) } else { F::one() });
        lanes::zip(share, more, |share, more| share * more)
    }

    /// The coefficients of that slope as a power series in r/`unit`, from the first power on, for an r of a bulk.
    pub fn slope_series(&self, unit: F) -> Powers<F> {
        let k = self.len();
        let mut coefficients = [F::zero(); MAX_POWERS];
        let (mut product, mut rise) = (unit / self.last(), F::zero());
        for (i, coefficient) in coefficients.iter_mut().enumerate().take(k) {
            // (1/e_k-ratio − 1/(ratio at k − 1 − i)), the second of which is infinite at the end.
            rise += self.drop(k - i);
            *coefficient = product * if i + 1 == k { F::one() } else { rise / self.ratio(k - 1 - i) };
            product *= -unit / self.ratio(k - 1 - i);
        }
        coefficients
    }

    /// Writes the slope of each of `others`, all of which join these numbers. Halves join in turn: nothing is ever divided out.
    pub fn slopes_of_others(&self, others: &[F], slopes: &mut [F], scratch: &mut [F]) -> Result<()> {
        if let ([r], [slope]) = (others, &mut *slopes) {
            *slope = self.slope_of_another(*r);
            return Ok(());
        }
        let middle = others.len() / 2;
        let (left, right) = others.split_at_checked(middle).unwrap_or_default();
        let (left_slopes, right_slopes) = check::split(slopes, middle)?;
        if left.is_empty() {
            return Ok(());
        }
        let (mut half, rest) = self.copy(scratch)?;
        right.iter().for_each(|&r| half.add(r));
        half.slopes_of_others(left, left_slopes, rest)?;
        half.assign(self);
        left.iter().for_each(|&r| half.add(r));
        half.slopes_of_others(right, right_slopes, rest)
    }
}

/// What the ratio below passes up when a number joins or leaves.
struct Below<F> {
    /// ratio/(ratio + r), and r/(ratio + r).
    share: F,
    rest: F,
    /// The part of its drop that moves up.
    carried: F,
}

impl<F: Real> Below<F> {
    /// Below the first ratio stands an infinite one.
    fn first(r: F) -> Self {
        Self { share: F::one(), rest: r, carried: F::zero() }
    }

    fn advance(&mut self, ratio: F, drop: F, r: F) {
        let inverse = (ratio + r).recip();
        *self = Self { share: ratio * inverse, rest: r * inverse, carried: self.rest * drop };
    }
}

/// r/(V_k + r) − r/(V_{k−1} + r) from the ratios V of the other numbers and the drop between them.
fn slope<F: Real>(before: F, last: F, drop: F, r: F) -> F {
    let share = r / (last + r);
    if before.is_infinite() { share } else { share * drop / (before + r) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// e_0 … e_k.
    fn elementary(numbers: &[f64], k: usize) -> [f64; 8] {
        let mut e = [0.0; 8];
        e[0] = 1.0;
        for &r in numbers {
            (1..=k).rev().for_each(|m| e[m] += r * e[m - 1]);
        }
        e
    }

    fn expected_slope(numbers: &[f64], i: usize, k: usize) -> f64 {
        let all = elementary(numbers, k);
        let mut others = [0.0; 16];
        others[..numbers.len()].copy_from_slice(numbers);
        others[i] = 0.0;
        let rest = elementary(&others, k);
        let fewer = if k > 1 { numbers[i] * rest[k - 2] / all[k - 1] } else { 0.0 };
        numbers[i] * rest[k - 1] / all[k] - fewer
    }

    const NUMBERS: [f64; 9] = [0.5, 3.0, 1e-3, 40.0, 0.2, 2.0, 1e-9, 1.0, 0.9];

    #[test]
    fn ratios_and_slopes_are_those_of_the_polynomials() {
        for k in 1..=7 {
            let (mut scratch, mut more) = ([0.0; 14], [0.0; 200]);
            let (mut ratios, _) = Ratios::new(k, &mut scratch).unwrap();
            NUMBERS.iter().for_each(|&r| ratios.add(r));
            let e = elementary(&NUMBERS, k);
            assert!((1..=k).all(|m| (ratios.ratio(m) * e[m - 1] / e[m] - 1.0).abs() < 1e-14));
            assert!((2..=k).all(|m| (ratios.drop(m) / (ratios.ratio(m - 1) - ratios.ratio(m)) - 1.0).abs() < 1e-12));

            let mut slopes = [0.0; 9];
            let (none, rest) = Ratios::new(k, &mut more).unwrap();
            none.slopes_of_others(&NUMBERS, &mut slopes, rest).unwrap();
            assert!((slopes.iter().sum::<f64>() - 1.0).abs() < 1e-14);
            for (i, (&r, slope)) in NUMBERS.iter().zip(slopes).enumerate() {
                let expected = expected_slope(&NUMBERS, i, k);
                assert!((slope - expected).abs() < 1e-13, "k = {k}, {r}: {slope}, not {expected}");
                assert!(2.0 * r > ratios.last() || (ratios.slopes([r; LANES])[0] / slope - 1.0).abs() < 1e-13, "k = {k}, {r}");
            }
        }
    }

    #[test]
    fn a_bulk_is_its_numbers() {
        let k = 7;
        let number = |i: usize| 0.5 + 0.5 * (i as f64 * 0.7).cos();
        let (largest, count) = ((0..100).map(number).fold(0.0, f64::max), 100);
        let (mut scratch, mut more) = ([0.0; 14], [0.0; 14]);
        let (mut one_by_one, _) = Ratios::new(k, &mut scratch).unwrap();
        let mut sums = [0.0; MAX_POWERS];
        for r in (0..count).map(number) {
            one_by_one.add(r);
            let mut power = 1.0;
            for sum in &mut sums {
                power *= r / largest;
                *sum += power;
            }
        }
        let (mut at_once, _) = Ratios::new(k, &mut more).unwrap();
        at_once.set_bulk(&sums, largest);
        for m in 1..=k {
            assert!((at_once.ratio(m) / one_by_one.ratio(m) - 1.0).abs() < 1e-13, "ratio {m}");
            assert!(m == 1 || (at_once.drop(m) / one_by_one.drop(m) - 1.0).abs() < 1e-12, "drop {m}");
        }
        let series = at_once.slope_series(largest);
        for r in (0..count).map(number) {
            let sum = series.iter().rev().fold(0.0, |sum, c| (sum + c) * (r / largest));
            assert!((sum / one_by_one.slopes([r; LANES])[0] - 1.0).abs() < 1e-12);
        }
    }
}
