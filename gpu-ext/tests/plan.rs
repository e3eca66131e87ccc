//! What can be known of a launch without a device.

use topk_loss::config::{BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::Gumbel;
use topk_loss::{CrossEntropy, Error, Key, Margins, Smoothing, TopKHinge};
use topk_loss_cuda::CudaError;
use topk_loss_cuda::plan::{Compiled, MAX_SHARED_BYTES, Module, Plan};

fn hinge(k: usize, smoothing: Smoothing<f32>) -> TopKHinge<f32> {
    TopKHinge::new(k).unwrap().with_smoothing(smoothing).unwrap()
}

#[test]
fn every_entry_is_in_its_module() {
    let key = Key::new(0);
    for smoothing in [
        Smoothing::None,
        Smoothing::Exact { epsilon: 1.0 },
        Smoothing::Pathwise { epsilon: 1.0, num_samples: 5, key },
        Smoothing::Conditional { epsilon: 1.0, num_samples: 5, key },
    ] {
        for num_classes in [7, 1000, 1_000_000] {
            let loss = hinge(5, smoothing);
            let plans = [Plan::new::<f32>(&loss, 64, num_classes), Plan::new::<half::f16>(&loss, 64, num_classes)];
            for plan in plans.map(Result::unwrap) {
                assert!(plan.module.ptx().contains(&format!(".visible .entry {}(", plan.entry)), "{}", plan.entry);
                assert!(plan.shared_bytes <= MAX_SHARED_BYTES && plan.threads.is_multiple_of(32));
            }
        }
    }
    let plan = Plan::new::<f64>(&TopKCrossEntropy::new(5, Gumbel, 1.0).unwrap(), 1, 1000).unwrap();
    assert!(plan.module.ptx().contains(".entry top_k_cross_entropy_f64("));
    let plan = Plan::new::<f64>(&CrossEntropy, 1, 2).unwrap();
    assert!(plan.module.ptx().contains(".entry cross_entropy_f64("));
    for entry in ["divisor_f32", "divisor_f64", "objective_f32", "objective_f64"] {
        assert!(Module::Reduction.ptx().contains(&format!(".entry {entry}(")));
    }
}

#[test]
fn what_the_loss_refuses_is_an_error() {
    let plan = |k, smoothing, rows, classes| Plan::new::<f32>(&hinge(k, smoothing), rows, classes).unwrap_err();
    assert_eq!(plan(5, Smoothing::None, 1, 5), CudaError::Loss(Error::K { k: 5, max: 4 }));
    assert_eq!(plan(1, Smoothing::None, 1, 1), CudaError::Loss(Error::Length { what: "scores", expected: 2, actual: 1 }));
    assert!(matches!(plan(1, Smoothing::None, 0, 5), CudaError::Parameter { name: "batch", .. }));
    let many = Smoothing::Pathwise { epsilon: 1.0, num_samples: 1025, key: Key::new(0) };
    assert!(matches!(plan(1, many, 1, 5), CudaError::Parameter { name: "num_samples", .. }));
    assert!(matches!(plan(500_000, Smoothing::Exact { epsilon: 1.0 }, 1, 1_000_000), CudaError::Parameter { name: "k", .. }));
    let mixture = TopKCrossEntropy::mixture(&[0.5, 0.5], Gumbel, 1.0_f32).unwrap();
    assert!(matches!(Plan::new::<f32>(&mixture, 1, 5).unwrap_err(), CudaError::Parameter { name: "shares", .. }));
    let top_5 = TopKCrossEntropy::new(5, Gumbel, 1.0_f32).unwrap();
    assert_eq!(Plan::new::<f32>(&top_5, 1, 5).unwrap_err(), CudaError::Loss(Error::K { k: 5, max: 4 }));
    let margins = [1.0_f32; 3];
    let loss = TopKHinge::new(1).unwrap().with_margins(Margins::PerClass(&margins)).unwrap();
    let error = Plan::new::<f32>(&loss, 1, 5).unwrap_err();
    assert_eq!(error, CudaError::Loss(Error::Length { what: "margins", expected: 5, actual: 3 }));
}

#[test]
fn a_loss_that_was_described_is_the_loss_inside() {
    let described = |loss: BaseConfig<f32, Vec<f32>>| LossConfig::from(loss).build().unwrap();
    let margins = MarginConfig::PerClass(vec![1.0, 2.0, 0.5]);
    let hinge = BaseConfig::TopKHinge { k: 1, margins, scale: 2.0, smoothing: Smoothing::Exact { epsilon: 0.5 }, tolerance: None };
    let margins = [1.0, 2.0, 0.5];
    let inside = TopKHinge::new(1).unwrap().with_margins(Margins::PerClass(&margins)).unwrap().with_scale(2.0).unwrap();
    let inside = inside.with_smoothing(Smoothing::Exact { epsilon: 0.5 }).unwrap();
    let described_hinge = described(hinge);
    assert_eq!(Plan::new::<f32>(&described_hinge, 2, 3), Plan::new::<f32>(&inside, 2, 3));
    assert_eq!(Compiled::margins(&described_hinge), Some(&margins[..]));
    let gumbel = described(BaseConfig::TopKCrossEntropy { guesses: Guesses::K(2), law: Law::Gumbel, epsilon: 1.0 });
    let top_2 = TopKCrossEntropy::new(2, Gumbel, 1.0_f32).unwrap();
    assert_eq!(Plan::new::<f32>(&gumbel, 2, 3), Plan::new::<f32>(&top_2, 2, 3));

    let refused = |loss| Plan::new::<f32>(&loss, 2, 3).unwrap_err();
    let normal = described(BaseConfig::TopKCrossEntropy { guesses: Guesses::K(2), law: Law::Normal, epsilon: 1.0 });
    assert!(matches!(refused(normal), CudaError::Parameter { name: "loss", .. }));
    let weighted = LossConfig { class_weights: Some(vec![1.0, 1.0, 2.0]), ..BaseConfig::CrossEntropy.into() };
    assert!(matches!(refused(weighted.build().unwrap()), CudaError::Parameter { name: "loss", .. }));
}

/// The largest K that the exact form takes at each number of classes, in each float.
#[test]
fn the_exact_form_takes_large_k() {
    let exact = |k| TopKHinge::<f32>::smoothed(k, 1.0).unwrap();
    for (num_classes, k) in [(1000, 999), (1000, 500), (32_000, 300), (1_000_000, 300), (1_000_000, 999_800)] {
        assert!(Plan::new::<f32>(&exact(k), 1, num_classes).is_ok(), "L = {num_classes}, K = {k}");
    }
    let exact = |k| TopKHinge::<f64>::smoothed(k, 1.0).unwrap();
    for (num_classes, k) in [(1000, 999), (1000, 100), (1_000_000, 100)] {
        assert!(Plan::new::<f64>(&exact(k), 1, num_classes).is_ok(), "L = {num_classes}, K = {k}");
    }
}

/// The numbers of RESULTS.md: how many blocks a multiprocessor holds depends on them.
#[test]
fn shared_memory_of_a_block() {
    let key = Key::new(0);
    let bytes = |smoothing| Plan::new::<f32>(&hinge(5, smoothing), 1, 1000).unwrap().shared_bytes;
    assert_eq!(bytes(Smoothing::None), 2568);
    assert_eq!(bytes(Smoothing::Pathwise { epsilon: 1.0, num_samples: 5, key }), 5160);
    assert_eq!(bytes(Smoothing::Conditional { epsilon: 1.0, num_samples: 1, key }), 5152);
    assert_eq!(bytes(Smoothing::Exact { epsilon: 1.0 }), 21_656);
    assert_eq!(Plan::new::<f32>(&CrossEntropy, 1, 1000).unwrap().shared_bytes, 256);
    assert_eq!(Plan::new::<f32>(&TopKCrossEntropy::new(5, Gumbel, 1.0).unwrap(), 1, 1000).unwrap().shared_bytes, 52_120);
}
