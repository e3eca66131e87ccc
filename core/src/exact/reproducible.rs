//! Sums that come out the same, to the last bit, whatever their order.

use crate::Real;

/// Numbers are split into multiples of one power of two and what is left, in multiples of a smaller one: both are so coarse that sums over
/// the shards are exact.
///
/// **References.** Demmel, Nguyen, "Parallel reproducible summation", IEEE Transactions on Computers 2015.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Grid<F> {
    coarse: F,
    fine: F,
}

impl<F: Real> Grid<F> {
    /// For as many numbers as there are shards, whose sizes sum up to `most` at most.
    pub fn new(most: F, shards: usize) -> Self {
        // A fifth more than any rounding of a bound.
        let coarse = power_above(most * F::from_f64(1.2));
        // What rounding to two units of the last place of `coarse` leaves of each.
        let fine = coarse * F::epsilon() * power_above(F::from_usize(shards));
        Self { coarse, fine }
    }

    /// Both parts of a number.
    pub fn split(&self, x: F) -> [F; 2] {
        let high = round(x, self.coarse);
        [high, round(x - high, self.fine)]
    }
}

/// The nearest multiple of two units in the last place of a power of two, which is not below |x|.
fn round<F: Real>(x: F, power: F) -> F {
    let three = power + power + power;
    (x + three) - three
}

/// A power of two that is at least 1 and not below x.
fn power_above<F: Real>(x: F) -> F {
    let mut power = F::one();
    while power < x && power < F::max_value() * F::from_f64(0.125) {
        power += power;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_the_same_in_any_order() {
        let numbers: [f32; 7] = core::array::from_fn(|i| (1.0 + i as f32 * 0.61803).sin() * 10_f32.powi(i as i32 - 4));
        let most = numbers.iter().map(|x| x.abs()).sum();
        let grid = Grid::new(most, numbers.len());
        let sum = |order: &dyn Fn(usize) -> usize| {
            let parts = (0..7).map(|i| grid.split(numbers[order(i)]));
            parts.fold([0.0; 2], |[a, b]: [f32; 2], [high, low]| [a + high, b + low])
        };
        let forwards = sum(&|i| i);
        for shift in 0..7 {
            assert_eq!(forwards, sum(&|i| (3 * i + shift) % 7));
        }
        let exact: f64 = numbers.iter().map(|&x| f64::from(x)).sum();
        let found = f64::from(forwards[0]) + f64::from(forwards[1]);
        assert!((found - exact).abs() < 1e-9 * f64::from(most), "{found} instead of {exact}");
    }
}
