//! Losses that are not in the catalogue: under noise, over other oracles, of a distribution, of a vector.

use topk_loss::estimator::{Exact, Pathwise};
use topk_loss::loss::{ExpectedLoss, FenchelYoung, Hinge, MeanOfHinge, SmoothedLoss, SoftLabelLoss};
use topk_loss::noise::{Laplace, Normal};
use topk_loss::oracle::{KthLargest, Max, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, Key, Loss, Margins, Real, Result, TopKHinge};

use crate::{Print, bits, losses};

const CLASSES: usize = 30;
const SCRATCH: usize = 8000;

#[inline(never)]
pub fn print<F: Real>(print: &mut Print<'_>) -> Result<()> {
    let (epsilon, key, draws) = (F::from_f64(0.75), Key::new(1), MonteCarlo::new(Normal, 5)?);
    let margins = Margins::Uniform(F::one());
    let laplace = Pathwise::new(KthLargest::new(4)?, MonteCarlo::new(Laplace, 5)?, epsilon, key)?;
    labelled("mean of hinge", &MeanOfHinge::new(KthLargest::new(4)?, draws, epsilon, key)?, print)?;
    labelled("smoothed cross-entropy", &SmoothedLoss::new(CrossEntropy, draws, epsilon, key)?, print)?;
    labelled("hinge over a sum", &Hinge::new(TopKSum::new(3)?, margins, F::one())?, print)?;
    labelled("hinge over a maximum", &Hinge::new(Max, margins, F::one())?, print)?;
    labelled("hinge under Laplace noise", &Hinge::new(laplace, margins, F::one())?, print)?;
    soft::<F>("cross-entropy", &CrossEntropy, print)?;
    soft("expected hinge", &ExpectedLoss::new(TopKHinge::smoothed(3, epsilon)?), print)?;

    let (theta, target, mut grad, mut scratch) = (theta::<F>(), target::<F>(), [F::zero(); CLASSES], [F::nan(); SCRATCH]);
    let drawn = FenchelYoung::new(Pathwise::new(Max, draws, epsilon, key)?);
    let value = drawn.value_and_grad(&theta, &target, &mut grad, &mut scratch)?;
    print(format_args!("Fenchel–Young, pathwise: {value}, gradient {:016x}", bits::hash(&grad)));
    let exact = FenchelYoung::new(Exact::new(Max, Normal, epsilon)?);
    let value = exact.value_and_grad(&theta, &target, &mut grad, &mut scratch)?;
    print(format_args!("Fenchel–Young, exact: {value}, gradient {:016x}", bits::hash(&grad)));
    Ok(())
}

fn theta<F: Real>() -> [F; CLASSES] {
    losses::scores(0.125)
}

/// A half, a quarter and a quarter.
fn target<F: Real>() -> [F; CLASSES] {
    let mut target = [F::zero(); CLASSES];
    for (class, share) in [(2, 0.5), (5, 0.25), (11, 0.25)] {
        target[class] = F::from_f64(share);
    }
    target
}

fn labelled<F: Real>(name: &str, loss: &dyn Loss<F>, print: &mut Print<'_>) -> Result<()> {
    let (mut grad, mut scratch) = ([F::zero(); CLASSES], [F::nan(); SCRATCH]);
    let value = loss.value_and_grad(&theta(), 2, &mut grad, &mut scratch)?;
    print(format_args!("{name}: {value}, gradient {:016x}", bits::hash(&grad)));
    Ok(())
}

fn soft<F: Real>(name: &str, loss: &dyn SoftLabelLoss<F>, print: &mut Print<'_>) -> Result<()> {
    let (mut grad, mut scratch) = ([F::zero(); CLASSES], [F::nan(); SCRATCH]);
    let value = loss.soft_value_and_grad(&theta(), &target(), &mut grad, &mut scratch)?;
    print(format_args!("soft labels, {name}: {value}, gradient {:016x}", bits::hash(&grad)));
    Ok(())
}
