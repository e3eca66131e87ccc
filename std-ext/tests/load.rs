//! Under load: losses that panic or return no number, thousands of threads, two pools at once, a training that is killed.

use core::ops::Range;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::thread;

use faer::Mat;
use rayon::ThreadPoolBuilder;
use topk_loss::{CrossEntropy, Error, Key, Loss, Result, Smoothing, TopKHinge};
use topk_loss_batch::{
    BatchError, BatchLoss, HeadGrads, Kernel, LinearHead, Reduction, Rows, RowsMut, Similarity, Targets, Threads, scalar_kernel, values,
    values_and_grads,
};

const CLASSES: usize = 40;
const EXAMPLES: usize = 300;

fn scores() -> Vec<f32> {
    (0..EXAMPLES * CLASSES).map(|i| (i * 7919 % 1009) as f32 * 0.01).collect()
}

fn labels() -> Vec<usize> {
    (0..EXAMPLES).map(|example| example * 31 % CLASSES).collect()
}

fn step(loss: &dyn BatchLoss<f32>, threads: Threads) -> topk_loss_batch::Result<(Vec<f32>, Vec<f32>)> {
    let (scores, labels, mut losses, mut grads) = (scores(), labels(), vec![0.0; EXAMPLES], vec![0.0; EXAMPLES * CLASSES]);
    values_and_grads(loss, Rows::new(&scores, CLASSES)?, &Targets::new(&labels), &mut losses, RowsMut::new(&mut grads, CLASSES)?, threads)?;
    Ok((losses, grads))
}

/// What a loss of a user's may do at one example.
struct Faulty<V>(V);

impl<V: Fn(&[f32]) -> f32> Loss<f32> for Faulty<V> {
    fn scratch_len(&self, _: usize) -> usize {
        0
    }

    fn value(&self, scores: &[f32], _: usize, _: &mut [f32]) -> Result<f32> {
        Ok((self.0)(scores))
    }

    fn value_and_grad(&self, scores: &[f32], _: usize, grad: &mut [f32], _: &mut [f32]) -> Result<f32> {
        grad.fill(0.0);
        Ok((self.0)(scores))
    }
}

impl<V: Fn(&[f32]) -> f32 + Sync> BatchLoss<f32> for Faulty<V> {
    fn kernel(&self, num_classes: usize, _: Threads) -> Box<dyn Kernel<f32> + '_> {
        scalar_kernel(num_classes, move |_| self)
    }
}

#[test]
fn a_loss_that_returns_no_number_is_an_error() {
    for (fault, threads) in [(f32::NAN, 1), (f32::INFINITY, 4), (f32::NEG_INFINITY, 4)] {
        // Only the hundred and first example starts with this score.
        let bad = Faulty(|scores: &[f32]| if scores[0] == at(100) { fault } else { 1.0 });
        let expected = BatchError::Example { example: 100, error: Error::Overflow { what: "loss" } };
        assert_eq!(step(&bad, Threads::new(threads)), Err(expected));
        let (scores, labels) = (scores(), labels());
        let outcome =
            values(&bad, Rows::new(&scores, CLASSES).unwrap(), &Targets::new(&labels), &mut [0.0; EXAMPLES], Threads::new(threads));
        assert_eq!(outcome, Err(expected));
    }
}

/// The first score of an example.
fn at(example: usize) -> f32 {
    (example * CLASSES * 7919 % 1009) as f32 * 0.01
}

#[test]
fn a_loss_that_panics_takes_nothing_else_down() {
    let before = step(&CrossEntropy, Threads::new(4));
    let panicking = Faulty(|scores: &[f32]| if scores[0] == at(200) { panic!("a fault of the user's") } else { 1.0 });
    for _ in 0..20 {
        let payload = catch_unwind(AssertUnwindSafe(|| step(&panicking, Threads::new(4)))).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"a fault of the user's"));
        assert_eq!(step(&CrossEntropy, Threads::new(4)), before);
    }
}

#[test]
fn ten_thousand_threads_come_and_go() {
    let loss = TopKHinge::smoothed(3, 1.0).unwrap();
    let (scores, labels) = ([0.5_f32, 0.25, 1.0, -0.5, 2.0, 1.5, 0.75, 0.0], [2, 0]);
    let run = || {
        let mut losses = [0.0; 2];
        values(&loss, Rows::new(&scores, 4).unwrap(), &Targets::new(&labels), &mut losses, Threads::all()).unwrap();
        losses
    };
    let expected = run();
    for _ in 0..1000 {
        thread::scope(|scope| {
            let started: Vec<_> = (0..10).map(|_| scope.spawn(run)).collect();
            started.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), expected));
        });
    }
}

#[test]
fn two_pools_at_once_give_the_same_bits() {
    let loss = TopKHinge::smoothed(3, 1.0).unwrap();
    let expected = step(&loss, Threads::ONE).unwrap();
    let pools = [2, 3].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    thread::scope(|scope| {
        let (loss, expected) = (&loss, &expected);
        for pool in &pools {
            scope.spawn(move || (0..50).for_each(|_| assert_eq!(&pool.install(|| step(loss, Threads::all())).unwrap(), expected)));
        }
    });
}

/// The weights of a linear head after some steps from others, and where it got to: all that there is to save.
fn train(mut weights: Mat<f32>, steps: Range<u64>) -> Mat<f32> {
    const FEATURES: usize = 8;
    let features = Mat::from_fn(FEATURES, EXAMPLES, |i, example| ((i * 37 + example * 101) % 23) as f32 * 0.1 - 1.0);
    let labels = labels();
    for step in steps {
        let smoothing = Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(11).fold_in(step) };
        let loss = TopKHinge::new(2).unwrap().with_smoothing(smoothing).unwrap();
        let head = LinearHead::new(weights.clone(), None, Similarity::Inner).unwrap();
        let mut gradient = Mat::zeros(FEATURES, CLASSES);
        let grads = HeadGrads { weights: gradient.as_mut(), bias: None, features: None };
        head.objective_and_grads(&loss, features.as_ref(), &Targets::new(&labels), Reduction::Mean, grads, Threads::all()).unwrap();
        weights -= faer::Scale(0.1) * &gradient;
    }
    weights
}

#[test]
fn a_training_that_is_killed_goes_on_from_its_seed_and_step_bit_for_bit() {
    let start = || Mat::zeros(8, CLASSES);
    let whole = train(start(), 0..20);
    assert_eq!(train(train(start(), 0..7), 7..20), whole);
    // Other draws than the step's would be seen.
    assert_ne!(train(train(start(), 0..7), 0..13), whole);
}
