//! The hard hinge and those that draw: core in the same float, bit for bit.

use half::{bf16, f16};
use topk_loss::{Key, Margins, Smoothing, TopKHinge};
use topk_loss_cuda::Score;

use super::batch::Number;
use super::cases::{batches, l1};
use super::driver::{Build, Driver};
use super::families::FAMILIES;

/// Hard and pathwise hinges make no approximation: in the float they compute in they agree with core in every bit, and gradients are
/// those rounded to the type of the scores.
fn hinge_agrees_in_every_bit<T: Score<Float = f32> + Number>(driver: &mut Driver, smoothing: fn(usize) -> Smoothing<f32>) {
    for (batch, k) in batches::<T>(11) {
        let margins: Vec<f32> = (0..batch.num_classes).map(|i| 1.0 + (i % 5) as f32 / 4.0).collect();
        for loss in [
            TopKHinge::new(k).unwrap().with_smoothing(smoothing(k)).unwrap(),
            TopKHinge::new(k)
                .unwrap()
                .with_margins(Margins::PerClass(&margins))
                .unwrap()
                .with_scale(3.0)
                .unwrap()
                .with_smoothing(smoothing(k))
                .unwrap(),
        ] {
            let outputs = batch.run(driver, &loss, (3, 64));
            assert_eq!(outputs.codes, [0; 7]);
            for (example, grad) in outputs.grads.chunks(batch.num_classes).enumerate() {
                let (value, expected) = batch.expected(&loss, example).unwrap();
                assert_eq!(outputs.values[example].to_bits(), value.to_bits(), "{loss:?} {:?}", FAMILIES[example]);
                let expected: Vec<f64> = expected.iter().map(|&e| T::of_f64(e.into()).to_f64()).collect();
                assert_eq!(l1(grad, &expected), 0.0, "{loss:?} {:?}", FAMILIES[example]);
            }
        }
    }
}

#[test]
fn hard_hinge() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    hinge_agrees_in_every_bit::<f32>(&mut driver, |_| Smoothing::None);
    hinge_agrees_in_every_bit::<f16>(&mut driver, |_| Smoothing::None);
    hinge_agrees_in_every_bit::<bf16>(&mut driver, |_| Smoothing::None);
}

#[test]
fn pathwise() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let small = |k: usize| Smoothing::Pathwise { epsilon: 0.01, num_samples: 5, key: Key::new(k as u64) };
    let large = |k: usize| Smoothing::Pathwise { epsilon: 3.0, num_samples: 3, key: Key::new(k as u64) };
    hinge_agrees_in_every_bit::<f32>(&mut driver, small);
    hinge_agrees_in_every_bit::<f32>(&mut driver, large);
    hinge_agrees_in_every_bit::<f16>(&mut driver, large);
    hinge_agrees_in_every_bit::<bf16>(&mut driver, small);
}

/// Against core in the same float, which has the same draws: only the tails' last digits differ.
#[test]
fn conditional() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    for epsilon in [0.01_f32, 0.5, 4.0] {
        for (batch, k) in batches::<f32>(13) {
            let smoothing = Smoothing::Conditional { epsilon, num_samples: 3, key: Key::new(5) };
            let loss = TopKHinge::new(k).unwrap().with_scale(2.0).unwrap().with_smoothing(smoothing).unwrap();
            let outputs = batch.run(&mut driver, &loss, (3, 64));
            assert_eq!(outputs.codes, [0; 7]);
            for (example, grad) in outputs.grads.chunks(batch.num_classes).enumerate() {
                let (value, expected) = batch.expected(&loss, example).unwrap();
                assert_eq!(outputs.values[example].to_bits(), value.to_bits(), "{:?}", FAMILIES[example]);
                let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
                let error = l1(grad, &expected);
                assert!(error <= 2e-5, "gradient off by {error:e}, K = {k}, ε = {epsilon}, {:?}", FAMILIES[example]);
            }
        }
    }
}
