//! What parameters are chosen by: ε, and margins, adjustments and weights for a long tail.

use topk_loss::epsilon::{bias_interval, effective_classes, epsilon_for_effective_classes};
use topk_loss::imbalance::{effective_number_weights, inverse_frequency_weights, ldam_margins, log_priors};
use topk_loss::noise::{Gumbel, Logistic, Noise, Normal};
use topk_loss::oracle::KthLargest;
use topk_loss::{Real, Result};

use crate::{Print, bits, losses};

const COUNTS: [usize; 9] = [5000, 1700, 900, 301, 77, 12, 5, 2, 1];

#[inline(never)]
pub fn print<F: Real>(print: &mut Print<'_>) -> Result<()> {
    of_epsilon::<F>("normal", Normal, print)?;
    of_epsilon::<F>("Gumbel", Gumbel, print)?;
    of_epsilon::<F>("logistic", Logistic, print)?;
    let mut numbers = [F::zero(); COUNTS.len()];
    ldam_margins(&COUNTS, F::from_f64(0.5), &mut numbers)?;
    print(format_args!("margins of LDAM: {:016x}", bits::hash(&numbers)));
    log_priors(&COUNTS, F::from_f64(1.5), &mut numbers)?;
    print(format_args!("log priors: {:016x}", bits::hash(&numbers)));
    effective_number_weights(&COUNTS, F::from_f64(0.999), &mut numbers)?;
    print(format_args!("weights by effective numbers: {:016x}", bits::hash(&numbers)));
    inverse_frequency_weights(&COUNTS, F::from_f64(0.7), &mut numbers)?;
    print(format_args!("weights by inverse frequency: {:016x}", bits::hash(&numbers)));
    Ok(())
}

fn of_epsilon<F: Real>(name: &str, law: impl Noise<F>, print: &mut Print<'_>) -> Result<()> {
    let (least, most) = bias_interval(law, F::from_f64(0.75), 5, 1000)?;
    print(format_args!("{name}, bias: {least} to {most}"));
    let (theta, mut grad, mut scratch) = (losses::scores::<F, 12>(0.125), [F::zero(); 12], [F::nan(); 4000]);
    let epsilon = epsilon_for_effective_classes(KthLargest::new(3)?, law, &theta, F::from_f64(4.0), &mut grad, &mut scratch)?;
    print(format_args!("{name}, scale for 4 effective classes: {epsilon}, which has {}", effective_classes(&grad)));
    Ok(())
}
