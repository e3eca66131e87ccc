//! Noise of one scale, drawn under one key: what every perturbed computation does to its scores.

use core::ops::Range;

use crate::{FoldIn, Key, Real, Result, Sampler, check};

/// The points θ + εz_b.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Perturbation<S, F> {
    pub sampler: S,
    pub epsilon: F,
    pub key: Key,
}

impl<S: Sampler<F>, F: Real> Perturbation<S, F> {
    pub fn new(sampler: S, epsilon: F, key: Key) -> Result<Self> {
        check::positive("epsilon", epsilon)?;
        check::at_least_one("num_samples", sampler.num_samples())?;
        Ok(Self { sampler, epsilon, key })
    }

    pub fn law(&self) -> S::Law {
        self.sampler.law()
    }

    pub fn check_dim(&self, dim: usize) -> Result<()> {
        self.sampler.check_dim(dim)
    }

    pub fn indices(&self) -> Range<usize> {
        0..self.sampler.num_samples()
    }

    pub fn num_samples(&self) -> F {
        F::from_usize(self.sampler.num_samples())
    }

    /// z ← draw `index`.
    pub fn draw(&self, index: usize, z: &mut [F]) -> Result<()> {
        self.sampler.sample(self.key, index, z)?;
        check::finite("noise", z)
    }

    /// z ← (θ − center) + εz.
    pub fn apply(&self, theta: &[F], center: F, z: &mut [F]) -> Result<()> {
        z.iter_mut().zip(theta).for_each(|(z, &t)| *z = (t - center) + self.epsilon * *z);
        check::all_in_range("perturbed scores", z)
    }

    /// `perturbed` ← (θ − center) + ε · draw `index`.
    pub fn perturb(&self, theta: &[F], center: F, index: usize, perturbed: &mut [F]) -> Result<()> {
        self.draw(index, perturbed)?;
        self.apply(theta, center, perturbed)
    }
}

impl<S: Copy, F: Real> FoldIn for Perturbation<S, F> {
    fn fold_in(&self, data: u64) -> Self {
        Self { key: self.key.fold_in(data), ..*self }
    }
}
