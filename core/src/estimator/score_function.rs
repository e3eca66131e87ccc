//! The score-function estimator: the gradient of a smoothing from values alone.

mod leave_one_out;

use super::draw::{self, Draw};
use super::estimate::{self, Estimate, Until};
use crate::perturbation::Perturbation;
use crate::{Error, FoldIn, Key, Noise, Oracle, Real, Result, Sampler, Translation, check};

/// What is subtracted from a value before it is weighed by the noise's score; none of them biases the gradient.
///
/// ```
/// use topk_loss::Key;
/// use topk_loss::estimator::{Baseline, ScoreFunction};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::{Max, Oracle};
/// use topk_loss::sampler::GivenDraws;
/// assert_eq!(Baseline::default(), Baseline::LeaveOneOut);
/// // Values 3 and 2; the scores of the first entry are 1 and −1.
/// let draws = GivenDraws::new(Normal, &[1.0, 0.0, -1.0, 0.0], 2)?;
/// let first = |baseline| {
///     let mut grad = [0.0; 2];
///     ScoreFunction::new(Max, draws, 1.0, baseline, Key::new(0))?.value_and_add_grad(&[2.0, 2.0], 1.0, &mut grad, &mut [0.0; 10])?;
///     Ok(grad[0])
/// };
/// assert_eq!((first(Baseline::Mean)?, first(Baseline::LeaveOneOut)?), (0.5, 1.0));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Baseline {
    /// Nothing, but for the share of the [center](Translation) where the oracle names one.
    None,
    /// f(θ), the value without noise: one more evaluation.
    Mean,
    /// The mean value of the other draws: (1/(B − 1)) Σ_b (f_b − f̄) ψ_b / ε, the sample covariance of value and score.
    #[default]
    LeaveOneOut,
}

/// ∇f_ε(θ) ≈ (1/B) Σ_b [f(θ + εz_b) − baseline_b] ψ(z_b) / ε, with ψ = −(ln density)′ the law's [score](Noise::score), entry by entry.
///
/// Only values of f are used, so f may be any function, with jumps and without gradients: an accuracy, a rank, the cost of a
/// decision. Unbiased for every law with a continuous density. The price is variance, with leave-one-out of the order of L·Var(f)/ε² a
/// draw; f(θ) as the baseline adds L·(f_ε − f)²/ε² (sixth largest of 1000 standard normal scores, ε = 1: 1034 against 43). Where
/// gradients exist use [`Pathwise`](crate::estimator::Pathwise) or [`Conditional`](crate::estimator::Conditional).
///
/// **Shapes.** θ of L entries; scratch 2L plus the oracle's, 2L more with leave-one-out.
///
/// **Errors.** The oracle's; a sampler or law that fails or returns NaN, after which `grad` is unspecified (with leave-one-out: as it was).
///
/// **Ties and NaN.** The oracle's. A common offset of all scores does not drown the noise: the oracle's
/// [center](Translation) is subtracted first.
///
/// **Cost.** B draws of L numbers, B evaluations of the oracle and B·L scores; memory independent of B.
///
/// ```
/// use topk_loss::estimator::{Baseline, ScoreFunction};
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::{Max, Oracle};
/// use topk_loss::sampler::GivenDraws;
/// use topk_loss::Key;
/// // Values 1 and 0; the scores are (1, 0) and (−1, 0).
/// let draws = GivenDraws::new(Normal, &[1.0, 0.0, -1.0, 0.0], 2)?;
/// let gradient = |baseline| {
///     let smoothed = ScoreFunction::new(Max, draws, 1.0, baseline, Key::new(0))?;
///     let mut grad = [0.0; 2];
///     let value = smoothed.value_and_add_grad(&[0.0, 0.0], 1.0, &mut grad, &mut [0.0; 10])?;
///     assert_eq!(value, 0.5);
///     Ok(grad)
/// };
/// assert_eq!(gradient(Baseline::None)?, [0.5, 0.0]);
/// assert_eq!(gradient(Baseline::LeaveOneOut)?, [1.0, 0.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement learning", Machine
/// Learning 8, 1992; Kool, van Hoof, Welling, "Buy 4 REINFORCE samples, get a baseline for free!", ICLR workshop on deep
/// reinforcement learning meets structured prediction, 2019 (leave-one-out); Glasserman, "Monte Carlo Methods in Financial
/// Engineering", Springer, 2003, section 7.3 (the laws it excludes).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreFunction<O, S, F> {
    oracle: O,
    points: Perturbation<S, F>,
    baseline: Baseline,
}

impl<O, S: Sampler<F>, F: Real> ScoreFunction<O, S, F> {
    /// The smoothing of `oracle` by `epsilon` times the sampler's noise.
    ///
    /// ```
    /// use topk_loss::Key;
    /// use topk_loss::estimator::{Baseline, ScoreFunction};
    /// use topk_loss::noise::{Normal, Uniform};
    /// use topk_loss::oracle::{Max, Oracle};
    /// use topk_loss::sampler::{GivenDraws, MonteCarlo};
    /// let draws = GivenDraws::new(Normal, &[1.0, 0.0, -1.0, 0.0], 2)?;
    /// let smoothed = ScoreFunction::new(Max, draws, 1.0, Baseline::None, Key::new(0))?;
    /// assert_eq!(smoothed.value(&[0.0, 0.0], &mut [0.0; 6])?, 0.5);
    /// // The uniform density jumps.
    /// let jumps = ScoreFunction::new(Max, MonteCarlo::new(Uniform, 10)?, 1.0, Baseline::None, Key::new(0));
    /// assert_eq!(jumps.unwrap_err().code(), 4);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An ε that is not positive and finite; a law whose density jumps; with leave-one-out, less than two draws or draws that
    /// [depend](Sampler::block_len) on one another, since the others would then not be independent of the one left out.
    pub fn new(oracle: O, sampler: S, epsilon: F, baseline: Baseline, key: Key) -> Result<Self> {
        let points = Perturbation::new(sampler, epsilon, key)?;
        if !points.sampler.law().is_continuous() {
            let must = "one with a continuous density for the score-function estimator; use the pathwise or the conditional one";
            return Err(Error::Parameter { name: "law", must });
        }
        if baseline == Baseline::LeaveOneOut {
            if points.sampler.num_samples() < 2 {
                return Err(Error::Parameter { name: "num_samples", must: "at least 2 for the leave-one-out baseline" });
            }
            if points.sampler.block_len() > 1 {
                return Err(Error::Parameter { name: "sampler", must: "one of independent draws for the leave-one-out baseline" });
            }
        }
        Ok(Self { oracle, points, baseline })
    }
}

impl<O: Oracle<F>, S: Sampler<F>, F: Real> ScoreFunction<O, S, F> {
    /// z ← draw `index`; returns f at its point.
    fn value_at(&self, theta: &[F], center: F, index: usize, z: &mut [F], scratch: &mut [F]) -> Result<F> {
        let (noised, scratch) = check::split(scratch, theta.len())?;
        self.points.draw(index, z)?;
        noised.copy_from_slice(z);
        self.points.apply(theta, center, noised)?;
        self.oracle.value(noised, scratch)
    }

    /// z ← ψ(z).
    fn scores(&self, z: &mut [F]) -> Result<()> {
        let law = self.points.sampler.law();
        z.iter_mut().for_each(|z| *z = law.score(*z));
        check::finite("score of the noise", z)
    }
}

/// The oracle's translation and the baseline, which is relative to it.
#[derive(Debug)]
pub struct Start<F> {
    translation: Translation<F>,
    baseline: F,
}

impl<O: Oracle<F>, S: Sampler<F>, F: Real> Draw<F> for ScoreFunction<O, S, F> {
    type Sampler = S;
    type Start = Start<F>;

    fn points(&self) -> &Perturbation<S, F> {
        &self.points
    }

    fn start(&self, theta: &[F], scratch: &mut [F]) -> Result<Start<F>> {
        let translation = self.translation(theta, scratch)?;
        let (centered, scratch) = check::split(scratch, theta.len())?;
        let baseline = if self.baseline == Baseline::Mean {
            centered.iter_mut().zip(theta).for_each(|(c, &t)| *c = t - translation.center);
            check::all_in_range("range of the scores", centered)?;
            self.oracle.value(centered, scratch)?
        } else {
            F::zero()
        };
        Ok(Start { translation, baseline })
    }

    fn constant(&self, _: &[F], start: &Start<F>, _: F, _: Option<&mut [F]>, _: &mut [F]) -> Result<F> {
        Ok(start.translation.center * start.translation.mass)
    }

    fn draw(&self, theta: &[F], start: &Start<F>, index: usize, weight: F, grad: Option<&mut [F]>, scratch: &mut [F]) -> Result<F> {
        let (z, scratch) = check::split(scratch, theta.len())?;
        let value = self.value_at(theta, start.translation.center, index, z, scratch)?;
        if let Some(grad) = grad {
            self.scores(z)?;
            let gain = check::in_range("score-function gradient", (value - start.baseline) / self.points.epsilon)?;
            grad.iter_mut().zip(z).for_each(|(entry, &mut score)| *entry += weight * (gain * score));
        }
        Ok(value)
    }

    fn estimate(&self, theta: &[F], until: Option<Until<F>>, weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<Estimate<F>> {
        match self.baseline {
            Baseline::LeaveOneOut => self.leave_one_out(theta, until, weight, grad, scratch),
            Baseline::None | Baseline::Mean => estimate::over_blocks(self, theta, until, weight, grad, scratch),
        }
    }
}

impl<O: Oracle<F>, S: Sampler<F>, F: Real> Oracle<F> for ScoreFunction<O, S, F> {
    fn scratch_len(&self, dim: usize) -> usize {
        let vectors = if self.baseline == Baseline::LeaveOneOut { 4 } else { 2 };
        dim.saturating_mul(vectors).saturating_add(self.oracle.scratch_len(dim))
    }

    fn value(&self, theta: &[F], scratch: &mut [F]) -> Result<F> {
        draw::mean(self, theta, F::one(), None, scratch)
    }

    fn value_and_add_grad(&self, theta: &[F], weight: F, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        if self.baseline != Baseline::LeaveOneOut {
            return draw::mean(self, theta, weight, Some(grad), scratch);
        }
        check::length("grad", grad, theta.len())?;
        let scratch = check::scratch(scratch, self.scratch_len(theta.len()))?;
        Ok(self.leave_one_out(theta, None, weight, grad, scratch)?.value)
    }

    fn translation(&self, theta: &[F], scratch: &mut [F]) -> Result<Translation<F>> {
        draw::translation(&self.oracle, &self.points.sampler, theta, scratch)
    }
}

impl<O: Copy, S: Copy, F: Real> FoldIn for ScoreFunction<O, S, F> {
    fn fold_in(&self, data: u64) -> Self {
        Self { points: self.points.fold_in(data), ..*self }
    }
}
