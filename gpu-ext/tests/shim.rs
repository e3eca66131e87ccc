//! The kernels, compiled for this machine's processor with threads and barriers in place of a block, against core.

mod shim {
    pub mod batch;
    pub mod driver;
    pub mod families;
}

use half::{bf16, f16};
use shim::batch::{Batch, Number, of_bytes, to_bytes};
use shim::driver::{Build, Driver, Request};
use shim::families::{FAMILIES, Sequence};
use topk_loss::{CrossEntropy, Error, Gumbel, Key, Margins, MonteCarlo, Normal, Sampler, Smoothing, TopKCrossEntropy, TopKHinge};
use topk_loss_cuda::plan::{BatchArguments, reduction_words};
use topk_loss_cuda::{CudaError, Reduction, Score, check_codes};

const SHAPES: [(usize, usize); 7] = [(2, 1), (3, 2), (7, 3), (33, 1), (100, 5), (257, 20), (1000, 5)];

/// Random batches of every family and shape, with padding now and then.
fn batches<T: Score + Number>(seed: u64) -> Vec<(Batch<T>, usize)>
where
    T::Float: Number,
{
    let mut random = Sequence::new(seed);
    let mut batches = Vec::new();
    for (num_classes, k) in SHAPES {
        let rows: Vec<_> = FAMILIES.iter().map(|family| family.row(num_classes, &mut random)).collect();
        let labels: Vec<_> = rows.iter().map(|_| random.below(num_classes)).collect();
        batches.push((Batch::new(&rows, &labels).padded(random.below(3)), k));
    }
    batches
}

fn l1(actual: &[impl Number], expected: &[f64]) -> f64 {
    actual.iter().zip(expected).map(|(a, e)| (a.to_f64() - e).abs()).sum()
}

/// The largest rounding of a number of this type, relative.
fn rounding<T: Number>() -> f64 {
    let next_above_one = (1..60).map(|bits| 1.0 + 0.5_f64.powi(bits)).take_while(|&x| T::of_f64(x).to_f64() > 1.0).last();
    next_above_one.map_or(1.0, |x| x - 1.0)
}

/// Hard and pathwise hinges make no approximation: in the float they compute in they agree with core in every bit, and gradients are
/// those rounded to the type of the scores.
fn hinge_agrees_in_every_bit<T: Score<Float = f32> + Number>(driver: &mut Driver, smoothing: fn(usize) -> Smoothing<f32>) {
    for (batch, k) in batches::<T>(11) {
        let margins: Vec<f32> = (0..batch.num_classes).map(|i| 1.0 + (i % 5) as f32 / 4.0).collect();
        for loss in [
            TopKHinge::new(k, Margins::Uniform(1.0), 1.0, smoothing(k)).unwrap(),
            TopKHinge::new(k, Margins::PerClass(&margins), 3.0, smoothing(k)).unwrap(),
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

/// A loss on the kernels in its own float, and on core in `f64`.
trait Run<T: Score> {
    fn run(&self, driver: &mut Driver, batch: &Batch<T>) -> shim::batch::Outputs<T>;
    fn expected(&self, batch: &Batch<T>, example: usize) -> (f64, Vec<f64>);
}

impl<T: Score + Number> Run<T> for CrossEntropy
where
    T::Float: Number,
{
    fn run(&self, driver: &mut Driver, batch: &Batch<T>) -> shim::batch::Outputs<T> {
        batch.run(driver, self, (2, 32))
    }
    fn expected(&self, batch: &Batch<T>, example: usize) -> (f64, Vec<f64>) {
        batch.expected::<f64>(self, example).unwrap()
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

/// Against core in the same float, which has the same draws: only the tails' last digits differ.
#[test]
fn conditional() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    for epsilon in [0.01_f32, 0.5, 4.0] {
        for (batch, k) in batches::<f32>(13) {
            let smoothing = Smoothing::Conditional { epsilon, num_samples: 3, key: Key::new(5) };
            let loss = TopKHinge::new(k, Margins::Uniform(1.0), 2.0, smoothing).unwrap();
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

impl<T: Score + Number> Run<T> for (usize, f64)
where
    T::Float: Number,
{
    fn run(&self, driver: &mut Driver, batch: &Batch<T>) -> shim::batch::Outputs<T> {
        let loss = TopKHinge::<T::Float>::smoothed(self.0, Number::of_f64(self.1)).unwrap();
        batch.run(driver, &loss, (2, 64))
    }
    fn expected(&self, batch: &Batch<T>, example: usize) -> (f64, Vec<f64>) {
        let epsilon = <T::Float as Number>::of_f64(self.1).to_f64();
        batch.expected::<f64>(&TopKHinge::smoothed(self.0, epsilon).unwrap(), example).unwrap()
    }
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

/// Every loss on two small batches, as bits; whatever is left to chance would show.
fn bits_of_every_loss(driver: &mut Driver, blocks: u32) -> Vec<u64> {
    let mut bits = Vec::new();
    let mut random = Sequence::new(17);
    for (num_classes, k) in [(33, 1), (150, 5)] {
        let rows: Vec<_> = FAMILIES.iter().map(|family| family.row(num_classes, &mut random)).collect();
        let batch = Batch::<f32>::new(&rows, &[0, 1, 2, 3, 4, 5, 6]);
        let key = Key::new(18);
        let mut keep = |outputs: shim::batch::Outputs<f32>| {
            bits.extend(outputs.values.iter().chain(&outputs.grads).map(|x| u64::from(x.to_bits())).chain(outputs.codes));
        };
        keep(batch.run(driver, &CrossEntropy, (blocks, 64)));
        keep(batch.run(driver, &TopKCrossEntropy::new(k, Gumbel, 1.0).unwrap(), (blocks, 64)));
        for smoothing in [
            Smoothing::None,
            Smoothing::Exact { epsilon: 0.3 },
            Smoothing::Pathwise { epsilon: 0.3, num_samples: 2, key },
            Smoothing::Conditional { epsilon: 0.3, num_samples: 2, key },
        ] {
            keep(batch.run(driver, &TopKHinge::new(k, Margins::Uniform(1.0), 1.0, smoothing).unwrap(), (blocks, 64)));
        }
    }
    bits
}

#[test]
fn the_number_of_blocks_does_not_change_a_bit() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let one = bits_of_every_loss(&mut driver, 1);
    assert!(one == bits_of_every_loss(&mut driver, 3) && one == bits_of_every_loss(&mut driver, 7));
}

fn sanitized(which: &'static str) {
    let (Some(mut driver), Some(mut fast)) = (Driver::start(Build::Sanitized(which)), Driver::start(Build::Fast)) else { return };
    assert!(bits_of_every_loss(&mut driver, 2) == bits_of_every_loss(&mut fast, 2));
}

#[test]
#[ignore = "slow: a thread for every thread of a block; .ci/run runs it"]
fn no_data_race() {
    sanitized("thread");
}

#[test]
#[ignore = "slow: a thread for every thread of a block; .ci/run runs it"]
fn no_bad_access() {
    sanitized("address,undefined");
}

#[test]
fn objectives() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let (labels, values, weights) = ([0_i64, 9, 2, 1], [1.0_f32, 77.0, 3.0, 5.0], [2.0_f32, 4.0, 1.0, 0.5]);
    for (reduction, expected) in [(Reduction::Sum, [77.0, 7.5]), (Reduction::Mean, [3.0, 2.5]), (Reduction::WeightedMean, [3.5, 7.5 / 3.5])]
    {
        let mut buffers = [to_bytes(&labels), to_bytes(&values), to_bytes(&weights), to_bytes(&[77.0_f32]), to_bytes(&[77.0_f32])];
        let batch = BatchArguments { labels: 1, values: 2, weights: 3, num_rows: 4, ignored_label: Some(9), ..BatchArguments::default() };
        for entry in ["divisor_f32", "objective_f32"] {
            if reduction == Reduction::Sum && entry == "divisor_f32" {
                continue;
            }
            let parameters = reduction_words(reduction, 4, 5);
            let request = Request { entry, blocks: 1, threads: 64, shared_bytes: 256, batch: &batch.words(), parameters: &parameters };
            driver.run(&request, &mut buffers);
        }
        assert_eq!([of_bytes::<f32>(&buffers[3])[0], of_bytes::<f32>(&buffers[4])[0]], expected);
    }
}

#[test]
fn draws_are_those_of_core_in_every_bit() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    for draw in [0, 7, (1 << 33) + 1] {
        let key = Key::new(0x1234_5678_9abc_def0).fold_in(draw);
        let words = u64::from(key.words()[0]) | u64::from(key.words()[1]) << 32;
        let count = 1 << 16;
        let mut ask = |entry, buffer: Vec<u8>| {
            let mut buffers = [buffer];
            let request =
                Request { entry, blocks: 1, threads: 64, shared_bytes: 256, batch: &[0; 13], parameters: &[1, count as u64, draw, words] };
            driver.run(&request, &mut buffers);
            core::mem::take(&mut buffers[0])
        };
        let sampler = MonteCarlo::new(Normal, 1).unwrap();
        let mut expected = vec![0.0_f32; count];
        sampler.sample(key, draw as usize, &mut expected).unwrap();
        assert!(ask("draws_f32", to_bytes(&vec![0.0_f32; count])) == to_bytes(&expected));
        let mut expected = vec![0.0_f64; count];
        sampler.sample(key, draw as usize, &mut expected).unwrap();
        assert!(ask("draws_f64", to_bytes(&vec![0.0_f64; count])) == to_bytes(&expected));
    }
}

#[test]
fn halves_round_to_nearest_even() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let mut random = Sequence::new(3);
    let mut numbers = vec![0.0, -0.0, 1.0, 65504.0, 65519.9, 65520.0, 1e-8, 5.96e-8, 6.1e-5, 3.4e38, f32::INFINITY, f32::NEG_INFINITY];
    numbers.extend((0..20_000).map(|_| f32::from_bits((random.uniform() * 4_294_967_296.0) as u32)).filter(|x| x.is_finite()));
    let pairs: Vec<f32> = numbers.iter().flat_map(|&x| [x, 0.0]).collect();
    let mut buffers = [to_bytes(&pairs)];
    let parameters = [1, pairs.len() as u64, 0, 0];
    let request = Request { entry: "round_trips", blocks: 1, threads: 32, shared_bytes: 256, batch: &[0; 13], parameters: &parameters };
    driver.run(&request, &mut buffers);
    for (pair, &x) in of_bytes::<f32>(&buffers[0]).chunks(2).zip(&numbers) {
        let expected = [f16::from_f32(x).to_f32(), bf16::from_f32(x).to_f32()];
        assert_eq!([pair[0].to_bits(), pair[1].to_bits()], expected.map(f32::to_bits), "{x:e}");
    }
}

/// The last row of 10⁴ rows of 10⁶ scores starts at byte 4·10¹⁰: more than 32 bits, in elements too.
#[test]
fn rows_are_found_beyond_two_to_the_31() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let rows = [0_i64, 1, 2147, 2148, 4295, 9999];
    let batch = BatchArguments { score_stride: 1_000_000, ..BatchArguments::default() };
    let mut buffers = [to_bytes(&rows)];
    let parameters = [1, rows.len() as u64, 0, 0];
    let request =
        Request { entry: "row_starts", blocks: 1, threads: 32, shared_bytes: 256, batch: &batch.words(), parameters: &parameters };
    driver.run(&request, &mut buffers);
    assert_eq!(of_bytes::<i64>(&buffers[0]), rows.map(|row| row * 4_000_000));
}

#[test]
fn bad_rows_have_codes_and_leave_the_others_alone() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let rows = vec![vec![0.5, 2.0, 1.0, -1.0]; 9];
    let mut batch = Batch::<f32>::new(&rows, &[0; 9]);
    batch.labels = vec![0, 4, -1, 99, 1, 2, 3, 0, 1];
    batch.ignored = Some(99);
    batch.scores[4 * 3] = f32::NAN; // of the ignored example: not read
    batch.scores[4 * 4 + 2] = f32::NAN;
    batch.scores[4 * 4 + 3] = f32::NAN;
    batch.scores[4 * 5 + 1] = f32::INFINITY;
    batch.scores[4 * 6..4 * 7].copy_from_slice(&[f32::MAX, f32::MIN, f32::MIN, f32::MIN]);
    batch.weights = Some(vec![1.0, 1.0, 1.0, -7.0, 1.0, 1.0, 1.0, -1.0, 0.5]);
    let loss = TopKHinge::new(2, Margins::Uniform(1.0), 1.0, Smoothing::None).unwrap();
    let outputs = batch.run(&mut driver, &loss, (2, 32));
    let faults: Vec<_> = (0..9)
        .map(|example| match check_codes(&outputs.codes[example..=example], &batch.labels[example..=example], 4) {
            Err(CudaError::Example { error, .. }) => Some(error),
            other => other.map(|()| None).unwrap(),
        })
        .collect();
    let expected = [
        None,
        Some(Error::Label { label: 4, num_classes: 4 }),
        Some(Error::Label { label: usize::MAX, num_classes: 4 }),
        None,
        Some(Error::NotFinite { what: "scores", index: 2 }),
        Some(Error::NotFinite { what: "scores", index: 1 }),
        Some(Error::Overflow { what: "range of the scores" }),
        Some(Error::Parameter { name: "weight", must: "finite and at least 0" }),
        None,
    ];
    assert_eq!(faults, expected);
    for example in 0..9 {
        let grad = &outputs.grads[4 * example..][..4];
        match example {
            0 => assert_eq!((outputs.values[0], grad), (1.0, [0.0; 4].as_slice())),
            3 => assert_eq!((outputs.values[3], grad), (0.0, [0.0; 4].as_slice())),
            8 => assert_eq!((outputs.values[8], grad), (0.0, [0.0; 4].as_slice())),
            _ => assert!(outputs.values[example].is_nan() && grad == [0.0; 4], "example {example}"),
        }
    }
}
