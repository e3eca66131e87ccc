//! The exact hinge against core in `f64`.

use half::{bf16, f16};
use topk_loss::TopKHinge;
use topk_loss_cuda::Score;

use super::batch::{Batch, Number, Outputs};
use super::cases::{Run, batches, l1, rounding};
use super::driver::{Build, Driver};
use super::families::{FAMILIES, Sequence};

impl<T: Score + Number> Run<T> for (usize, f64)
where
    T::Float: Number,
{
    fn run(&self, driver: &mut Driver, batch: &Batch<T>) -> Outputs<T> {
        let loss = TopKHinge::<T::Float>::smoothed(self.0, Number::of_f64(self.1)).unwrap();
        batch.run(driver, &loss, (2, 64))
    }
    fn expected(&self, batch: &Batch<T>, example: usize) -> (f64, Vec<f64>) {
        let epsilon = <T::Float as Number>::of_f64(self.1).to_f64();
        batch.expected::<f64>(&TopKHinge::smoothed(self.0, epsilon).unwrap(), example).unwrap()
    }
}

/// Against core in `f64` on the same scores.
fn exact_agrees<T: Score + Number>(driver: &mut Driver, make: fn(usize, f64) -> Box<dyn Run<T>>, bar: f64)
where
    T::Float: Number,
{
    let mut worst = (0.0, String::new());
    for epsilon in [0.01, 0.2, 1.0, 20.0] {
        for (batch, k) in batches::<T>(14) {
            let loss = make(k, epsilon);
            let outputs = loss.run(driver, &batch);
            for (example, grad) in outputs.grads.chunks(batch.num_classes).enumerate() {
                let case = format!("L = {}, K = {k}, ε = {epsilon}, {:?}", batch.num_classes, FAMILIES[example]);
                assert_eq!(outputs.codes[example], 0, "{case}");
                let (value, expected) = loss.expected(&batch, example);
                let range = batch.row(example).iter().map(|s| s.to_f64().abs()).fold(epsilon, f64::max);
                let error = (outputs.values[example].to_f64() - value).abs() / (1.0 + range);
                assert!(error <= bar, "value off by {error:e}, {case}");
                // Whether so small a hinge is above 0 the accuracy leaves open, and with it the gradient.
                if [value, outputs.values[example].to_f64()].iter().any(|&value| value > 0.0 && value <= bar * (1.0 + range)) {
                    continue;
                }
                let error = l1(grad, &expected) - 2.0 * rounding::<T>();
                assert!(error <= bar, "gradient off by {error:e}, {case}");
                if error > worst.0 {
                    worst = (error, case);
                }
            }
        }
    }
    println!("worst L1 error of the exact gradient, {}: {:.1e}, {}", T::SUFFIX, worst.0, worst.1);
}

#[test]
fn exact() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    exact_agrees::<f32>(&mut driver, |k, epsilon| Box::new((k, epsilon)), 1e-5);
    exact_agrees::<f64>(&mut driver, |k, epsilon| Box::new((k, epsilon)), 1e-7);
    exact_agrees::<f16>(&mut driver, |k, epsilon| Box::new((k, epsilon)), 1e-5);
    exact_agrees::<bf16>(&mut driver, |k, epsilon| Box::new((k, epsilon)), 1e-5);
}

/// Any K: also where the scores are mirrored, the lists overflow, and few nodes fit at a time.
#[test]
fn exact_for_many_k() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let mut random = Sequence::new(15);
    for (num_classes, ks) in [(40, (1..40).step_by(3).collect::<Vec<_>>()), (1000, vec![50, 300, 500, 950, 999])] {
        for family in [FAMILIES[0], FAMILIES[1], FAMILIES[2]] {
            let row = family.row(num_classes, &mut random);
            let batch = Batch::<f32>::new(&[row], &[random.below(num_classes)]);
            for &k in &ks {
                let loss: &dyn Run<f32> = &(k, 0.5);
                let outputs = loss.run(&mut driver, &batch);
                let case = format!("L = {num_classes}, K = {k}, {family:?}");
                assert_eq!(outputs.codes, [0], "{case}");
                let (value, expected) = loss.expected(&batch, 0);
                let error = (outputs.values[0].to_f64() - value).abs();
                assert!(error <= 1e-5, "value off by {error:e}, {case}");
                let error = l1(&outputs.grads, &expected);
                assert!(error <= 1e-5, "gradient off by {error:e}, {case}");
            }
        }
    }
}

#[test]
fn a_row_of_a_million() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let row = FAMILIES[0].row(1_000_000, &mut Sequence::new(16));
    let batch = Batch::<f32>::new(&[row, vec![0.0; 1_000_000]], &[17, 999_999]);
    let loss = TopKHinge::smoothed(5, 0.2).unwrap();
    let outputs = batch.run(&mut driver, &loss, (2, 512));
    assert_eq!(outputs.codes, [0; 2]);
    for (example, grad) in outputs.grads.chunks(batch.num_classes).enumerate() {
        let (value, expected) = batch.expected::<f64>(&TopKHinge::smoothed(5, f64::from(0.2_f32)).unwrap(), example).unwrap();
        let error = (outputs.values[example].to_f64() - value).abs();
        assert!(error <= 1e-5, "value off by {error:e}, row {example}");
        let error = l1(grad, &expected);
        println!("L = 1 000 000, row {example}: L1 error of the gradient {error:.1e}");
        assert!(error <= 1e-5, "gradient off by {error:e}, row {example}");
    }
}
