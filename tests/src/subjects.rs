//! Makes losses of what is none yet: two closures of any framework, an oracle.
//!
//! ```
//! use topk_loss::Loss;
//! use topk_loss_laws::loss_fn;
//! let squared = loss_fn(|s: &[f64], y: usize| s[y] * s[y], |s: &[f64], y: usize| (s[y] * s[y], vec![2.0 * s[0], 0.0]));
//! assert_eq!(squared.value(&[3.0, 1.0], 0, &mut [])?, 9.0);
//! # Ok::<(), topk_loss::Error>(())
//! ```

use topk_loss::oracle::Oracle;
use topk_loss::{Error, FoldIn, Loss, Real, Result};

/// A loss from two closures of scores and label: its value, and its value and gradient. Whatever computes them may allocate.
///
/// The closures see what is worth computing only: wrong lengths, labels that are no class and scores that are no numbers are refused before.
///
/// ```
/// use topk_loss::Loss;
/// use topk_loss_laws::laws::gradient_is_the_slope;
/// use topk_loss_laws::{check_loss, loss_fn, tolerances::ROUNDING};
///
/// let squared = |scores: &[f64], label: usize| scores.iter().map(|s| s * s).sum::<f64>() - 2.0 * scores[label];
/// let with_gradient = |scores: &[f64], label: usize| {
///     let mut grad: Vec<f64> = scores.iter().map(|s| 2.0 * s).collect();
///     grad[label] -= 2.0;
///     (squared(scores, label), grad)
/// };
/// let law = |loss: &dyn Loss<f64>, example: &_| gradient_is_the_slope(loss, example, ROUNDING);
/// assert!(check_loss(|_| loss_fn(squared, with_gradient), law).is_ok());
/// ```
pub fn loss_fn<F: Real, V, G>(value: V, value_and_grad: G) -> LossFn<V, G>
where
    V: Fn(&[F], usize) -> F,
    G: Fn(&[F], usize) -> (F, Vec<F>),
{
    LossFn { value, value_and_grad }
}

/// The loss that [`loss_fn`] makes of two closures; see there for an example.
#[derive(Debug, Clone, Copy)]
pub struct LossFn<V, G> {
    value: V,
    value_and_grad: G,
}

fn check<F: Real>(scores: &[F], label: usize) -> Result<()> {
    if let Some(index) = scores.iter().position(|s| !s.is_finite()) {
        return Err(Error::NotFinite { what: "scores", index });
    }
    if label >= scores.len() {
        return Err(Error::Label { label, num_classes: scores.len() });
    }
    Ok(())
}

fn check_length<F>(grad: &[F], scores: &[F]) -> Result<()> {
    if grad.len() == scores.len() {
        return Ok(());
    }
    Err(Error::Length { what: "grad", expected: scores.len(), actual: grad.len() })
}

impl<F: Real, V: Fn(&[F], usize) -> F, G: Fn(&[F], usize) -> (F, Vec<F>)> Loss<F> for LossFn<V, G> {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    fn value(&self, scores: &[F], label: usize, _: &mut [F]) -> Result<F> {
        check(scores, label)?;
        Ok((self.value)(scores, label))
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], _: &mut [F]) -> Result<F> {
        check(scores, label)?;
        check_length(grad, scores)?;
        let (value, gradient) = (self.value_and_grad)(scores, label);
        check_length(&gradient, scores)?;
        grad.copy_from_slice(&gradient);
        Ok(value)
    }
}

impl<V: Clone, G: Clone> FoldIn for LossFn<V, G> {
    fn fold_in(&self, _: u64) -> Self {
        self.clone()
    }
}

/// An oracle as a loss that has no use for its label, so that the laws of losses are laws of oracles too.
///
/// ```
/// use topk_loss::Loss;
/// use topk_loss::oracle::KthLargest;
/// use topk_loss_laws::OfScores;
/// let second = OfScores(KthLargest::new(2)?);
/// let mut scratch = vec![0.0; Loss::<f64>::scratch_len(&second, 3)];
/// assert_eq!(second.value(&[0.5, 2.0, 1.0], 0, &mut scratch)?, 1.0);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct OfScores<O>(pub O);

impl<F: Real, O: Oracle<F>> Loss<F> for OfScores<O> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        self.0.scratch_len(num_classes)
    }

    fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F> {
        check(scores, label)?;
        self.0.value(scores, scratch)
    }

    fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
        check(scores, label)?;
        let mut added = vec![F::zero(); grad.len()];
        let value = self.0.value_and_add_grad(scores, F::one(), &mut added, scratch)?;
        grad.copy_from_slice(&added);
        Ok(value)
    }
}

impl<O: FoldIn> FoldIn for OfScores<O> {
    fn fold_in(&self, data: u64) -> Self {
        Self(self.0.fold_in(data))
    }
}
