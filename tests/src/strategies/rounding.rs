//! Drawn numbers that shrink to round ones.

use proptest::prelude::*;
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::TestRunner;

/// The numbers of another strategy, which shrink to 0, then ±1, then their nearest whole number, quarter, 64th or power of ten.
///
/// A float between two bounds shrinks towards the lower one by bisection, and ends in numbers that nobody would write; these end in the simplest
/// that still fails.
///
/// ```
/// use proptest::prelude::*;
/// use topk_loss_laws::{check, strategies::round};
/// let refuted = check(round(2.0..9.0), |x| {
///     prop_assert!(x < 3.1);
///     Ok::<(), TestCaseError>(())
/// });
/// assert_eq!(refuted.unwrap_err().input.fract() * 4.0 % 1.0, 0.0);
/// ```
pub fn round<S: Strategy<Value = f64>>(numbers: S) -> Round<S> {
    Round(numbers)
}

/// The strategy that [`round`] makes; see there for an example.
#[derive(Debug, Clone)]
pub struct Round<S>(S);

impl<S: Strategy<Value = f64>> Strategy for Round<S> {
    type Tree = Rounder;
    type Value = f64;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Ok(Rounder::new(self.0.new_tree(runner)?.current()))
    }
}

/// Candidates for one number, the simplest first.
#[derive(Debug)]
pub struct Rounder {
    candidates: Vec<f64>,
    /// The simplest that is known to fail.
    failing: usize,
    current: usize,
    /// The simplest that has not been tried.
    next: usize,
}

impl Rounder {
    fn new(number: f64) -> Self {
        let power_of_ten = number.signum() * 10.0_f64.powf(number.abs().log10().round());
        let grid = |per_unit: f64| (per_unit * number).round() / per_unit;
        let mut candidates = vec![0.0, number.signum(), grid(1.0), grid(4.0), grid(64.0), power_of_ten];
        candidates.retain(|x| x.is_finite());
        // What follows the number itself is no simpler.
        candidates.truncate(candidates.iter().position(|x| x.to_bits() == number.to_bits()).unwrap_or(candidates.len()));
        candidates.push(number);
        let last = candidates.len() - 1;
        Self { candidates, failing: last, current: last, next: 0 }
    }

    fn advance(&mut self) -> bool {
        let is_simpler = self.next < self.failing;
        self.current = if is_simpler { self.next } else { self.failing };
        self.next += 1;
        is_simpler
    }
}

impl ValueTree for Rounder {
    type Value = f64;

    fn current(&self) -> f64 {
        self.candidates[self.current]
    }

    fn simplify(&mut self) -> bool {
        self.failing = self.current;
        self.advance()
    }

    fn complicate(&mut self) -> bool {
        // Back at what failed there is nothing to undo.
        let undone = self.current < self.failing;
        if undone {
            self.advance();
        }
        undone
    }
}
