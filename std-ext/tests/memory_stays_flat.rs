//! Memory between the steps of a long training: what a step takes, it gives back.
//!
//! An hour of random shapes, with what is allocated and what is resident printed every minute:
//!
//! ```sh
//! cargo test --release -p topk-loss-batch --test memory_stays_flat -- --ignored --nocapture
//! ```

use core::time::Duration;
use std::fs;
use std::time::Instant;

use faer::Mat;
use peak_alloc::PeakAlloc;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use topk_loss::loss::{PolyhedralHinge, TopKCrossEntropy, TopKMarginCrossEntropy};
use topk_loss::noise::Gumbel;
use topk_loss::{Key, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, HeadGrads, LinearHead, Reduction, Rows, RowsMut, Similarity, Targets, Threads, objective_and_grads};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// A step of a random shape by a random loss.
fn random_step(random: &mut Pcg64Mcg) {
    let (num_classes, batch) = (random.random_range(2..3000_usize), random.random_range(1..40_usize));
    let k = random.random_range(1..num_classes.min(60));
    let epsilon = random.random_range(0.01..2.0_f32);
    let drawn = Smoothing::Pathwise { epsilon, num_samples: random.random_range(1..6), key: Key::new(random.random()) };
    let loss: Box<dyn BatchLoss<f32>> = match random.random_range(0..6) {
        0 => Box::new(TopKHinge::new(k).unwrap()),
        1 => Box::new(TopKHinge::smoothed(k, epsilon).unwrap()),
        2 => Box::new(TopKHinge::new(k).unwrap().with_smoothing(drawn).unwrap()),
        3 => Box::new(TopKCrossEntropy::new(k, Gumbel, epsilon).unwrap()),
        4 => Box::new(TopKMarginCrossEntropy::new(k, epsilon).unwrap()),
        _ => Box::new(PolyhedralHinge::new(k).unwrap()),
    };
    let scores: Vec<f32> = (0..num_classes * batch).map(|_| random.random_range(-3.0..3.0)).collect();
    let labels: Vec<usize> = (0..batch).map(|_| random.random_range(0..num_classes)).collect();
    let mut grads = vec![0.0; scores.len()];
    let (rows, places) = (Rows::new(&scores, num_classes).unwrap(), RowsMut::new(&mut grads, num_classes).unwrap());
    objective_and_grads(&loss, rows, &Targets::new(&labels), Reduction::Mean, places, Threads::all()).unwrap();

    let (features, weights) = (Mat::from_fn(16, batch, |_, _| 0.5), Mat::from_fn(16, num_classes, |i, class| (i * class % 7) as f32 * 0.1));
    let (mut by_features, mut by_weights) = (Mat::zeros(16, batch), Mat::zeros(16, num_classes));
    let grads = HeadGrads { weights: by_weights.as_mut(), bias: None, features: Some(by_features.as_mut()) };
    let head = LinearHead::new(weights, None, Similarity::Inner).unwrap();
    let smoothed = TopKHinge::smoothed(k, epsilon).unwrap();
    head.objective_and_grads(&smoothed, features.as_ref(), &Targets::new(&labels), Reduction::Mean, grads, Threads::all()).unwrap();
}

/// What is still allocated between two steps; the pool's own queues grow a little at first.
fn growth(until: impl Fn(u32) -> bool, mut report: impl FnMut(u32, usize)) -> usize {
    let mut random = Pcg64Mcg::seed_from_u64(5);
    (0..50).for_each(|_| random_step(&mut random));
    let (start, mut most, mut count) = (HEAP.current_usage(), 0, 0);
    while !until(count) {
        random_step(&mut random);
        count += 1;
        most = most.max(HEAP.current_usage().saturating_sub(start));
        report(count, most);
    }
    most
}

/// Far less than a batch takes.
const SLACK: usize = 64 << 10;

#[test]
fn nothing_is_left_behind_by_steps_of_any_shape() {
    let most = growth(|count| count == 200, |_, _| {});
    assert!(most <= SLACK, "{most} bytes more than after the first steps");
}

#[test]
#[ignore = "takes an hour"]
fn nothing_is_left_behind_in_an_hour() {
    let (start, mut minutes) = (Instant::now(), 0);
    let most = growth(
        |_| start.elapsed() >= Duration::from_secs(3600),
        |count, most| {
            if start.elapsed() >= Duration::from_secs(60 * minutes) {
                minutes += 1;
                println!("{} s, {count} steps: at most {most} bytes more allocated, resident {}", start.elapsed().as_secs(), resident());
            }
        },
    );
    assert!(most <= SLACK, "{most} bytes more than after the first steps");
}

/// What the system says that it has given, where it says it.
fn resident() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")).map_or("unknown".into(), |size| size.trim().into())
}
