//! Cross-entropy and top-K cross-entropy against core in `f64`.

use half::{bf16, f16};
use topk_loss::CrossEntropy;
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::Gumbel;
use topk_loss_cuda::Score;

use super::batch::{Batch, Number, Outputs};
use super::cases::{Run, batches, l1, rounding};
use super::driver::{Build, Driver};
use super::families::{FAMILIES, Sequence};

impl<T: Score + Number> Run<T> for CrossEntropy
where
    T::Float: Number,
{
    fn run(&self, driver: &mut Driver, batch: &Batch<T>) -> Outputs<T> {
        batch.run(driver, self, (2, 32))
    }
    fn expected(&self, batch: &Batch<T>, example: usize) -> (f64, Vec<f64>) {
        batch.expected::<f64>(self, example).unwrap()
    }
}

/// Against core in `f64`, to so many roundings of the float that is computed in (values) and of the scores' type (gradients, in L1).
fn cross_entropy_agrees<T: Score + Number>(driver: &mut Driver)
where
    T::Float: Number,
{
    for (batch, _) in batches::<T>(12) {
        let outputs = CrossEntropy.run(driver, &batch);
        assert_eq!(outputs.codes, [0; 7]);
        for (example, grad) in outputs.grads.chunks(batch.num_classes).enumerate() {
            let (value, expected) = CrossEntropy.expected(&batch, example);
            let range = batch.row(example).iter().map(|s| s.to_f64().abs()).fold(1.0, f64::max);
            let case = format!("L = {}, {:?}", batch.num_classes, FAMILIES[example]);
            let allowed = 64.0 * rounding::<T::Float>() * (value.abs() + range);
            let error = (outputs.values[example].to_f64() - value).abs();
            assert!(error <= allowed, "value off by {error:e} > {allowed:e}, {case}");
            let allowed = 2.0 * (rounding::<T>() + 64.0 * rounding::<T::Float>() * (1.0 + range));
            let error = l1(grad, &expected);
            assert!(error <= allowed, "gradient off by {error:e} > {allowed:e}, {case}");
        }
    }
}

#[test]
fn cross_entropy() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    cross_entropy_agrees::<f32>(&mut driver);
    cross_entropy_agrees::<f64>(&mut driver);
    cross_entropy_agrees::<f16>(&mut driver);
    cross_entropy_agrees::<bf16>(&mut driver);
}

/// Where the label leads, the loss is tiny and must keep its digits.
#[test]
fn small_cross_entropies_keep_their_digits() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let batch = Batch::<f32>::new(&[vec![20.0, 0.0, 1.0], vec![0.0, 12.0, -3.0]], &[0, 1]);
    let outputs = CrossEntropy.run(&mut driver, &batch);
    for (example, value) in outputs.values.iter().enumerate() {
        let (expected, grad) = CrossEntropy.expected(&batch, example);
        assert!((value.to_f64() / expected - 1.0).abs() < 1e-6, "{value:e}, not {expected:e}");
        assert!(outputs.grads[3 * example..].iter().zip(grad).all(|(a, e)| (a.to_f64() / e - 1.0).abs() < 1e-6));
    }
}

/// Against core in `f64`, value relative to 1 + itself, gradient in L1; the label anywhere, from far above to far below.
fn top_k_cross_entropy_agrees<T: Score + Number>(driver: &mut Driver, bar: f64)
where
    T::Float: Number,
{
    let mut worst = [(0.0, String::new()), (0.0, String::new())];
    for epsilon in [0.25, 1.0, 8.0] {
        for (mut batch, k) in batches::<T>(19) {
            let first = batch.row(0)[0];
            batch.labels[0] = 0;
            for shift in [0.0, -5.0, -30.0, -70.0, -400.0, 12.0, 300.0] {
                batch.scores[0] = T::of_f64(first.to_f64() + shift);
                let loss = TopKCrossEntropy::new(k, Gumbel, <T::Float as Number>::of_f64(epsilon)).unwrap();
                let outputs = batch.run(driver, &loss, (2, 64));
                let reference = TopKCrossEntropy::new(k, Gumbel, epsilon).unwrap();
                for (example, grad) in outputs.grads.chunks(batch.num_classes).enumerate() {
                    let case = format!("L = {}, K = {k}, ε = {epsilon}, shift {shift}, {:?}", batch.num_classes, FAMILIES[example]);
                    assert_eq!(outputs.codes[example], 0, "{case}");
                    let (value, expected) = batch.expected::<f64>(&reference, example).unwrap();
                    let error = (outputs.values[example].to_f64() - value).abs() / (1.0 + value);
                    assert!(error <= bar, "value off by {error:e}, {case}");
                    if error > worst[0].0 {
                        worst[0] = (error, case.clone());
                    }
                    let error = (l1(grad, &expected) - 2.0 * rounding::<T>() / epsilon) * epsilon;
                    assert!(error <= bar, "gradient off by {error:e}, {case}");
                    if error > worst[1].0 {
                        worst[1] = (error, case);
                    }
                }
            }
        }
    }
    for (what, (error, case)) in ["value", "gradient"].into_iter().zip(worst) {
        println!("worst error of the top-K cross-entropy's {what}, {}: {error:.1e}, {case}", T::SUFFIX);
    }
}

#[test]
fn top_k_cross_entropy() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    top_k_cross_entropy_agrees::<f32>(&mut driver, 1e-5);
    top_k_cross_entropy_agrees::<f64>(&mut driver, 1e-7);
    top_k_cross_entropy_agrees::<bf16>(&mut driver, 1e-5);
}

#[test]
fn top_k_cross_entropy_of_large_k_and_many_classes() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let mut random = Sequence::new(20);
    for (num_classes, k) in [(40, 20), (40, 39), (1000, 50), (1000, 300), (300_000, 5)] {
        let rows = [FAMILIES[0].row(num_classes, &mut random), FAMILIES[2].row(num_classes, &mut random)];
        let batch = Batch::<f32>::new(&rows, &[random.below(num_classes), random.below(num_classes)]);
        let outputs = batch.run(&mut driver, &TopKCrossEntropy::new(k, Gumbel, 0.5_f32).unwrap(), (2, 64));
        assert_eq!(outputs.codes, [0; 2], "L = {num_classes}, K = {k}");
        let reference = TopKCrossEntropy::new(k, Gumbel, 0.5).unwrap();
        for (example, grad) in outputs.grads.chunks(num_classes).enumerate() {
            let (value, expected) = batch.expected::<f64>(&reference, example).unwrap();
            let error = (outputs.values[example].to_f64() - value).abs() / (1.0 + value);
            assert!(error <= 1e-5, "value off by {error:e}, L = {num_classes}, K = {k}");
            let error = 0.5 * l1(grad, &expected);
            assert!(error <= 1e-5, "gradient off by {error:e}, L = {num_classes}, K = {k}");
        }
    }
}
