//! A float of the user's own, in a newtype: what half precision can be asked for, and what it cannot.

mod rounded;

use rounded::Rounded;
use topk_loss::estimator::Exact;
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::oracle::{KthLargest, Oracle, TopKSum};
use topk_loss::{Error, Loss, Margins, Real, Smoothing, TopKHinge};
use topk_loss_laws::property::{evaluate, try_evaluate};
use topk_loss_laws::reference::to_f64;

/// An `f16`, a bfloat16, an `f32`.
type Half = Rounded<11>;
type Brain = Rounded<8>;
type Single = Rounded<24>;

const SCORES: [f64; 6] = [0.75, 0.5, 1.25, -0.5, 0.875, 0.0];

fn scores<F: Real>() -> [F; 6] {
    SCORES.map(F::from_f64)
}

fn hinge<F: Real>(smoothing: Smoothing<F>) -> TopKHinge<F> {
    TopKHinge::new(2).unwrap().with_smoothing(smoothing).unwrap()
}

#[test]
fn hard_losses_serve_any_float() {
    assert_eq!(to_f64(evaluate(&hinge::<Half>(Smoothing::None), &scores(), 0).0), 1.0);
    assert_eq!(to_f64(evaluate(&hinge::<Brain>(Smoothing::None), &scores(), 0).0), 1.0);
}

/// No bound on the error is as large as the float's rounding: said so, and not laid at the law's door.
fn is_too_coarse<F: Real>() {
    let (epsilon, refused) = (F::from_f64(0.25), Err(Error::Accuracy { what: "exact smoothing" }));
    let mut scratch = [F::zero(); 2000];
    for k in 1..=6 {
        let kth = KthLargest::new(k).unwrap();
        assert_eq!(Exact::new(kth, Normal, epsilon).unwrap().value(&scores(), &mut scratch), refused);
        assert_eq!(Exact::new(kth, Logistic, epsilon).unwrap().value(&scores(), &mut scratch), refused);
        assert_eq!(Exact::new(kth, Gumbel, epsilon).unwrap().plain().value(&scores(), &mut scratch), refused);
        assert_eq!(Exact::new(TopKSum::new(k).unwrap(), Normal, epsilon).unwrap().value(&scores(), &mut scratch), refused);
    }
    assert_eq!(try_evaluate(&hinge(Smoothing::Exact { epsilon }), &scores(), 0).map(|_| F::zero()), refused);
    let loss = TopKCrossEntropy::new(2, Normal, epsilon).unwrap();
    assert_eq!(loss.value(&scores(), 0, &mut scratch), refused);
    let histogram = Exact::new(KthLargest::new(2).unwrap(), Normal, epsilon).unwrap().histogram(F::one(), 6);
    assert_eq!(histogram.map(|_| F::zero()), refused);
}

#[test]
fn exact_smoothing_refuses_a_float_that_is_too_coarse() {
    is_too_coarse::<Half>();
    is_too_coarse::<Brain>();
}

/// It takes the plain form, which is as good, and leaves no gradient of a hinge that is zero.
#[test]
fn a_float_like_single_precision_is_as_good_as_it() {
    for label in 0..6 {
        for epsilon in [0.1, 0.25] {
            let single = hinge(Smoothing::Exact { epsilon: epsilon as f32 });
            let (value, grad) = evaluate(&single, &SCORES.map(|s| s as f32), label);
            let (own_value, own_grad) = evaluate(&hinge(Smoothing::Exact { epsilon: Single::from_f64(epsilon) }), &scores(), label);
            assert!((to_f64(own_value) - to_f64(value)).abs() < 1e-6, "label {label}: {own_value} instead of {value}");
            let error: f64 = own_grad.iter().zip(&grad).map(|(&own, &g)| (to_f64(own) - to_f64(g)).abs()).sum();
            assert!(error < 1e-5, "label {label}: {own_grad:?} instead of {grad:?}");
        }
    }
    let zero = TopKHinge::smoothed(2, Single::from_f64(0.25))
        .and_then(|loss| loss.with_margins(Margins::Uniform(Single::from_f64(0.1))))
        .and_then(|loss| loss.with_scale(Single::from_f64(1.0)));
    assert_eq!(evaluate(&zero.unwrap(), &scores(), 2), (Single::from_f64(0.0), vec![Single::from_f64(0.0); 6]));
}
