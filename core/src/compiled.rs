//! The hot loops that are compiled in this crate, whoever calls them, so that a user's debug build runs them optimised.
//!
//! A generic function is compiled in the crate that calls it, at that crate's optimisation: none, in a debug build. What a loss computes is
//! therefore behind a method of the float, which `f32` and `f64` have compiled in this crate. Exact forms are long, and so are behind one
//! themselves; another crate may compile them for instruction sets of its choice.

pub use crate::exact::{Label, Outcome, Task};
use crate::{Error, Gumbel, Logistic, Noise, Normal, Real, Result, check};

/// A row of scores as a loss takes it; the gradient is overwritten, where one is wanted.
#[derive(Debug)]
pub struct Example<'a, F> {
    pub scores: &'a [F],
    pub label: usize,
    pub grad: Option<&'a mut [F]>,
    pub scratch: &'a mut [F],
}

/// The laws for which exact forms are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Law {
    /// [`Normal`].
    Normal,
    /// [`Gumbel`].
    Gumbel,
    /// [`Logistic`].
    Logistic,
}

/// A law that is compiled and does not say which it is: there is none.
pub const NO_LAW: Error = Error::Parameter { name: "law", must: "one that says which it is" };

/// Who computes exact forms.
pub trait Integrator<F: Real> {
    /// What the form comes to.
    ///
    /// # Errors
    /// A tolerance that cannot be reached; a law that returns NaN.
    fn integrate<N: Noise<F>>(&self, task: Task<'_, N, F>) -> Result<Outcome<F>>;
}

/// This crate, for the instruction set that it is compiled for.
#[derive(Debug, Clone, Copy)]
pub struct Portable;

impl<F: Real> Integrator<F> for Portable {
    #[inline(always)]
    fn integrate<N: Noise<F>>(&self, task: Task<'_, N, F>) -> Result<Outcome<F>> {
        match task.problem.law.compiled() {
            Some(Law::Normal) => F::integrate_normal(task.under(Normal)),
            Some(Law::Gumbel) => F::integrate_gumbel(task.under(Gumbel)),
            Some(Law::Logistic) => F::integrate_logistic(task.under(Logistic)),
            None if N::IS_COMPILED => Err(NO_LAW),
            None => F::integrate(task),
        }
    }
}

/// A loss all of which another crate may compile for instruction sets of its choice.
pub trait Evaluate<F: Real> {
    /// The loss; overwrites the gradient, if there is one, with `weight` times it.
    ///
    /// # Errors
    /// Those of the [`Loss`](crate::Loss); a gradient beyond the float's range.
    fn evaluate(&self, example: Example<'_, F>, weight: F) -> Result<F>;
}

/// A loss with an exact form.
pub trait Integrated<F: Real> {
    /// The loss; overwrites the gradient, if there is one.
    ///
    /// # Errors
    /// Those of the [`Loss`](crate::Loss).
    fn evaluate(&self, example: Example<'_, F>, by: &impl Integrator<F>) -> Result<F>;
}

/// The losses behind a method of the float: its name, the loss, and how that is evaluated.
macro_rules! losses {
    ($as:ident) => {
        $as! {
            cross_entropy: CrossEntropy => evaluate();
            focal: Focal<Self> => evaluate();
            ldam: Ldam<Self, Margins<'_, Self>> => evaluate();
            hard_hinge: TopKHinge<Self, Margins<'_, Self>> => evaluate_hard();
            pathwise_hinge: TopKHinge<Self, Margins<'_, Self>> => evaluate_pathwise();
            conditional_hinge: TopKHinge<Self, Margins<'_, Self>> => evaluate_conditional();
            exact_hinge: TopKHinge<Self, Margins<'_, Self>> => evaluate(&Portable);
            top_k_hinges: TopKHinges<Self, &[Self], Margins<'_, Self>> => evaluate(&Portable);
            polyhedral_hinge: PolyhedralHinge<Self, Margins<'_, Self>> => evaluate(num_traits::one());
            top_k_margin_cross_entropy: TopKMarginCrossEntropy<Self, Margins<'_, Self>> => evaluate(num_traits::one());
            top_k_svm: TopKSvm<Self, Margins<'_, Self>> => evaluate();
            smooth_top_k_svm: SmoothTopKSvm<Self> => evaluate();
            normal_cross_entropy: TopKCrossEntropy<Normal, Self, Ranks<'_, Self>> => evaluate(&Portable);
            gumbel_cross_entropy: TopKCrossEntropy<Gumbel, Self, Ranks<'_, Self>> => evaluate(&Portable);
            logistic_cross_entropy: TopKCrossEntropy<Logistic, Self, Ranks<'_, Self>> => evaluate(&Portable);
        }
    };
}

impl<F: Real> Example<'_, F> {
    /// Evaluates it, all of the result being in the range: of a float that carries derivatives, these can leave it where the numbers do
    /// not.
    pub(crate) fn in_range(self, evaluate: impl FnOnce(Example<'_, F>) -> Result<F>) -> Result<F> {
        let Self { scores, label, mut grad, scratch } = self;
        let value = check::in_range("loss", evaluate(Example { scores, label, grad: grad.as_deref_mut(), scratch })?)?;
        check::all_in_range("gradient", grad.as_deref().unwrap_or_default())?;
        Ok(value)
    }
}

/// As methods of a float: where they are compiled is where they are called.
macro_rules! declare {
    ($($name:ident: $loss:ty => $evaluate:ident($($by:expr)?);)+) => {
        $(
            #[doc(hidden)]
            fn $name(loss: &$loss, example: Example<'_, Self>) -> Result<Self> {
                example.in_range(|example| loss.$evaluate(example $(, $by)?))
            }
        )+
    };
}

/// Compiled here.
macro_rules! compile {
    ($($name:ident: $loss:ty => $evaluate:ident($($by:expr)?);)+) => {
        $(
            #[inline(never)]
            fn $name(loss: &$loss, example: Example<'_, Self>) -> Result<Self> {
                loss.$evaluate(example $(, $by)?)
            }
        )+
    };
}

/// The methods of a [`Loss`](crate::Loss), by that of a float.
macro_rules! values_by {
    ($evaluate:expr) => {
        fn value(&self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<F> {
            $evaluate(self, Example { scores, label, grad: None, scratch })
        }

        fn value_and_grad(&self, scores: &[F], label: usize, grad: &mut [F], scratch: &mut [F]) -> Result<F> {
            check::length("grad", grad, scores.len())?;
            $evaluate(self, Example { scores, label, grad: Some(grad), scratch })
        }
    };
}

pub(crate) use {compile, declare, losses, values_by};
