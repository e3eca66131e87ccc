//! What the kernels are made of: draws, rounding, addresses, reductions.

use half::{bf16, f16};
use topk_loss::Key;
use topk_loss::noise::Normal;
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss_cuda::Reduction;
use topk_loss_cuda::plan::{BatchArguments, reduction_words};

use super::batch::{of_bytes, to_bytes};
use super::driver::{Build, Driver, Request};
use super::families::Sequence;

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
