//! On a CUDA device, against the host; where there is none the test says that it is skipped.
#![cfg(feature = "cuda")]

use burn::nn::loss::Reduction;
use burn::tensor::{Device, Element, Int, Tensor};
use half::{bf16, f16};
use topk_loss::config::{BaseConfig, MarginConfig};
use topk_loss::{Key, Smoothing};
use topk_loss_burn::{Error, TopKLossConfig};
use topk_loss_cuda::{CudaError, Score};

const L: usize = 7;

fn hinge(smoothing: Smoothing<f64>) -> TopKLossConfig {
    let margins = MarginConfig::PerClass(vec![0.5, 1.0, 1.5, 1.0, 0.5, 1.0, 1.5]);
    let loss = BaseConfig::TopKHinge { k: 2, margins, scale: 1.0, smoothing, tolerance: None };
    TopKLossConfig::new(loss).with_pad_tokens(Some(vec![3]))
}

#[test]
fn no_cuda_device_is_an_error() {
    let criterion = hinge(Smoothing::None).init(&Device::flex());
    let error = criterion.on_cuda::<f32>(1_000_000, L).unwrap_err();
    assert!(matches!(error, Error::Cuda(CudaError::NoDriver | CudaError::NoDevice { .. })), "{error}");
}

/// The loss, and its gradient in `f32`.
fn numbers(loss: Tensor<1>, logits: &Tensor<2>) -> Vec<f32> {
    let grad = logits.grad(&loss.backward()).unwrap();
    let numbers = |numbers: Tensor<1>| numbers.try_into_vec_as::<f32>().unwrap();
    [numbers(loss.without_autodiff()), numbers(grad.reshape([-1]))].concat()
}

fn as_on_the_host<T: Score<Float = f32> + Element>(tolerance: f32) {
    let scores: Vec<f32> = (0..6 * L).map(|i| f32::from((i * 37 % 101) as u8) / 16.0 - 3.0).collect();
    let pathwise = Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(5) };
    for smoothing in [Smoothing::None, Smoothing::Exact { epsilon: 0.5 }, pathwise] {
        for reduction in [Reduction::Mean, Reduction::Sum, Reduction::BatchMean] {
            let criterion = hinge(smoothing).with_reduction(reduction).init(&Device::flex());
            let on_cuda = criterion.on_cuda::<T>(0, L).unwrap();
            let of = |device: &Device| {
                let logits = Tensor::<1>::from_data(&scores[..], (device, T::dtype())).reshape([6, L]).require_grad();
                (logits, Tensor::<1, Int>::from_data([0, 3, 6, 2, 5, 1], device))
            };
            let (logits, targets) = of(&Device::flex().autodiff());
            let expected = numbers(criterion.forward_step(logits.clone(), targets, 9), &logits);
            let (logits, targets) = of(&Device::cuda(0).autodiff());
            // As it is, and as a matrix whose classes do not follow one another.
            for view in [logits.clone(), logits.clone().transpose().mul_scalar(1).transpose()] {
                let actual = numbers(on_cuda.at_step(9).forward(view, targets.clone()), &logits);
                assert_eq!(actual.len(), expected.len());
                for (a, e) in actual.iter().zip(&expected) {
                    assert!((a - e).abs() <= tolerance, "{:?}, {smoothing:?}: {a} is not {e}", T::dtype());
                }
            }
        }
    }
}

#[test]
fn values_and_gradients_are_those_of_the_host() {
    match topk_loss_cuda::Device::new(0) {
        Ok(_) => {}
        Err(CudaError::NoDriver | CudaError::NoDevice { .. }) => return println!("skipped: no device"),
        Err(error) => panic!("{error}"),
    }
    as_on_the_host::<f32>(1e-5);
    as_on_the_host::<f16>(1e-2);
    as_on_the_host::<bf16>(1e-1);
}
