//! The softmax as a label sees it: what the cross-entropy and its relatives are made of.

use crate::{Error, Ranked, Real, Result, check};

/// Every exponential is taken relative to the largest score, and the label's is kept apart from the others', so that 1 − p_y and −ln p_y
/// keep their digits where the label leads.
pub(super) struct Softmax<F> {
    largest: F,
    /// Σ over the classes other than the label.
    rest: F,
    /// The label's own exponential.
    own: F,
    /// By how much the label's score is below the largest.
    gap: F,
}

impl<F: Real> Softmax<F> {
    pub(super) fn new(scores: &[F], label: usize) -> Result<Self> {
        check::scores(scores)?;
        if scores.len() < 2 {
            return Err(Error::Length { what: "scores", expected: 2, actual: scores.len() });
        }
        let score = check::label(scores, label)?;
        let largest = scores.iter().copied().fold(F::neg_infinity(), F::max);
        let gap = check::in_range("range of the scores", largest - score)?;
        let others = scores.iter().enumerate().filter(|&(i, _)| i != label);
        let rest = others.fold(F::zero(), |sum, (_, &s)| sum + (s - largest).exp());
        Ok(Self { largest, rest, own: (-gap).exp(), gap })
    }

    /// As the first of the classes with the largest score sees it.
    pub(super) fn of_leader(scores: &[F]) -> Result<(Self, Ranked<F>)> {
        let lowest = Ranked { index: 0, value: F::neg_infinity() };
        let ranked = scores.iter().enumerate().map(|(index, &value)| Ranked { index, value });
        let leader = ranked.fold(lowest, |best, other| if other.value > best.value { other } else { best });
        Ok((Self::new(scores, leader.index)?, leader))
    }

    fn total(&self) -> F {
        self.rest + self.own
    }

    /// The probability of a class with this score.
    pub(super) fn probability(&self, score: F) -> F {
        (score - self.largest).exp() / self.total()
    }

    /// p_y.
    pub(super) fn hit(&self) -> F {
        self.own / self.total()
    }

    /// 1 − p_y.
    pub(super) fn miss(&self) -> F {
        self.rest / self.total()
    }

    /// −ln p_y.
    pub(super) fn surprise(&self) -> F {
        // ln(rest + own) + gap; the sum is 1 and a rest that keeps its digits where the label leads.
        (self.rest + (-self.gap).exp_m1()).ln_1p() + self.gap
    }

    /// Overwrites `grad` with `weight` times the gradient of −ln p_y.
    pub(super) fn surprise_gradient(&self, scores: &[F], label: usize, weight: F, grad: &mut [F]) {
        for (entry, &score) in grad.iter_mut().zip(scores) {
            *entry = weight * self.probability(score);
        }
        if let Some(entry) = grad.get_mut(label) {
            *entry = -(weight * self.miss());
        }
    }
}
