//! Planting faults: around a correct loss, in one closure.

use proptest::arbitrary::Arbitrary;
use topk_loss::{Loss, Result};
use topk_loss_laws::{Example, Violation, check, check_loss};

type Verdict = core::result::Result<(), Violation>;

/// A fault, the law that must find it, and that law's verdicts.
pub struct Row {
    fault: &'static str,
    law: &'static str,
    original: Box<dyn Fn() -> Verdict>,
    mutant: Box<dyn Fn() -> Verdict>,
}

impl Row {
    pub fn new(
        fault: &'static str,
        law: &'static str,
        original: impl Fn() -> Verdict + 'static,
        mutant: impl Fn() -> Verdict + 'static,
    ) -> Self {
        Self { fault, law, original: Box::new(original), mutant: Box::new(mutant) }
    }

    /// A row of two losses, made for every example.
    pub fn of_losses<L: Loss<f64>, M: Loss<f64>, I: Arbitrary + AsRef<Example<f64>> + 'static>(
        (fault, law): (&'static str, &'static str),
        judge: impl Fn(&dyn Loss<f64>, &I) -> Verdict + Copy + 'static,
        original: impl Fn(&Example<f64>) -> L + 'static,
        mutant: impl Fn(&Example<f64>) -> M + 'static,
    ) -> Self {
        Self::new(
            fault,
            law,
            move || check_loss(&original, judge).map(drop).map_err(|refuted| refuted.violation),
            move || check_loss(&mutant, judge).map(drop).map_err(|refuted| refuted.violation),
        )
    }

    /// What is wrong with the table: a correct original refuted, or a fault not found, or by another law.
    pub fn complaint(&self) -> Option<String> {
        let (original, mutant) = ((self.original)(), (self.mutant)());
        match (original, mutant) {
            (Ok(()), Err(violation)) if violation.law == self.law => {
                println!("{}\n    {violation}", self.fault);
                None
            }
            (Err(violation), _) => Some(format!("{}: the original does not pass: {violation}", self.fault)),
            (_, Err(violation)) => Some(format!("{}: found by another law than {}: {violation}", self.fault, self.law)),
            (_, Ok(())) => Some(format!("{}: not found by {}", self.fault, self.law)),
        }
    }
}

/// Judges a subject on drawn inputs.
pub fn judged<I: Arbitrary + 'static>(law: impl Fn(&I) -> Verdict) -> Verdict {
    check(proptest::prelude::any::<I>(), |input| law(&input)).map(drop).map_err(|refuted| refuted.violation)
}

/// Rows of losses: the fault, the law with what it takes, the original, the mutant.
macro_rules! losses {
    ($($fault:literal, $law:ident($($argument:expr),*): $original:expr => $mutant:expr;)+) => {
        vec![$($crate::plant::Row::of_losses(
            ($fault, stringify!($law)),
            |loss, input: &_| topk_loss_laws::laws::$law::<f64>(loss, input $(, $argument)*),
            $original,
            $mutant,
        )),+]
    };
}
pub(crate) use losses;

/// A loss whose value and gradient are changed after.
pub struct Altered<L, C> {
    loss: L,
    change: C,
}

/// `loss`, then `change` of the scores, the label, the value and the gradient.
pub fn altered<L: Loss<f64>, C: Fn(&[f64], usize, &mut f64, &mut [f64])>(loss: L, change: C) -> Altered<L, C> {
    Altered { loss, change }
}

impl<L: Loss<f64>, C: Fn(&[f64], usize, &mut f64, &mut [f64])> Loss<f64> for Altered<L, C> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        self.loss.scratch_len(num_classes)
    }

    fn value(&self, scores: &[f64], label: usize, scratch: &mut [f64]) -> Result<f64> {
        self.value_and_grad(scores, label, &mut vec![0.0; scores.len()], scratch)
    }

    fn value_and_grad(&self, scores: &[f64], label: usize, grad: &mut [f64], scratch: &mut [f64]) -> Result<f64> {
        let mut value = self.loss.value_and_grad(scores, label, grad, scratch)?;
        (self.change)(scores, label, &mut value, grad);
        Ok(value)
    }
}

/// The value of one loss with the gradient of another.
pub struct Mixed<V, G>(pub V, pub G);

impl<V: Loss<f64>, G: Loss<f64>> Loss<f64> for Mixed<V, G> {
    fn scratch_len(&self, num_classes: usize) -> usize {
        self.0.scratch_len(num_classes).max(self.1.scratch_len(num_classes))
    }

    fn value(&self, scores: &[f64], label: usize, scratch: &mut [f64]) -> Result<f64> {
        self.0.value(scores, label, scratch)
    }

    fn value_and_grad(&self, scores: &[f64], label: usize, grad: &mut [f64], scratch: &mut [f64]) -> Result<f64> {
        self.1.value_and_grad(scores, label, grad, scratch)?;
        self.0.value(scores, label, scratch)
    }
}

/// A loss whose calls are made by hand.
pub struct Calls<V, G> {
    pub scratch_len: usize,
    pub value: V,
    pub value_and_grad: G,
}

impl<V, G> Loss<f64> for Calls<V, G>
where
    V: Fn(&[f64], usize, &mut [f64]) -> Result<f64>,
    G: Fn(&[f64], usize, &mut [f64], &mut [f64]) -> Result<f64>,
{
    fn scratch_len(&self, _: usize) -> usize {
        self.scratch_len
    }

    fn value(&self, scores: &[f64], label: usize, scratch: &mut [f64]) -> Result<f64> {
        (self.value)(scores, label, scratch)
    }

    fn value_and_grad(&self, scores: &[f64], label: usize, grad: &mut [f64], scratch: &mut [f64]) -> Result<f64> {
        (self.value_and_grad)(scores, label, grad, scratch)
    }
}

/// A loss whose gradient call is `calls`; its value call is the same into a buffer of its own.
pub fn calls<G: Fn(&[f64], usize, &mut [f64], &mut [f64]) -> Result<f64> + Copy>(scratch_len: usize, value_and_grad: G) -> impl Loss<f64> {
    let value =
        move |scores: &[f64], label: usize, scratch: &mut [f64]| value_and_grad(scores, label, &mut vec![0.0; scores.len()], scratch);
    Calls { scratch_len, value, value_and_grad }
}
