//! Estimators that are biased.

use topk_loss::estimator::{Baseline, Conditional, Pathwise, ScoreFunction};
use topk_loss::noise::{Noise, Normal};
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{FoldIn, Key, Result};
use topk_loss_laws::laws::estimator::is_unbiased;
use topk_loss_laws::smoothed::smoothed_kth_largest;

use crate::plant::Row;

/// Tied, so that the value is all noise.
const THETA: [f64; 4] = [0.0; 4];
const EPSILON: f64 = 0.5;
const REPEATS: u64 = 8000;

fn largest() -> KthLargest {
    KthLargest::new(1).unwrap()
}

fn draws() -> MonteCarlo<Normal> {
    MonteCarlo::new(Normal, 16).unwrap()
}

fn verdict(estimator: impl Oracle<f64> + FoldIn) -> core::result::Result<(), topk_loss_laws::Violation> {
    is_unbiased(&estimator, &THETA, &smoothed_kth_largest(&THETA, 1, Normal, EPSILON), REPEATS)
}

/// Normal noise through a function, draw by draw.
#[derive(Debug, Clone, Copy)]
struct Bent(fn(&mut [f64]));

impl Sampler<f64> for Bent {
    type Law = Normal;

    fn law(&self) -> Normal {
        Normal
    }
    fn num_samples(&self) -> usize {
        16
    }
    fn sample(&self, key: Key, index: usize, z: &mut [f64]) -> Result<()> {
        draws().sample(key, index, z)?;
        (self.0)(z);
        Ok(())
    }
}

/// An estimator whose gradient is multiplied by a factor.
#[derive(Debug, Clone, Copy)]
struct Weighed<E>(E, f64);

impl<E: Oracle<f64>> Oracle<f64> for Weighed<E> {
    fn scratch_len(&self, dim: usize) -> usize {
        self.0.scratch_len(dim)
    }
    fn value(&self, theta: &[f64], scratch: &mut [f64]) -> Result<f64> {
        self.0.value(theta, scratch)
    }
    fn value_and_add_grad(&self, theta: &[f64], weight: f64, grad: &mut [f64], scratch: &mut [f64]) -> Result<f64> {
        self.0.value_and_add_grad(theta, self.1 * weight, grad, scratch)
    }
}

impl<E: FoldIn> FoldIn for Weighed<E> {
    fn fold_in(&self, data: u64) -> Self {
        Self(self.0.fold_in(data), self.1)
    }
}

/// Normal, with a score that is not its own.
#[derive(Debug, Clone, Copy)]
struct WrongScore;

impl Noise<f64> for WrongScore {
    fn quantile(&self, p: f64) -> f64 {
        Normal.quantile(p)
    }
    fn cdf(&self, z: f64) -> f64 {
        Normal.cdf(z)
    }
    fn survival(&self, z: f64) -> f64 {
        Normal.survival(z)
    }
    fn pdf(&self, z: f64) -> f64 {
        Normal.pdf(z)
    }
    fn score(&self, z: f64) -> f64 {
        z.signum()
    }
}

fn pathwise(bend: fn(&mut [f64])) -> impl Oracle<f64> + FoldIn {
    Pathwise::new(largest(), Bent(bend), EPSILON, Key::new(1)).unwrap()
}

fn score_function(law: impl Noise<f64>) -> impl Oracle<f64> + FoldIn {
    ScoreFunction::new(largest(), MonteCarlo::new(law, 16).unwrap(), EPSILON, Baseline::LeaveOneOut, Key::new(1)).unwrap()
}

fn conditional(k: usize) -> impl Oracle<f64> + FoldIn {
    Conditional::new(KthLargest::new(k).unwrap(), draws(), EPSILON, Key::new(1)).unwrap()
}

pub fn rows() -> Vec<Row> {
    let honest = || verdict(pathwise(|_| {}));
    let scored = || verdict(score_function(Normal));
    let row = |fault, original: fn() -> _, mutant: fn() -> _| Row::new(fault, "is_unbiased", original, mutant);
    vec![
        row("the sampler's noise is 2 % too large", honest, || verdict(pathwise(|z| z.iter_mut().for_each(|z| *z *= 1.02)))),
        row("the sampler's noise is off center by 2 %", honest, || verdict(pathwise(|z| z.iter_mut().for_each(|z| *z += 0.02)))),
        row("one class's noise is not drawn", honest, || verdict(pathwise(|z| z[0] = 0.0))),
        row("all classes have the same noise", honest, || verdict(pathwise(|z| z.fill(z[0])))),
        row("the tails are cut off", honest, || verdict(pathwise(|z| z.iter_mut().for_each(|z| *z = z.clamp(-2.0, 2.0))))),
        row("the score function lacks 1/ε", scored, || verdict(Weighed(score_function(Normal), EPSILON))),
        row("the baseline holds the draw itself", scored, || verdict(Weighed(score_function(Normal), 15.0 / 16.0))),
        row("the score is another law's", scored, || verdict(score_function(WrongScore))),
        row("the conditional gradient is off by 2 %", || verdict(conditional(1)), || verdict(Weighed(conditional(1), 0.98))),
        row("the estimate is of the next rank", || verdict(conditional(1)), || verdict(conditional(2))),
    ]
}
