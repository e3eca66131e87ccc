//! The head that stores no logits against candle's product and the criterion's node.
#![cfg(feature = "head")]

use candle_core::{DType, Device, Tensor, Var};
use topk_loss::{CrossEntropy, FoldIn, Key, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, HeadLoss, Reduction};
use topk_loss_candle::Criterion;

const SHAPE: (usize, usize, usize) = (5, 3, 300);

fn var(rows: usize, columns: usize) -> Var {
    let data: Vec<_> = (0..rows * columns).map(|i| f64::from((i * 89 % 211) as u8) / 64.0 - 1.5).collect();
    Var::from_tensor(&Tensor::from_vec(data, (rows, columns), &Device::Cpu).unwrap()).unwrap()
}

fn agrees(loss: impl HeadLoss<f64> + BatchLoss<f64> + FoldIn + Copy, with_bias: bool) {
    let (batch, dim, classes) = SHAPE;
    let (x, w, b) = (var(batch, dim), var(classes, dim), var(1, classes));
    let b = Var::from_tensor(&b.flatten_all().unwrap()).unwrap();
    let labels = Tensor::new(&[0_u32, 299, 7, 150, 7], &Device::Cpu).unwrap();
    for reduction in [Reduction::Sum, Reduction::Mean] {
        let criterion = Criterion::in_f64(loss).ignoring(150).with_reduction(reduction).fold_in(3);
        let logits = x.matmul(&w.t().unwrap()).unwrap();
        let logits = if with_bias { logits.broadcast_add(&b).unwrap() } else { logits };
        let expected = criterion.forward(&logits, &labels).unwrap();
        let actual = criterion.forward_head(&x, &w, with_bias.then_some(b.as_tensor()), &labels).unwrap();
        // What comes into the node is not 1.
        let [expected, actual] = [expected, actual].map(|loss| loss.sqr().unwrap());
        let off = (expected.to_scalar::<f64>().unwrap() - actual.to_scalar::<f64>().unwrap()).abs();
        assert!(off < 1e-12 * expected.to_scalar::<f64>().unwrap(), "{off}");
        let [expected, actual] = [expected, actual].map(|loss| loss.backward().unwrap());
        for var in [&x, &w, &b] {
            assert_eq!(actual.get(var).is_some(), expected.get(var).is_some());
            let Some((actual, expected)) = actual.get(var).zip(expected.get(var)) else { continue };
            let off = (actual - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
            assert!(off < 1e-11, "{off}");
        }
    }
}

#[test]
fn gradients_of_features_weights_and_bias() {
    let hinge = TopKHinge::new(5).unwrap();
    let pathwise = Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(2) };
    for with_bias in [false, true] {
        agrees(CrossEntropy, with_bias);
        agrees(hinge, with_bias);
        agrees(hinge.with_smoothing(pathwise).unwrap(), with_bias);
        agrees(hinge.with_smoothing(Smoothing::Exact { epsilon: 0.5 }).unwrap(), with_bias);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let labels = Tensor::new(&[0_u32, 1], &Device::Cpu).unwrap();
    let of = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| {
        Criterion::in_f64(CrossEntropy).forward_head(x, w, b, &labels).unwrap_err().to_string()
    };
    let (x, w) = (var(2, 3), var(4, 3));
    assert!(of(&x, &var(4, 2), None).contains("weights"));
    assert!(of(&x, &w, Some(&Tensor::zeros(3, DType::F64, &Device::Cpu).unwrap())).contains("bias"));
    assert!(of(&x.to_dtype(DType::F32).unwrap(), &w, None).contains("dtype"));
    assert!(of(&var(3, 3), &w, None).contains("labels"));
    assert!(of(&(x.as_tensor() * f64::NAN).unwrap(), &w, None).contains("features"));
    assert!(of(&x, &(w.as_tensor() * f64::INFINITY).unwrap(), None).contains("weights"));
}
