//! Estimators of order statistics, with their standard errors, and perturbed optimizers.

use core::fmt::Arguments;

use topk_loss::estimator::{Baseline, Conditional, ControlVariate, Estimate, Estimator, Exact, Pathwise, ScoreFunction};
use topk_loss::maximizer::{PerturbedArgmax, Ranking, SoftTopKMask, TopKMask};
use topk_loss::noise::{Gumbel, Logistic, Noise, Normal};
use topk_loss::oracle::{KthLargest, Oracle, OrderStatistics, RankSum, SupportFunction, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{Key, Real, Result};

use crate::{Print, bits, losses};

const DIM: usize = 40;
const DRAWS: usize = 7;

/// Room for any of them.
const SCRATCH: usize = 8000;

pub fn print<F: Real>(print: &mut Print<'_>) -> Result<()> {
    of_oracle::<F>("third largest", KthLargest::new(3)?, print)?;
    of_oracle::<F>("sum of seven", TopKSum::new(7)?, print)?;
    of_oracle::<F>("sum over ranks", RankSum::new([0.5, 0.0, -0.25, 1.0].map(F::from_f64))?, print)?;
    let optimum = Pathwise::new(SupportFunction::new(Ranking), draws(Normal)?, F::one(), Key::new(1))?;
    estimate(format_args!("ranking, normal, pathwise"), &optimum, print)?;
    perturbed::<F>(print)
}

fn draws<N>(law: N) -> Result<MonteCarlo<N>> {
    MonteCarlo::new(law, DRAWS)
}

#[inline(never)]
fn of_oracle<F: Real>(name: &str, oracle: impl OrderStatistics<F> + Copy, print: &mut Print<'_>) -> Result<()> {
    of_law(format_args!("{name}, normal"), oracle, Normal, print)?;
    of_law(format_args!("{name}, Gumbel"), oracle, Gumbel, print)?;
    of_law(format_args!("{name}, logistic"), oracle, Logistic, print)
}

fn of_law<F: Real>(name: Arguments<'_>, oracle: impl OrderStatistics<F> + Copy, law: impl Noise<F>, print: &mut Print<'_>) -> Result<()> {
    let (draws, epsilon, key) = (draws(law)?, F::from_f64(0.75), Key::new(1));
    estimate(format_args!("{name}, pathwise"), &Pathwise::new(oracle, draws, epsilon, key)?, print)?;
    estimate(format_args!("{name}, conditional"), &Conditional::new(oracle, draws, epsilon, key)?, print)?;
    for (baseline_name, baseline) in [("none", Baseline::None), ("mean", Baseline::Mean), ("leave one out", Baseline::LeaveOneOut)] {
        let estimator = ScoreFunction::new(oracle, draws, epsilon, baseline, key)?;
        estimate(format_args!("{name}, score function, baseline {baseline_name}"), &estimator, print)?;
    }
    let control = KthLargest::new(2)?;
    let controlled = ControlVariate::new(oracle, control, Exact::new(control, law, epsilon)?, draws, epsilon, key)?;
    estimate(format_args!("{name}, control variate"), &controlled, print)?;
    let exact = Exact::new(oracle, law, epsilon)?;
    smoothed(format_args!("{name}, exact"), &exact, print)?;
    smoothed(format_args!("{name}, exact in the plain form"), &exact.plain(), print)
}

fn estimate<F: Real>(name: Arguments<'_>, estimator: &dyn Estimator<F>, print: &mut Print<'_>) -> Result<()> {
    let (mut grad, mut scratch) = ([F::zero(); DIM], [F::nan(); SCRATCH]);
    let Estimate { value, standard_error, gradient_standard_error, .. } =
        estimator.estimate(&theta(), F::one(), &mut grad, &mut scratch)?;
    print(format_args!("{name}: {value} ± {standard_error}, gradient {:016x} ± {gradient_standard_error}", bits::hash(&grad)));
    Ok(())
}

fn smoothed<F: Real>(name: Arguments<'_>, oracle: &dyn Oracle<F>, print: &mut Print<'_>) -> Result<()> {
    let (mut grad, mut scratch) = ([F::zero(); DIM], [F::nan(); SCRATCH]);
    let value = oracle.value_and_add_grad(&theta(), F::one(), &mut grad, &mut scratch)?;
    print(format_args!("{name}: {value}, gradient {:016x}", bits::hash(&grad)));
    Ok(())
}

fn theta<F: Real>() -> [F; DIM] {
    losses::scores(0.125)
}

/// The expected argmax and products with its Jacobian; the soft mask.
#[inline(never)]
fn perturbed<F: Real>(print: &mut Print<'_>) -> Result<()> {
    let (theta, mut out, mut scratch) = (theta::<F>(), [F::zero(); DIM], [F::nan(); 5 * DIM]);
    let soft = PerturbedArgmax::new(TopKMask::new(5)?, draws(Normal)?, F::one(), Key::new(1))?;
    soft.expected_argmax(&theta, &mut out, &mut scratch)?;
    print(format_args!("expected mask: {:016x}", bits::hash(&out)));
    soft.jvp(&theta, &theta, &mut out, &mut scratch)?;
    print(format_args!("expected mask, Jacobian times vector: {:016x}", bits::hash(&out)));
    soft.vjp(&theta, &theta, &mut out, &mut scratch)?;
    print(format_args!("expected mask, vector times Jacobian: {:016x}", bits::hash(&out)));
    let euclidean = SoftTopKMask::new(5, F::from_f64(2.0))?;
    let (mut mask, scratch) = ([F::zero(); DIM], &mut scratch);
    euclidean.mask(&theta, &mut mask, scratch)?;
    print(format_args!("Euclidean mask: {:016x}", bits::hash(&mask)));
    euclidean.jacobian_product(&mask, &theta, &mut out)?;
    print(format_args!("Euclidean mask, product with the Jacobian: {:016x}", bits::hash(&out)));
    Ok(())
}
