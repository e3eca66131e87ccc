//! The leave-one-out baseline: the gradient is the sample covariance of value and score, in one pass.

use super::super::draw::Draw;
use super::super::estimate::{self, Estimate, Until, update};
use super::ScoreFunction;
use crate::lanes::Compensated;
use crate::{Oracle, Real, Result, Sampler, check, oracle};

impl<O: Oracle<F>, S: Sampler<F>, F: Real> ScoreFunction<O, S, F> {
    /// Σ_b (f_b − mean of the others) ψ_b / (Bε) = Σ_b (f_b − f̄)(ψ_b − ψ̄) / ((B − 1)ε), by Welford's recurrence for both factors.
    pub(super) fn leave_one_out(
        &self,
        theta: &[F],
        until: Option<Until<F>>,
        weight: F,
        grad: &mut [F],
        scratch: &mut [F],
    ) -> Result<Estimate<F>> {
        let start = self.start(theta, scratch)?;
        let (mean_score, scratch) = check::split(scratch, theta.len())?;
        let (covariance, scratch) = check::split(scratch, theta.len())?;
        let (z, scratch) = check::split(scratch, theta.len())?;
        mean_score.fill(F::zero());
        covariance.fill(F::zero());

        let (epsilon, mut terms) = (self.points.epsilon, Terms::new());
        let (mut sum, mut first) = (F::zero(), F::zero());
        for index in 0..self.points.sampler.num_samples() {
            let value = self.value_at(theta, start.translation.center, index, z, scratch)?;
            self.scores(z)?;
            sum += value;
            if index == 0 {
                first = value;
            }
            terms.add((value - first) / epsilon, z, mean_score, covariance);
            if until.is_some_and(|until| until.is_met(terms.count, terms.standard_errors(epsilon, covariance))) {
                break;
            }
        }
        let [standard_error, gradient_standard_error] = estimate::checked(terms.count, terms.standard_errors(epsilon, covariance))?;
        let mean = sum / F::from_usize(terms.count) + start.translation.center * start.translation.mass;
        let value = check::in_range("mean over the draws", mean)?;
        let gain = terms.gain();
        covariance.iter_mut().for_each(|c| *c = weight * (gain * *c));
        oracle::add(grad, covariance)?;
        Ok(Estimate { value, standard_error, gradient_standard_error, num_samples: terms.count })
    }
}

/// Sums over the draws so far, of x = (f_b − f_0)/ε, which no ε makes tiny or huge, and the scores ψ_b.
struct Terms<F> {
    count: usize,
    mean: F,
    /// Σ (x − x̄)².
    squares: F,
    /// Σ xʲ‖ψ‖² for j = 0, 1, 2.
    norms: [F; 3],
}

impl<F: Real> Terms<F> {
    fn new() -> Self {
        Self { count: 0, mean: F::zero(), squares: F::zero(), norms: [F::zero(); 3] }
    }

    fn add(&mut self, x: F, scores: &[F], mean_score: &mut [F], covariance: &mut [F]) {
        self.count += 1;
        let count = F::from_usize(self.count);
        let before = x - self.mean;
        self.squares += update(&mut self.mean, x, count);
        let mut norm = Compensated::zero();
        for ((&score, mean), covariance) in scores.iter().zip(mean_score).zip(covariance) {
            *mean += (score - *mean) / count;
            *covariance += before * (score - *mean);
            norm.add(score * score);
        }
        let norm = norm.sum();
        let [zeroth, first, second] = &mut self.norms;
        *zeroth += norm;
        *first += x * norm;
        *second += x * x * norm;
    }

    /// What makes the sum of products the gradient.
    fn gain(&self) -> F {
        F::from_usize(self.count - 1).recip()
    }

    /// Of value and gradient, given ε. A draw's own term is (f_b − mean of the others) ψ_b / ε, and since f̄ is one number the sum of the
    /// squared norms of all terms follows from three sums. That the terms share f̄ is of the order of 1/B² only.
    fn standard_errors(&self, epsilon: F, covariance: &[F]) -> (F, F) {
        if self.count < 2 {
            return (F::infinity(), F::infinity());
        }
        let (count, others) = (F::from_usize(self.count), F::from_usize(self.count - 1));
        let [zeroth, first, second] = self.norms;
        let gain = self.gain();
        let raw = (second - self.mean * (first + first - self.mean * zeroth)).max(F::zero());
        let products = Compensated::of(covariance.iter().map(|&c| c * c));
        // Σ‖term‖² = raw·(B·gain)², and B‖mean‖² = products·B·gain².
        let squares = gain * gain * count * (count * raw - products);
        (epsilon * (self.squares / (count * others)).sqrt(), (squares.max(F::zero()) / (count * others)).sqrt())
    }
}
