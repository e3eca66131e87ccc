//! The smoothed order statistic itself, with no randomness.

use crate::exact::{Division, Precision, Profile, Ranks, Solution, Summary, scratch_len, solve};
use crate::{Error, FoldIn, KthLargest, Noise, Oracle, Real, Regularity, Result, Translation, check, select};

/// f_ε(θ) = E (θ + εZ)₍ₖ₎ and its gradient P(i is the k-th largest of θ + εZ), computed and not drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exact<N, F> {
    k: usize,
    law: N,
    epsilon: F,
}

impl<N: Noise<F>, F: Real> Exact<N, F> {
    /// The k-th largest under noise of scale `epsilon`.
    ///
    /// # Errors
    /// An ε that is not positive and finite; a law whose density has a kink.
    pub fn new(oracle: KthLargest, law: N, epsilon: F) -> Result<Self> {
        check::positive("epsilon", epsilon)?;
        if law.regularity() == Regularity::Kinked {
            return Err(Error::Parameter { name: "law", must: "smooth for the exact estimator; use the conditional one" });
        }
        Ok(Self { k: oracle.k(), law, epsilon })
    }

    fn solve<T>(&self, theta: &[F], scratch: &mut [F], visit: impl FnOnce(&Solution<'_, F>, F) -> T) -> Result<T> {
        check::scores(theta)?;
        check::rank(self.k, theta.len())?;
        let scratch = check::scratch(scratch, self.scratch_len(theta.len()))?;
        let (candidates, scratch) = scratch.split_at_mut(theta.len());
        let center = select::kth_value(theta, self.k, candidates);
        let ranks = Ranks::Single(self.k);
        let precision = Precision::of_float();
        let mut profile = Profile::new(self.law, theta.len(), F::zero(), precision);
        self.units(theta, center).for_each(|u| profile.add(u));
        let window = profile.window(self.law, &ranks, precision.outside);
        let division = Division::new(self.law, window, &profile, precision);
        let mut summary = Summary::new(candidates);
        summary.add(&division, precision.degree, self.units(theta, center))?;
        let solution = solve(self.law, &ranks, division, &summary, precision, scratch)?;
        Ok(visit(&solution, center))
    }

    fn units(&self, theta: &[F], center: F) -> impl Iterator<Item = F> {
        let far = F::from_f64(1e6);
        theta.iter().map(move |&s| ((s - center) / self.epsilon).max(-far).min(far))
    }

    /// the bound
    pub fn bound(&self, theta: &[F], scratch: &mut [F]) -> Result<(F, F)> {
        self.solve(theta, scratch, |s, _| (s.error_bound, s.bulk_error))
    }
}

impl<N: Noise<F>, F: Real> Oracle<F> for Exact<N, F> {
    fn scratch_len(&self, dim: usize) -> usize {
        dim + scratch_len(dim, &Ranks::<F>::Single(self.k))
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        self.solve(theta, scratch, |s, center| center + self.epsilon * s.value)
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check::length("grad", grad, theta.len())?;
        self.solve(theta, scratch, |s, center| {
            let mut entries = grad.iter_mut();
            s.gradient(self.units(theta, center), 0, |g| {
                if let Some(entry) = entries.next() {
                    *entry += weight * g;
                }
            });
            center + self.epsilon * s.value
        })
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        Oracle::<F>::translation(&KthLargest::new(self.k)?, theta, scratch)
    }
}

impl<N: Copy, F: Real> FoldIn for Exact<N, F> {
    fn fold_in(&self, _: u64) -> Self {
        *self
    }
}
