//! Running a law, and a loss.

use core::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use topk_loss::{Loss, Real};

use crate::reference::ValueAndGrad;

/// Runs `law` on inputs of `strategy`, shrinks the first failure and reports it.
///
/// # Panics
/// The law does not hold; that is how a test fails.
pub fn holds<T: Debug>(strategy: impl Strategy<Value = T>, law: impl Fn(T) -> Result<(), TestCaseError>) {
    // The report prints the smallest failing input; a regression is then a test of its own, not a file of seeds.
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    if let Err(failure) = runner.run(&strategy, law) {
        panic!("{failure}");
    }
}

/// Value and gradient of a loss, from buffers full of garbage; the value alone must be the same, whatever the scratch holds and even if it
/// is longer.
///
/// # Panics
/// The loss fails, or its two calls differ.
pub fn evaluate<F: Real>(loss: &(impl Loss<F> + ?Sized), scores: &[F], label: usize) -> ValueAndGrad<F> {
    try_evaluate(loss, scores, label).expect("a loss of good input")
}

/// [`evaluate`] where the input may be more than the loss can do.
///
/// # Errors
/// Those of the loss.
///
/// # Panics
/// Its two calls differ.
pub fn try_evaluate<F: Real>(loss: &(impl Loss<F> + ?Sized), scores: &[F], label: usize) -> topk_loss::Result<ValueAndGrad<F>> {
    let mut grad = vec![F::nan(); scores.len()];
    let mut scratch = vec![F::nan(); loss.scratch_len(scores.len())];
    let value = loss.value_and_grad(scores, label, &mut grad, &mut scratch)?;
    assert_eq!(loss.value(scores, label, &mut scratch), Ok(value));
    assert_eq!(loss.value(scores, label, &mut vec![F::infinity(); scratch.len() + 1]), Ok(value));
    Ok((value, grad))
}

/// Makes `law::f32` and `law::f64` two tests of the generic function `law`, with inputs of the generic `strategy`.
#[macro_export]
macro_rules! both_floats {
    ($($law:ident in $strategy:ident;)+) => {
        $($crate::both_floats!($law in $strategy);)+
    };
    ($law:ident in $strategy:ident) => {
        mod $law {
            #[test]
            fn f32() {
                $crate::property::holds(super::$strategy::<f32>(), super::$law::<f32>);
            }

            #[test]
            fn f64() {
                $crate::property::holds(super::$strategy::<f64>(), super::$law::<f64>);
            }
        }
    };
}
