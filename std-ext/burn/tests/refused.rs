//! What must not give a number gives a typed error, and a panic with its message where burn's own losses panic.

use burn::tensor::{DType, Device, Int, Tensor};
use topk_loss::CrossEntropy;
use topk_loss::config::{BaseConfig, MarginConfig};
use topk_loss_batch::BatchError;
use topk_loss_burn::{Error, TopKLossConfig, losses};

const L: usize = 7;

fn refused(logits: Tensor<2>, labels: &[i64]) -> Error {
    let targets = Tensor::<1, Int>::from_data(labels, &logits.device());
    let criterion = TopKLossConfig::new(BaseConfig::CrossEntropy).with_pad_tokens(Some(vec![3])).init(&logits.device());
    criterion.try_forward(logits, targets).unwrap_err()
}

#[test]
fn what_is_refused_is_an_error() {
    for device in [Device::flex(), Device::flex().autodiff()] {
        let logits = Tensor::<2>::zeros([2, L], &device).set_require_grad(device.is_autodiff());
        let message = |labels: &[i64]| refused(logits.clone(), labels).to_string();
        assert_eq!(message(&[0, 7]), "example 1: label 7 is not below the number of classes, 7");
        assert!(message(&[0, -1]).starts_with("example 1"));
        assert!(message(&[0]).contains("labels"));
        assert!(refused(logits.clone().transpose(), &[0, 1]).to_string().contains("transposed"));
        assert_eq!(refused(logits.clone(), &[3, 3]), BatchError::Empty { what: "example whose label is not ignored" }.into());
        let nan = logits.clone().inner().mul_scalar(f64::NAN);
        assert!(matches!(refused(nan, &[0, 1]), Error::Batch(BatchError::Example { example: 0, .. })));
        assert_eq!(refused(Tensor::zeros([0, L], &device), &[]), BatchError::Empty { what: "example" }.into());
    }
}

/// A loss of `f32` is not computed of `f64`: the logits would be rounded.
#[test]
fn another_float_is_refused() {
    let targets = || Tensor::<1, Int>::from_data([0], &Device::flex());
    for (dtype, other) in [(DType::F32, DType::F64), (DType::F64, DType::F32)] {
        let logits = |dtype| Tensor::<2>::zeros([1, L], (&Device::flex(), dtype));
        let of = |logits| match dtype {
            DType::F64 => losses::<f64>(&CrossEntropy, logits, targets()),
            _ => losses::<f32>(&CrossEntropy, logits, targets()),
        };
        assert!(of(logits(dtype)).is_ok());
        assert_eq!(of(logits(other)).unwrap_err(), Error::DType(other));
    }
}

#[test]
fn configurations_that_are_none() {
    let of = |loss| TopKLossConfig::new(loss).try_init(&Device::flex()).unwrap_err();
    assert!(matches!(of(BaseConfig::Focal { gamma: -1.0 }), Error::Batch(BatchError::Loss(_))));
    assert!(matches!(of(BaseConfig::Focal { gamma: 1e300 }), Error::Batch(_) | Error::Config(_)));
    assert!(matches!(of(BaseConfig::Focal { gamma: f64::NAN }), Error::Batch(_) | Error::Config(_)));
}

/// As burn's own losses fail.
#[test]
#[should_panic(expected = "example 1: label 9 is not below the number of classes, 7")]
fn forward_panics_with_the_message() {
    let device = Device::flex();
    let logits = Tensor::<2>::zeros([2, L], (&device, DType::F64));
    let criterion = TopKLossConfig::new(BaseConfig::PolyhedralHinge { k: 2, margins: MarginConfig::default(), scale: 1.0 }).init(&device);
    criterion.forward(logits, Tensor::<1, Int>::from_data([0, 9], &device));
}

/// Without autodiff the value is right, and there is no gradient to be had: burn says so.
#[test]
#[should_panic(expected = "requires a tracked autodiff tensor")]
fn without_autodiff_there_is_no_backward() {
    let device = Device::flex();
    let criterion = TopKLossConfig::new(BaseConfig::CrossEntropy).init(&device);
    let loss = criterion.forward(Tensor::zeros([1, L], &device), Tensor::<1, Int>::from_data([0], &device));
    assert!((loss.clone().into_scalar::<f32>() - (L as f32).ln()).abs() < 1e-6);
    loss.backward();
}
