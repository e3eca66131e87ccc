//! The derivative of the smoothed gradient in a direction.

use num_traits::{One, Zero};

use super::Exact;
use crate::{Dual, Noise, Oracle, OrderStatistics, Real, Result, check};

impl<F: Real, N: Noise<F>, O: OrderStatistics<F>> Exact<O, N, F> {
    /// Adds `weight`·H v to `out`, H = ∇²f_ε(θ) the Jacobian of the gradient and `direction` v.
    ///
    /// H is symmetric, so this is the Jacobian's product with a vector on either side: for [`TopKSum`](crate::oracle::TopKSum) the
    /// vector–Jacobian product of the soft top-K mask. Computed with [dual numbers](Dual), without differences.
    ///
    /// **Shapes.** `theta`, `direction`, `out` L long; scratch 2L more than [`scratch_len`](Oracle::scratch_len), of dual numbers.
    ///
    /// **Accuracy.** One to two digits less than the gradient, times |v|/ε.
    ///
    /// **Ties and NaN.** Ties need no rule. NaN is an error.
    ///
    /// **Cost.** The gradient's, with dual numbers in place of floats.
    ///
    /// ```
    /// use topk_loss::dual::Dual;
    /// use topk_loss::estimator::Exact;
    /// use topk_loss::noise::Normal;
    /// use topk_loss::oracle::TopKSum;
    /// let mask = Exact::new(TopKSum::new(1)?, Normal, 1.0)?;
    /// let (mut product, mut scratch) = ([0.0_f64; 2], [Dual::constant(0.0); 1000]);
    /// mask.jacobian_product(&[0.0, 0.0], &[1.0, 0.0], 1.0, &mut product, &mut scratch)?;
    /// // P(Z₁ − Z₂ > −d) has derivative 1/√(4π) at d = 0.
    /// assert!((product[0] - 0.28209479177387814).abs() < 1e-9 && (product[1] + product[0]).abs() < 1e-12);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for the type; a direction of another length or that is NaN or infinite. `out` is then as before.
    pub fn jacobian_product(&self, theta: &[F], direction: &[F], weight: F, out: &mut [F], scratch: &mut [Dual<F>]) -> Result<()>
    where
        N: Noise<Dual<F>>,
        O: OrderStatistics<Dual<F>>,
    {
        check::length("direction", direction, theta.len())?;
        check::length("out", out, theta.len())?;
        check::finite("direction", direction)?;
        check::scores(theta)?;
        let precision = self.precision.map(Dual::constant);
        let exact = Exact { oracle: &self.oracle, law: self.law, epsilon: Dual::constant(self.epsilon), precision, plain: self.plain };
        let needed = Oracle::<Dual<F>>::scratch_len(&exact, theta.len()).saturating_add(2 * theta.len());
        let (point, scratch) = check::split(check::scratch(scratch, needed)?, theta.len())?;
        let (gradient, scratch) = check::split(scratch, theta.len())?;
        let pairs = point.iter_mut().zip(theta).zip(direction);
        pairs.for_each(|((point, &value), &derivative)| *point = Dual { value, derivative });
        gradient.fill(Dual::zero());
        exact.certified(point, Dual::one(), gradient, scratch)?;
        out.iter_mut().zip(gradient).for_each(|(out, entry)| *out += weight * entry.derivative);
        Ok(())
    }
}
