//! On a CUDA device, against the CPU; where there is none the test says that it is skipped.
#![cfg(feature = "cuda")]

use candle_core::cuda_backend::CudaDType;
use candle_core::{DType, Device, Error, Result, Tensor, Var};
use half::{bf16, f16};
use topk_loss::config::{AnyLoss, BaseConfig, LossConfig, MarginConfig};
use topk_loss::{CrossEntropy, FoldIn, Key, Smoothing};
use topk_loss_batch::Reduction;
use topk_loss_candle::Criterion;
use topk_loss_cuda::{CudaError, Score};

const L: usize = 7;

fn refused<T>(result: Result<T>) -> Error {
    match result.err().unwrap() {
        Error::WithBacktrace { inner, .. } => *inner,
        error => error,
    }
}

#[test]
fn what_is_refused_without_a_device() {
    let on_the_cpu = Criterion::new(CrossEntropy).on_cuda::<f32>(&Device::Cpu, L);
    assert!(refused(on_the_cpu).to_string().contains("expected a cuda device"));
    let from_the_third = Criterion::new(CrossEntropy).from_example(3).on_cuda::<f32>(&Device::Cpu, L);
    let expected = CudaError::Parameter { name: "first example", must: "0 on a device" };
    assert!(matches!(refused(from_the_third), Error::Cuda(error) if error.downcast_ref() == Some(&expected)));
}

/// The first device, or a word that there is none.
fn device() -> Option<Device> {
    match topk_loss_cuda::Device::new(0) {
        Ok(_) => Some(Device::new_cuda(0).unwrap()),
        Err(CudaError::NoDriver | CudaError::NoDevice { .. }) => {
            println!("skipped: no device");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn hinge(smoothing: Smoothing<f32>) -> AnyLoss<f32, Vec<f32>> {
    let margins = MarginConfig::PerClass(vec![0.5, 1.0, 1.5, 1.0, 0.5, 1.0, 1.5]);
    LossConfig::from(BaseConfig::TopKHinge { k: 2, margins, scale: 1.0, smoothing, tolerance: None }).build().unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_dtype(DType::F32).unwrap().to_vec1().unwrap()
}

type View = fn(&Tensor) -> Result<Tensor>;

/// The losses, the reduced one, and the gradient of the logits, which are a view of the variable.
fn results(losses: Result<Tensor>, reduced: Result<Tensor>, var: &Var, view: View) -> Vec<f32> {
    let reduced = reduced.unwrap();
    let grads = reduced.backward().unwrap();
    [numbers(&losses.unwrap()), numbers(&reduced), numbers(&view(grads.get(var).unwrap()).unwrap())].concat()
}

fn as_on_the_cpu<T: Score<Float = f32> + CudaDType>(device: &Device, dtype: DType, tolerance: f32) {
    let scores: Vec<f32> = (0..6 * L).map(|i| f32::from((i * 37 % 101) as u8) / 16.0 - 3.0).collect();
    let scores = Tensor::from_vec(scores, (6, L), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
    let labels = Tensor::new(&[0_u32, 3, 6, 2, 5, 1], &Device::Cpu).unwrap();
    let whole: View = |logits| Ok(logits.clone());
    let on_cpu = Var::from_tensor(&scores).unwrap();
    // In place, by strides from an offset on, and of a copy.
    let wide = Tensor::cat(&[&scores, &scores, &scores], 1).unwrap();
    let transposed = scores.t().unwrap().contiguous().unwrap();
    let views: [(&Tensor, View); 3] = [(&scores, whole), (&wide, |wide| wide.narrow(1, L, L)), (&transposed, |transposed| transposed.t())];
    let pathwise = Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(5) };
    for smoothing in [Smoothing::None, Smoothing::Exact { epsilon: 0.5 }, pathwise] {
        for reduction in [Reduction::Mean, Reduction::Sum] {
            let criterion = Criterion::new(hinge(smoothing)).with_reduction(reduction).ignoring(3);
            let on_cuda = criterion.clone().on_cuda::<T>(device, L).unwrap().fold_in(9);
            let criterion = criterion.fold_in(9);
            let expected = results(criterion.losses(&on_cpu, &labels), criterion.forward(&on_cpu, &labels), &on_cpu, whole);
            for (tensor, view) in views {
                let var = Var::from_tensor(&tensor.to_device(device).unwrap()).unwrap();
                let logits = view(&var).unwrap();
                let actual = results(on_cuda.losses(&logits, &labels), on_cuda.forward(&logits, &labels), &var, view);
                assert_eq!(actual.len(), expected.len());
                for (a, e) in actual.iter().zip(&expected) {
                    assert!((a - e).abs() <= tolerance, "{dtype:?}, {smoothing:?}, {reduction:?}: {a} is not {e}");
                }
            }
        }
    }
}

#[test]
fn values_and_gradients_are_those_of_the_cpu() {
    let Some(device) = device() else { return };
    as_on_the_cpu::<f32>(&device, DType::F32, 1e-5);
    as_on_the_cpu::<f16>(&device, DType::F16, 1e-3);
    as_on_the_cpu::<bf16>(&device, DType::BF16, 1e-2);
}

#[test]
fn what_is_refused_on_a_device() {
    let Some(device) = device() else { return };
    let criterion = Criterion::new(CrossEntropy).on_cuda::<f32>(&device, L).unwrap();
    let logits = Tensor::zeros((2, L), DType::F32, &device).unwrap();
    let of = |logits: &Tensor, labels: &[i64]| refused(criterion.losses(logits, &Tensor::new(labels, &Device::Cpu).unwrap()));
    assert_eq!(of(&logits, &[0, 7]).to_string(), "example 1: label 7 is not below the number of classes, 7");
    assert!(matches!(of(&logits, &[0]), Error::UnexpectedShape { .. }));
    assert!(matches!(of(&logits.narrow(1, 0, L - 1).unwrap(), &[0, 1]), Error::UnexpectedShape { .. }));
    assert!(matches!(of(&Tensor::zeros((2, L), DType::F64, &device).unwrap(), &[0, 1]), Error::UnexpectedDType { .. }));
    assert!(matches!(of(&logits.to_device(&Device::Cpu).unwrap(), &[0, 1]), Error::Cuda(_)));
    assert!(of(&Tensor::zeros((0, L), DType::F32, &device).unwrap(), &[]).to_string().starts_with("there is no "));
}
