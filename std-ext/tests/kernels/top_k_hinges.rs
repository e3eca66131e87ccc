//! The smoothed hinges of several K.

use topk_loss::loss::TopKHinges;
use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{Key, Margins, Smoothing, TopKHinge};
use topk_loss_batch::BatchReal;

use crate::rows::{by_core, by_kernel};

const SCALE: f64 = 2.0;

/// One guess, about K/2 and K.
fn shares<F: BatchReal>(k: usize) -> Vec<F> {
    let mut shares = vec![F::zero(); k];
    for (place, share) in [(k, 0.5), (1, 0.25), (k.div_ceil(2), 0.25)] {
        shares[place - 1] += F::from_f64(share);
    }
    shares
}

fn hinges<F: BatchReal>(shares: &[F], epsilon: f64) -> TopKHinges<F, &[F], Margins<'_, F>> {
    TopKHinges::new(shares).unwrap().with_scale(F::from_f64(SCALE)).unwrap().with_epsilon(Some(F::from_f64(epsilon))).unwrap()
}

/// To what is documented of the exact hinge, times the scale.
fn agrees<F: BatchReal>(documented: f64) {
    let mut compared = 0;
    for (seed, (len, k)) in [(5, 2), (7, 6), (30, 5), (100, 40), (1000, 3), (1000, 50), (3000, 5)].into_iter().enumerate() {
        for (epsilon, spread) in [0.01, 0.3, 1.0, 30.0].into_iter().flat_map(|epsilon| [(epsilon, 1.0), (epsilon, 0.1)]) {
            let mut normal = vec![0.0; len];
            MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(seed as u64), 0, &mut normal).unwrap();
            let scores: Vec<f64> = normal.iter().map(|z| f64::from((spread * z) as f32)).collect();
            let (epsilon, own, core_own) = (f64::from(epsilon as f32), shares::<F>(k), shares::<f64>(k));
            for label in [0, len / 2, len - 1] {
                let (value, grad) = by_core(&hinges(&core_own, epsilon), &scores, label);
                let (actual, actual_grad) = by_kernel(&hinges(&own, epsilon), &scores, label);
                let rounding = 8.0 * F::epsilon().to_f64().unwrap() * SCALE * 4.0;
                let tolerance = documented * epsilon * SCALE + rounding;
                let about = format!("L = {len}, K = {k}, ε = {epsilon}, spread {spread}, label {label}");
                assert!((actual - value).abs() <= tolerance, "{actual} instead of {value}, {about}");
                // At a kink rounding decides whether a hinge counts.
                let at_a_kink = (1..).zip(&core_own).filter(|&(_, &share)| share > 0.0).any(|(k, _)| {
                    let smoothing = Smoothing::Exact { epsilon };
                    let value = |margin| {
                        by_core(
                            &TopKHinge::new(k)
                                .unwrap()
                                .with_margins(Margins::Uniform(margin))
                                .unwrap()
                                .with_scale(SCALE)
                                .unwrap()
                                .with_smoothing(smoothing)
                                .unwrap(),
                            &scores,
                            label,
                        )
                        .0
                    };
                    (value(1.0 - tolerance) > 0.0) != (value(1.0 + tolerance) > 0.0)
                });
                if !at_a_kink {
                    let error: f64 = grad.iter().zip(&actual_grad).map(|(a, b)| (a - b).abs()).sum();
                    assert!(error <= documented * SCALE, "{error:e} in the gradient, {about}");
                    compared += usize::from(value > 0.0);
                }
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn single_precision_is_within_its_bound() {
    agrees::<f32>(1e-5);
}

/// Both sides keep to 1e−7.
#[test]
fn double_precision_is_within_its_bound() {
    agrees::<f64>(2e-7);
}
