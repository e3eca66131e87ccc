//! Running a law on drawn inputs, down to the smallest counter-example.
//!
//! The inputs are random, but the same on every run, so that a test that passes today passes tomorrow. The environment variables of
//! proptest look elsewhere: `PROPTEST_CASES` says how many inputs, `PROPTEST_RNG_SEED` which.
//!
//! ```
//! use topk_loss_laws::{check, strategies};
//! // Not every row has its largest score first, and the smallest that shows it has two.
//! let first_is_largest = |scores: Vec<f64>| match scores.iter().all(|s| *s <= scores[0]) {
//!     true => Ok(()),
//!     false => Err(proptest::test_runner::TestCaseError::fail("not the first")),
//! };
//! assert_eq!(check(strategies::scores::<f64>(), first_is_largest).unwrap_err().input.len(), 2);
//! ```

use core::cell::RefCell;
use core::fmt::{self, Debug, Display};

use proptest::arbitrary::Arbitrary;
use proptest::prelude::any;
use proptest::strategy::{BoxedStrategy, Strategy};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use topk_loss::{Loss, Real};

use crate::Example;
use crate::laws::buffers;
use crate::reference::ValueAndGrad;
use crate::violation::Violation;

/// A law held on every input it was tried on.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{check_loss, laws::is_never_negative, property::config};
/// let passed = check_loss(|_| CrossEntropy, |loss, example| is_never_negative::<f64>(loss, example)).unwrap();
/// assert_eq!(passed.cases, config().cases);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// How many inputs there were, the same on every run: 256, or what the environment variable `PROPTEST_CASES` says.
    pub cases: u32,
}

/// The smallest input that was found on which a law does not hold, and what the law says of it.
///
/// ```
/// use topk_loss::{CrossEntropy, Loss};
/// use topk_loss_laws::{check_loss, laws::is_homogeneous, tolerances::ROUNDING};
/// let law = |loss: &dyn Loss<f64>, example: &_| is_homogeneous(loss, example, ROUNDING);
/// let refuted = check_loss(|_| CrossEntropy, law).unwrap_err();
/// assert_eq!((refuted.violation.law, &refuted.input.scores[..]), ("is_homogeneous", &[0.0, 0.0][..]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Counterexample<T, E = Violation> {
    /// The input.
    pub input: T,
    /// What is wrong with it.
    pub violation: E,
}

impl<T: Debug, E: Display> Display for Counterexample<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nfor {:?}", self.violation, self.input)
    }
}

impl<T: Debug, E: Debug + Display> core::error::Error for Counterexample<T, E> {}

/// How every property is run: as proptest's environment variables say, from a fixed seed where they name none.
///
/// A counter-example is a value, and a regression a test of its own: no file of seeds, and patience in shrinking. For a `proptest!` block
/// write `#![proptest_config(config())]`.
///
/// ```
/// use proptest::test_runner::RngSeed;
/// assert_ne!(topk_loss_laws::property::config().rng_seed, RngSeed::Random);
/// ```
#[must_use]
pub fn config() -> Config {
    const SEED: u64 = 0;
    let named = Config::default();
    let rng_seed = if named.rng_seed == RngSeed::Random { RngSeed::Fixed(SEED) } else { named.rng_seed };
    Config { rng_seed, failure_persistence: None, max_shrink_iters: 1 << 14, ..named }
}

/// Runs `law` on inputs of `strategy`; the first failure is shrunk and returned.
///
/// The inputs are the same on every run; for others, set the environment variable `PROPTEST_RNG_SEED` to a number.
///
/// A law returns a [`Violation`], or the `TestCaseError` of proptest's own assertions.
///
/// **Cost.** The law on each input, 256 unless told otherwise; where it fails, on at most 2¹⁴ more to make the input small.
///
/// ```
/// use topk_loss::loss::Focal;
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::laws::is_convex;
/// use topk_loss_laws::strategies::segment;
/// use topk_loss_laws::{check, tolerances::ROUNDING};
///
/// assert!(check(segment::<f64>(), |segment| is_convex(&CrossEntropy, &segment, ROUNDING)).is_ok());
/// // The focal loss is not convex; here is where.
/// let focal = Focal::new(2.0)?;
/// let refuted = check(segment(), |segment| is_convex(&focal, &segment, ROUNDING)).unwrap_err();
/// assert!(is_convex(&focal, &refuted.input, ROUNDING).is_err());
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// The smallest input on which the law does not hold.
///
/// # Panics
/// The law itself panics, or declines nearly every input; a loss that panics is a violation.
pub fn check<T: Debug, E: Into<TestCaseError> + Clone>(
    strategy: impl Strategy<Value = T> + 'static,
    law: impl Fn(T) -> Result<(), E>,
) -> Result<Passed, Counterexample<T, E>> {
    run(&strategy.boxed(), &law)
}

/// [`check`], compiled once for each kind of input: proptest's runner is most of what a test of one law would compile.
fn run<T: Debug, E: Into<TestCaseError> + Clone>(
    strategy: &BoxedStrategy<T>,
    law: &dyn Fn(T) -> Result<(), E>,
) -> Result<Passed, Counterexample<T, E>> {
    let config = config();
    let cases = config.cases;
    // The runner keeps a failure's text alone. The last failure it sees while it shrinks is the one it returns.
    let last = RefCell::new(None);
    let run = |input| {
        // Nothing is kept while the law runs, so that a panic is not mistaken for the failure before it.
        let before = last.take();
        let outcome = law(input).map_err(|failure| (failure.clone(), failure.into()));
        last.replace(match &outcome {
            Err((failure, TestCaseError::Fail(_))) => Some(failure.clone()),
            _ => before,
        });
        outcome.map_err(|(_, failure)| failure)
    };
    match TestRunner::new(config).run(strategy, run) {
        Ok(()) => Ok(Passed { cases }),
        Err(TestError::Fail(reason, input)) => match last.into_inner() {
            Some(violation) => Err(Counterexample { input, violation }),
            None => panic!("{reason}, for {input:?}"),
        },
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// [`check`]s that `law` holds on inputs of `strategy`.
///
/// **Cost.** As [`check`].
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::strategies::segment;
/// use topk_loss_laws::{holds, laws::is_convex, tolerances::ROUNDING};
/// holds(segment::<f64>(), |segment| is_convex(&CrossEntropy, &segment, ROUNDING));
/// ```
///
/// # Panics
/// It does not; that is how a test fails.
pub fn holds<T: Debug, E: Into<TestCaseError> + Clone + Display>(
    strategy: impl Strategy<Value = T> + 'static,
    law: impl Fn(T) -> Result<(), E>,
) {
    if let Err(refuted) = check(strategy, law) {
        panic!("{refuted}");
    }
}

/// [`check`]s a law of a loss that may depend on the drawn [`Example`]: its number of guesses, its number of classes.
///
/// **Cost.** As [`check`].
///
/// ```
/// use topk_loss::{Loss, TopKHinge};
/// use topk_loss_laws::laws::vanishes_with_the_lead;
/// use topk_loss_laws::{check_loss, tolerances::ROUNDING};
/// let law = |loss: &dyn Loss<f64>, example: &_| vanishes_with_the_lead(loss, example, 1.0, ROUNDING);
/// assert!(check_loss(|example| TopKHinge::new(example.k).unwrap(), law).is_ok());
/// ```
///
/// # Errors
/// As [`check`].
pub fn check_loss<F: Real, L: Loss<F>, I: Arbitrary + AsRef<Example<F>> + 'static>(
    loss: impl Fn(&Example<F>) -> L,
    law: impl Fn(&dyn Loss<F>, &I) -> Result<(), Violation>,
) -> Result<Passed, Counterexample<I>> {
    check(any::<I>(), |input| law(&loss(input.as_ref()), &input))
}

/// [`holds`] for inputs of the law's own kind: for the macros, which do not know it.
///
/// # Panics
/// It does not hold.
#[doc(hidden)]
pub fn holds_on_any<I: Arbitrary + 'static>(law: impl Fn(I) -> Result<(), Violation>) {
    holds(any::<I>(), law);
}

/// Value and gradient of a loss from buffers full of garbage, as [`buffers::evaluate`].
///
/// **Cost.** Three calls of the loss.
///
/// **Ties and NaN.** The loss's.
///
/// ```
/// use topk_loss::CrossEntropy;
/// assert_eq!(topk_loss_laws::property::evaluate(&CrossEntropy, &[0.0, 0.0], 1), (2.0_f64.ln(), vec![0.5, -0.5]));
/// ```
///
/// # Panics
/// The loss fails, or a promise does.
pub fn evaluate<F: Real>(loss: &dyn Loss<F>, scores: &[F], label: usize) -> ValueAndGrad<F> {
    buffers::evaluate(loss, scores, label).unwrap_or_else(|violation| panic!("{violation}"))
}

/// [`evaluate`] where the input may be more than the loss can do.
///
/// **Cost.** Three calls of the loss.
///
/// **Ties and NaN.** The loss's.
///
/// ```
/// use topk_loss::{CrossEntropy, Error};
/// let outcome = topk_loss_laws::property::try_evaluate(&CrossEntropy, &[0.0, f64::NAN], 1);
/// assert_eq!(outcome, Err(Error::NotFinite { what: "scores", index: 1 }));
/// ```
///
/// # Errors
/// Those of the loss.
///
/// # Panics
/// Its two calls differ.
pub fn try_evaluate<F: Real>(loss: &dyn Loss<F>, scores: &[F], label: usize) -> topk_loss::Result<ValueAndGrad<F>> {
    let mut grad = vec![F::nan(); scores.len()];
    let mut scratch = vec![F::nan(); loss.scratch_len(scores.len())];
    let value = loss.value_and_grad(scores, label, &mut grad, &mut scratch)?;
    assert_eq!(loss.value(scores, label, &mut scratch), Ok(value));
    assert_eq!(loss.value(scores, label, &mut vec![F::infinity(); scratch.len() + 1]), Ok(value));
    Ok((value, grad))
}

/// Makes `law::f32` and `law::f64` two tests of the generic function `law`, with inputs of the generic `strategy`.
///
/// ```
/// use topk_loss::{CrossEntropy, Real};
/// use topk_loss_laws::{Example, Violation, both_floats, example, laws};
/// fn loss_is_never_negative<F: Real>(example: Example<F>) -> Result<(), Violation> {
///     laws::is_never_negative(&CrossEntropy, &example)
/// }
/// both_floats!(loss_is_never_negative in example);
/// assert_eq!(loss_is_never_negative(Example { scores: vec![0.0, 0.0], label: 0, k: 1 }), Ok(()));
/// ```
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
