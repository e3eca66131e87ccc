//! The expected argmax of a perturbed optimizer, and products with its Jacobian.

use crate::maximizer::{argmax, dot};
use crate::perturbation::Perturbation;
use crate::{Error, FoldIn, Key, Maximizer, Noise, Real, Result, Sampler, check};

/// y_ε(θ) = E y*(θ + εZ) for a [`Maximizer`], estimated by B draws, with the products J v and Jᵀw of its Jacobian J = ∂y_ε/∂θ.
///
/// y_ε is the gradient of the perturbed optimum `Pathwise<SupportFunction<M>, S, F>`, so J is its Hessian: symmetric in expectation and
/// positive semidefinite. y* itself is piecewise constant and has nothing to differentiate; the noise's density has. With the score
/// ψ = −f′/f of the law ([`Noise::score`]; ψ(z) = z for the normal), integration by parts gives
///
/// J = E[(y*(θ + εZ) − y*(θ)) ψ(Z)ᵀ] / ε.
///
/// Because E ψ(Z) = 0, the baseline y*(θ) changes no expectation. It removes the draws that leave the argmax as it is: for the
/// [`Ranking`](crate::maximizer::Ranking) of five scores one apart it divides the variance by 6 at ε = 2, 25 at 0.5 and 4000 at 0.2, and
/// where no draw changes the argmax the products are exactly zero.
///
/// [`jvp`](Self::jvp) and [`vjp`](Self::vjp) multiply by the same B-draw matrix from its two sides, so ⟨w, J v⟩ = ⟨Jᵀw, v⟩ for fixed draws.
/// That matrix is unbiased for the Jacobian of y_ε, but it is not the derivative of the B-draw mean, which is piecewise constant.
///
/// The identities ask only that y* be bounded: any piecewise constant map serves as a [`Maximizer`] here.
///
/// **Laws.** [`expected_argmax`](Self::expected_argmax) takes every law. The products need a density without jumps and a score of finite
/// variance (finite Fisher information); then the density at the quantiles p and 1 − p falls at least like √p. Both products
/// evaluate it there and refuse a law that does not: the uniform one, whose score is 0 while its Jacobian is not, or an exponential one. A
/// jump *inside* a law's support is not found.
///
/// **Shapes.** θ, v, w and outputs of L entries; scratch 3L plus the maximizer's.
///
/// **Errors.** No entry, NaN or infinite entries, wrong lengths, draws that do not fit, a law as above, whatever the maximizer refuses:
/// outputs are then as before. A law that returns NaN, or a maximizer that fails at some draw only: they are unspecified.
///
/// **Ties and NaN.** The maximizer's; a common offset of all entries is removed where the maximizer knows its
/// [translation](Maximizer::translation).
///
/// **Cost.** B draws of L numbers, B + 1 calls of the maximizer and, for a product, B·L scores; memory independent of B.
///
/// ```
/// use topk_loss::maximizer::{PerturbedArgmax, TopKMask};
/// use topk_loss::noise::Normal;
/// use topk_loss::sampler::GivenDraws;
/// use topk_loss::Key;
/// // Two draws; the second lifts the last entry above the first.
/// let draws = [0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
/// let soft = PerturbedArgmax::new(TopKMask::new(1)?, GivenDraws::new(Normal, &draws, 3)?, 0.5, Key::new(0))?;
/// let (theta, mut out, mut scratch) = ([1.0, 0.0, 0.5], [0.0; 3], [0.0; 12]);
///
/// soft.expected_argmax(&theta, &mut out, &mut scratch)?;
/// assert_eq!(out, [0.5, 0.0, 0.5]);
///
/// // The matrix is (0, 0, 1) − (1, 0, 0) times (0, 0, 2), over εB = 1.
/// soft.jvp(&theta, &[0.0, 0.0, 1.0], &mut out, &mut scratch)?;
/// assert_eq!(out, [-2.0, 0.0, 2.0]);
/// soft.vjp(&theta, &[0.0, 0.0, 1.0], &mut out, &mut scratch)?;
/// assert_eq!(out, [0.0, 0.0, 2.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// **References.** Berthet, Blondel, Teboul, Cuturi, Vert, Bach, "Learning with differentiable perturbed optimizers", NeurIPS 2020 (y_ε and
/// its Jacobian, without the baseline).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerturbedArgmax<M, S, F> {
    maximizer: M,
    noise: Perturbation<S, F>,
}

impl<M, S: Sampler<F>, F: Real> PerturbedArgmax<M, S, F> {
    /// The argmax of `maximizer` under `epsilon` times the sampler's noise.
    ///
    /// ```
    /// use topk_loss::maximizer::{PerturbedArgmax, TopKMask};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::Key;
    /// // One draw, which lifts the second entry above the first.
    /// let draws = GivenDraws::new(Normal, &[0.0, 2.0], 2)?;
    /// let soft = PerturbedArgmax::new(TopKMask::new(1)?, draws, 0.5, Key::new(0))?;
    /// let mut y = [0.0; 2];
    /// soft.expected_argmax(&[0.5, 0.0], &mut y, &mut [0.0; 8])?;
    /// assert_eq!(y, [0.0, 1.0]);
    /// assert!(PerturbedArgmax::new(TopKMask::new(1)?, draws, 0.0, Key::new(0)).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An ε that is not positive and finite.
    pub fn new(maximizer: M, sampler: S, epsilon: F, key: Key) -> Result<Self> {
        Ok(Self { maximizer, noise: Perturbation::new(sampler, epsilon, key)? })
    }
}

/// The scratch, divided, and the center that is subtracted from θ.
struct Room<'s, F> {
    center: F,
    first: &'s mut [F],
    second: &'s mut [F],
    y: &'s mut [F],
    scratch: &'s mut [F],
}

impl<F: Real, S: Sampler<F>, M: Maximizer<F>> PerturbedArgmax<M, S, F> {
    /// How much scratch a θ of `dim` entries needs.
    ///
    /// ```
    /// use topk_loss::maximizer::{PerturbedArgmax, TopKMask};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::Key;
    /// // One draw, which lifts the second entry above the first.
    /// let draws = GivenDraws::new(Normal, &[0.0, 2.0], 2)?;
    /// let soft = PerturbedArgmax::new(TopKMask::new(1)?, draws, 0.5, Key::new(0))?;
    /// // Three times two, and two of the mask.
    /// assert_eq!(soft.scratch_len(2), 8);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    pub fn scratch_len(&self, dim: usize) -> usize {
        dim.saturating_mul(3).saturating_add(self.maximizer.scratch_len(dim))
    }

    /// Overwrites `y` with the mean of y*(θ + εz_b) over the draws.
    ///
    /// **Ties and NaN.** The maximizer's; NaN is an error.
    ///
    /// **Cost.** B draws and B calls of the maximizer.
    ///
    /// ```
    /// use topk_loss::maximizer::{PerturbedArgmax, TopKMask};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::Key;
    /// // One draw, which lifts the second entry above the first.
    /// let draws = GivenDraws::new(Normal, &[0.0, 2.0], 2)?;
    /// let soft = PerturbedArgmax::new(TopKMask::new(1)?, draws, 0.5, Key::new(0))?;
    /// let mut y = [0.0; 2];
    /// soft.expected_argmax(&[0.5, 0.0], &mut y, &mut [0.0; 8])?;
    /// assert_eq!(y, [0.0, 1.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the type's description.
    pub fn expected_argmax(&self, theta: &[F], y: &mut [F], scratch: &mut [F]) -> Result<()> {
        check::length("y", y, theta.len())?;
        let Room { center, first: perturbed, y: draw, scratch, .. } = self.divide(theta, scratch)?;
        for index in self.noise.indices() {
            self.noise.perturb(theta, center, index, perturbed)?;
            argmax(&self.maximizer, perturbed, draw, scratch)?;
            if index == 0 {
                y.fill(F::zero());
            }
            y.iter_mut().zip(draw.iter()).for_each(|(sum, &y)| *sum += y);
        }
        finish(y, self.noise.num_samples())
    }

    /// Overwrites `product` with J v: how the expected argmax moves when θ moves along v.
    ///
    /// **Ties and NaN.** The maximizer's; NaN is an error.
    ///
    /// **Cost.** B draws, B + 1 calls of the maximizer and B·L scores.
    ///
    /// ```
    /// use topk_loss::maximizer::{PerturbedArgmax, TopKMask};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::Key;
    /// // One draw, which lifts the second entry above the first.
    /// let draws = GivenDraws::new(Normal, &[0.0, 2.0], 2)?;
    /// let soft = PerturbedArgmax::new(TopKMask::new(1)?, draws, 0.5, Key::new(0))?;
    /// let mut product = [0.0; 2];
    /// soft.jvp(&[0.5, 0.0], &[0.0, 1.0], &mut product, &mut [0.0; 8])?;
    /// // The argmax moves by (−1, 1); the score along v is 2, over ε.
    /// assert_eq!(product, [-4.0, 4.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the type's description.
    pub fn jvp(&self, theta: &[F], v: &[F], product: &mut [F], scratch: &mut [F]) -> Result<()> {
        let Room { center, first: z, second: baseline, y, scratch } = self.divide_for_product(theta, ("v", v), product, scratch)?;
        self.argmax_unperturbed(theta, center, z, baseline, scratch)?;
        product.fill(F::zero());
        for index in self.noise.indices() {
            self.noise.draw(index, z)?;
            self.to_scores(z, y)?;
            let along = dot(y, v);
            self.noise.apply(theta, center, z)?;
            argmax(&self.maximizer, z, y, scratch)?;
            let moved = y.iter().zip(baseline.iter()).map(|(&y, &y0)| y - y0);
            product.iter_mut().zip(moved).for_each(|(sum, moved)| *sum += moved * along);
        }
        finish(product, self.noise.num_samples() * self.noise.epsilon)
    }

    /// Overwrites `product` with Jᵀw: the gradient in θ of ⟨w, y_ε(θ)⟩, what backpropagation through the expected argmax needs.
    ///
    /// **Ties and NaN.** The maximizer's; NaN is an error.
    ///
    /// **Cost.** B draws, B + 1 calls of the maximizer and B·L scores.
    ///
    /// ```
    /// use topk_loss::maximizer::{PerturbedArgmax, TopKMask};
    /// use topk_loss::noise::Normal;
    /// use topk_loss::sampler::GivenDraws;
    /// use topk_loss::Key;
    /// // One draw, which lifts the second entry above the first.
    /// let draws = GivenDraws::new(Normal, &[0.0, 2.0], 2)?;
    /// let soft = PerturbedArgmax::new(TopKMask::new(1)?, draws, 0.5, Key::new(0))?;
    /// let mut product = [0.0; 2];
    /// soft.vjp(&[0.5, 0.0], &[0.0, 1.0], &mut product, &mut [0.0; 8])?;
    /// // The argmax moves by 1 along w; the scores are (0, 2), over ε.
    /// assert_eq!(product, [0.0, 4.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// See the type's description.
    pub fn vjp(&self, theta: &[F], w: &[F], product: &mut [F], scratch: &mut [F]) -> Result<()> {
        let Room { center, first: z, second: perturbed, y, scratch } = self.divide_for_product(theta, ("w", w), product, scratch)?;
        self.argmax_unperturbed(theta, center, perturbed, y, scratch)?;
        let baseline = dot(y, w);
        product.fill(F::zero());
        for index in self.noise.indices() {
            self.noise.draw(index, z)?;
            perturbed.iter_mut().zip(z.iter()).for_each(|(p, &z)| *p = z);
            self.noise.apply(theta, center, perturbed)?;
            argmax(&self.maximizer, perturbed, y, scratch)?;
            let moved = dot(y, w) - baseline;
            self.to_scores(z, y)?;
            product.iter_mut().zip(y.iter()).for_each(|(sum, &score)| *sum += score * moved);
        }
        finish(product, self.noise.num_samples() * self.noise.epsilon)
    }

    fn divide<'s>(&self, theta: &[F], scratch: &'s mut [F]) -> Result<Room<'s, F>> {
        check::scores(theta)?;
        let dim = theta.len();
        let scratch = check::scratch(scratch, self.scratch_len(dim))?;
        self.noise.check_dim(dim)?;
        let center = self.maximizer.translation(theta, scratch)?.center;
        let (first, scratch) = scratch.split_at_mut(dim);
        let (second, scratch) = scratch.split_at_mut(dim);
        let (y, scratch) = scratch.split_at_mut(dim);
        Ok(Room { center, first, second, y, scratch })
    }

    fn divide_for_product<'s>(
        &self,
        theta: &[F],
        (what, vector): (&'static str, &[F]),
        product: &[F],
        scratch: &'s mut [F],
    ) -> Result<Room<'s, F>> {
        check::length("product", product, theta.len())?;
        check::length(what, vector, theta.len())?;
        check::finite(what, vector)?;
        if jumps(&self.noise.law()) {
            return Err(Error::Parameter { name: "law", must: "of a density without jumps, for products with the Jacobian" });
        }
        self.divide(theta, scratch)
    }

    fn argmax_unperturbed(&self, theta: &[F], center: F, centered: &mut [F], y: &mut [F], scratch: &mut [F]) -> Result<()> {
        centered.fill(F::zero());
        self.noise.apply(theta, center, centered)?;
        argmax(&self.maximizer, centered, y, scratch)
    }

    fn to_scores(&self, z: &[F], scores: &mut [F]) -> Result<()> {
        let law = self.noise.law();
        scores.iter_mut().zip(z).for_each(|(score, &z)| *score = law.score(z));
        check::finite("score of the law", scores)
    }
}

/// Whether the density stays high at an end of the support, where that of a law of finite Fisher information is O(√p) at the quantile p.
fn jumps<F: Real>(law: &impl Noise<F>) -> bool {
    let p = F::from_f64(1.0 / (1 << 24) as f64);
    let high = F::from_f64(0.01) * law.pdf(law.quantile(F::from_f64(0.5)));
    [p, F::one() - p].into_iter().any(|p| law.pdf(law.quantile(p)) > high)
}

/// Sums to means.
fn finish<F: Real>(sums: &mut [F], divisor: F) -> Result<()> {
    sums.iter_mut().for_each(|sum| *sum /= divisor);
    if sums.iter().any(|s| !s.is_finite()) {
        return Err(Error::Overflow { what: "mean over the draws" });
    }
    Ok(())
}

impl<M: Copy, S: Copy, F: Real> FoldIn for PerturbedArgmax<M, S, F> {
    fn fold_in(&self, data: u64) -> Self {
        Self { noise: self.noise.fold_in(data), ..*self }
    }
}
