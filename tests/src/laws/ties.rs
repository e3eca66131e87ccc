//! Laws of ties: which of equal scores is selected.
//!
//! ```
//! use topk_loss::oracle::TopKSum;
//! use topk_loss_laws::{Example, OfScores, laws};
//! let tied = Example { scores: vec![0.5, 0.5, 0.25], label: 2, k: 1 };
//! assert_eq!(laws::ties_go_to_the_lowest_index(&OfScores(TopKSum::new(1)?), &tied), Ok(()));
//! # Ok::<(), topk_loss::Error>(())
//! ```

use topk_loss::{Loss, Real};

use super::law::{Law, size};
use crate::Example;
use crate::reference::{ranking, to_f64};
use crate::violation::Violation;

/// Equal scores rank by index, lowest first: the gradient at a tie is the one where every class is above the later ones by a hair.
///
/// For losses that select. At the kink of a hinge, which the hair may cross, the law says nothing.
///
/// **Cost.** Two calls of the loss.
///
/// ```
/// use topk_loss::oracle::KthLargest;
/// use topk_loss_laws::{Example, OfScores, laws, loss_fn};
/// let tied = Example { scores: vec![0.5, 0.5, 0.25], label: 2, k: 1 };
/// assert_eq!(laws::ties_go_to_the_lowest_index(&OfScores(KthLargest::new(1)?), &tied), Ok(()));
/// // Half of the gradient each is another rule.
/// let shared = loss_fn(|_: &[f64], _| 0.5, |s: &[f64], _| (0.5, if s[0] == s[1] { vec![0.5, 0.5, 0.0] } else { vec![1.0, 0.0, 0.0] }));
/// assert!(laws::ties_go_to_the_lowest_index(&shared, &tied).is_err());
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// Another rule, or none.
pub fn ties_go_to_the_lowest_index<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    Law("ties_go_to_the_lowest_index").judge(|law| {
        let scores = &example.scores;
        let order = ranking(scores);
        let gaps = order.windows(2).map(|pair| scores[pair[0]] - scores[pair[1]]).filter(|&gap| gap > F::zero());
        let hair = gaps.fold(F::one(), F::min) / F::from_usize(16 * scores.len());
        let largest = scores.iter().fold(F::zero(), |largest, s| largest.max(s.abs()));
        if hair <= largest * F::epsilon() * F::from_f64(16.0) {
            return Ok(());
        }
        let untied: Vec<F> = scores.iter().enumerate().map(|(class, &s)| s - hair * F::from_usize(class)).collect();
        let (_, tied) = law.evaluate(loss, scores, example.label)?;
        let (_, expected) = law.evaluate(loss, &untied, example.label)?;
        if size(&tied) == 0.0 || size(&expected) == 0.0 {
            return Ok(());
        }
        for (class, (&entry, &expected)) in tied.iter().zip(&expected).enumerate() {
            law.close(format_args!("entry {class} of the gradient"), entry, expected, 16.0 * to_f64(F::epsilon()) * size(&tied))?;
        }
        Ok(())
    })
}

/// 0 and −0 are the same score.
///
/// **Cost.** Three calls of the loss.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws};
/// let example = Example { scores: vec![0.0, -0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::zeros_of_both_signs_are_equal(&CrossEntropy, &example), Ok(()));
/// ```
///
/// # Errors
/// They are not.
pub fn zeros_of_both_signs_are_equal<F: Real>(loss: &dyn Loss<F>, example: &Example<F>) -> Result<(), Violation> {
    Law("zeros_of_both_signs_are_equal").judge(|law| {
        // Every second score is made zero, of either sign.
        let with = |sign: fn(usize) -> F| -> Vec<F> {
            let numbered = example.scores.iter().enumerate();
            numbered.map(|(class, &s)| if class % 2 == 0 || s == F::zero() { sign(class) } else { s }).collect()
        };
        let (value, grad) = law.evaluate(loss, &with(|_| F::zero()), example.label)?;
        for sign in [|_| F::neg_zero(), |class: usize| if class.is_multiple_of(4) { F::neg_zero() } else { F::zero() }] {
            let (other, other_grad) = law.evaluate(loss, &with(sign), example.label)?;
            law.close("the value with negative zeros", other, value, 0.0)?;
            for (class, (&entry, &expected)) in other_grad.iter().zip(&grad).enumerate() {
                law.close(format_args!("entry {class} of the gradient with negative zeros"), entry, expected, 0.0)?;
            }
        }
        Ok(())
    })
}
