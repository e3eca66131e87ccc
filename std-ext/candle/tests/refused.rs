//! What must not give a number gives an error: candle's own, or the library's in it.

use candle_core::{DType, Device, Error, Result, Tensor, Var};
use topk_loss::CrossEntropy;
use topk_loss_batch::BatchError;
use topk_loss_candle::Criterion;

const L: usize = 7;

fn refused(result: Result<Tensor>) -> Error {
    match result.unwrap_err() {
        Error::WithBacktrace { inner, .. } => *inner,
        error => error,
    }
}

#[test]
fn what_is_refused_is_an_error() {
    let labels = |labels: &[i64]| Tensor::new(labels, &Device::Cpu).unwrap();
    let (criterion, logits) = (Criterion::new(CrossEntropy), Tensor::zeros((2, L), DType::F32, &Device::Cpu).unwrap());
    let message = |error: Error| error.to_string();
    let of = |logits: &Tensor, labels: &Tensor| refused(criterion.forward(logits, labels));

    for dtype in [DType::F64, DType::I64, DType::U8] {
        assert!(matches!(of(&logits.to_dtype(dtype).unwrap(), &labels(&[0, 1])), Error::UnexpectedDType { .. }), "{dtype:?}");
    }
    let double = Criterion::in_f64(CrossEntropy).forward(&logits, &labels(&[0, 1]));
    assert!(matches!(refused(double), Error::UnexpectedDType { .. }));
    let fractions = Tensor::new(&[0.0_f32, 1.0], &Device::Cpu).unwrap();
    assert!(matches!(of(&logits, &fractions), Error::UnexpectedDType { .. }));
    assert!(matches!(of(&logits.flatten_all().unwrap(), &labels(&[0])), Error::UnexpectedNumberOfDims { .. }));
    assert!(matches!(of(&logits, &labels(&[0, 1]).reshape((2, 1)).unwrap()), Error::UnexpectedNumberOfDims { .. }));

    assert!(message(of(&logits.t().unwrap(), &labels(&[0, 1]))).contains("transposed"));
    assert_eq!(message(of(&logits, &labels(&[0, 7]))), "example 1: label 7 is not below the number of classes, 7");
    assert!(message(of(&logits, &labels(&[0, -1]))).starts_with("example 1"));
    assert!(message(of(&logits, &labels(&[0]))).contains("labels"));
    let nan = Tensor::full(f32::NAN, (1, L), &Device::Cpu).unwrap();
    assert!(matches!(of(&nan, &labels(&[0])), Error::Wrapped(error) if error.to_string().contains("example 0")));
    for empty in [(0, L), (2, 0), (0, 0)] {
        let logits = Var::zeros(empty, DType::F32, &Device::Cpu).unwrap();
        let error = of(&logits, &labels(&vec![0; empty.0]));
        assert!(message(error).starts_with("there is no "), "{empty:?}");
    }
    let padding = refused(criterion.ignoring(3).forward(&logits, &labels(&[3, 3])));
    assert_eq!(message(padding), BatchError::Empty { what: "example whose label is not ignored" }.to_string());
    let soft = |share| refused(criterion.forward_soft(&logits, &Tensor::full(share, (2, L), &Device::Cpu).unwrap()));
    assert!(message(soft(1.0_f32)).contains("sum to 1"));
}
