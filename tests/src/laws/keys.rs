//! Laws of randomness: what is drawn follows from the key alone.
//!
//! ```
//! use topk_loss::{Key, Smoothing, TopKHinge};
//! use topk_loss_laws::{Example, laws};
//! let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
//! let drawn = TopKHinge::new(1)?.with_smoothing(Smoothing::Conditional { epsilon: 1.0, num_samples: 4, key: Key::new(7) })?;
//! assert_eq!(laws::draws_follow_the_key(&drawn, &example), Ok(()));
//! # Ok::<(), topk_loss::Error>(())
//! ```

use topk_loss::{FoldIn, Loss, Real};

use super::law::Law;
use crate::Example;
use crate::violation::Violation;

/// The same data folded in gives the same draws, other data others.
///
/// Others are looked for where all scores are tied, and noise decides the most: a satisfied hinge is zero whatever is drawn.
///
/// **Cost.** At most ten calls of the loss.
///
/// ```
/// use topk_loss::{CrossEntropy, Key, Smoothing, TopKHinge};
/// use topk_loss_laws::{Example, laws};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// let drawn = TopKHinge::new(1)?.with_smoothing(Smoothing::Pathwise { epsilon: 1.0, num_samples: 4, key: Key::new(7) })?;
/// assert_eq!(laws::draws_follow_the_key(&drawn, &example), Ok(()));
/// assert!(laws::draws_follow_the_key(&CrossEntropy, &example).is_err()); // it draws nothing
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// Different results under one key, or the same under eight.
pub fn draws_follow_the_key<F: Real>(loss: &(impl Loss<F> + FoldIn), example: &Example<F>) -> Result<(), Violation> {
    Law("draws_follow_the_key").judge(|law| {
        let first = law.evaluate(&loss.fold_in(0), &example.scores, example.label)?;
        let again = law.evaluate(&loss.fold_in(0), &example.scores, example.label)?;
        law.close("the value under the same key", again.0, first.0, 0.0)?;
        if again.1 != first.1 {
            return Err(law.violation("the gradient under the same key", "another", "the same").into());
        }
        let tied = vec![F::zero(); example.scores.len()];
        let under = |data| law.evaluate(&loss.fold_in(data), &tied, example.label);
        let first = under(0)?;
        for data in 1..8 {
            if under(data)? != first {
                return Ok(());
            }
        }
        Err(law.violation("the result under other keys", "the same", "another").into())
    })
}

/// No data folded in changes anything: the loss draws no numbers.
///
/// **Cost.** Two calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::ignores_the_key(&CrossEntropy, &example), Ok(()));
/// ```
///
/// # Errors
/// Some do.
pub fn ignores_the_key<F: Real>(loss: &(impl Loss<F> + FoldIn), example: &Example<F>) -> Result<(), Violation> {
    Law("ignores_the_key").judge(|law| {
        let before = law.evaluate(loss, &example.scores, example.label)?;
        let after = law.evaluate(&loss.fold_in(1), &example.scores, example.label)?;
        law.close("the value under another key", after.0, before.0, 0.0)?;
        for (class, (&entry, &expected)) in after.1.iter().zip(&before.1).enumerate() {
            law.close(format_args!("entry {class} of the gradient under another key"), entry, expected, 0.0)?;
        }
        Ok(())
    })
}
