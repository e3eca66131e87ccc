//! The head that stores no logits against burn's product and the loss of its logits.
#![cfg(feature = "head")]

use burn::nn::loss::Reduction;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use topk_loss::config::{BaseConfig, MarginConfig};
use topk_loss::{Key, Smoothing};
use topk_loss_burn::TopKLossConfig;

const SHAPE: [usize; 3] = [5, 3, 300];

fn tensor(rows: usize, columns: usize) -> Tensor<2> {
    let data: Vec<_> = (0..rows * columns).map(|i| f64::from((i * 89 % 211) as u8) / 64.0 - 1.5).collect();
    Tensor::from_data(TensorData::new(data, [rows, columns]), (&Device::flex().autodiff(), DType::F64)).require_grad()
}

fn largest(tensor: Tensor<2>) -> f64 {
    tensor.abs().max().into_scalar::<f64>()
}

#[test]
fn gradients_of_features_weights_and_bias() {
    let [batch, dim, classes] = SHAPE;
    let (x, w, b) = (tensor(batch, dim), tensor(dim, classes), tensor(1, classes));
    let targets = Tensor::<1, Int>::from_data([0, 299, 7, 150, 7], &x.device());
    let hinge = |smoothing| BaseConfig::TopKHinge { k: 5, margins: MarginConfig::Uniform(1.0), scale: 1.0, smoothing, tolerance: None };
    let pathwise = Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(2) };
    for loss in [BaseConfig::CrossEntropy, hinge(Smoothing::None), hinge(pathwise), hinge(Smoothing::Exact { epsilon: 0.5 })] {
        for (reduction, with_bias) in [(Reduction::Mean, false), (Reduction::Sum, true), (Reduction::BatchMean, true)] {
            let config = TopKLossConfig::new(loss.clone()).with_pad_tokens(Some(vec![150])).with_reduction(reduction);
            let criterion = config.init(&x.device()).at_step(3);
            let logits = x.clone().matmul(w.clone());
            let logits = if with_bias { logits + b.clone() } else { logits };
            let expected = criterion.forward(logits, targets.clone());
            let bias = with_bias.then(|| b.clone().squeeze_dim(0));
            let actual = criterion.forward_head(x.clone(), w.clone(), bias, targets.clone());
            let off = (actual.clone() - expected.clone()).into_scalar::<f64>().abs();
            assert!(off < 1e-12 * expected.clone().into_scalar::<f64>(), "{off}");
            // What comes into the node is not 1.
            let [expected, actual] = [expected, actual].map(|loss| loss.square().backward());
            for tensor in [&x, &w, &b].into_iter().take(2 + usize::from(with_bias)) {
                let off = largest(tensor.grad(&actual).unwrap() - tensor.grad(&expected).unwrap());
                assert!(off < 1e-10, "{off}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let targets = || Tensor::<1, Int>::from_data([0, 1], &Device::flex().autodiff());
    let of = |loss, x: Tensor<2>, w: Tensor<2>| {
        let criterion = TopKLossConfig::new(loss).init(&x.device());
        criterion.try_forward_head(x, w, None, targets()).unwrap_err().to_string()
    };
    let (x, w, loss) = (tensor(2, 3), tensor(3, 4), BaseConfig::CrossEntropy);
    assert!(of(loss.clone(), x.clone(), tensor(2, 4)).contains("weights"));
    assert!(of(loss.clone(), x.clone().cast(DType::F32), w.clone()).contains("F64"));
    assert!(of(loss.clone(), tensor(3, 3), w.clone()).contains("labels"));
    assert!(of(loss, x.clone().mul_scalar(f64::NAN), w.clone()).contains("features"));
    assert!(of(BaseConfig::Focal { gamma: 2.0 }, x, w).contains("head"));
}
