//! Launches through the C interface: on a GPU, or on the driver for a processor that `gpu-ext/shim/build` makes; aloud skipped without either.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;

use topk_loss::config::BaseConfig;
use topk_loss::{FoldIn, Key, Loss, Smoothing};
use topk_loss_c::batch::{TopkBatch, TopkFloat};
use topk_loss_c::batch_loss::{TopkBatchLoss, topk_batch_loss_free, topk_batch_loss_from_json};
use topk_loss_c::cuda::{TopkCudaLoss, topk_cuda_check, topk_cuda_loss_free, topk_cuda_loss_new, topk_cuda_values};
use topk_loss_c::{TopkError, TopkStatus};
use topk_loss_cuda::{CudaError, Device};

const PATHWISE: &str =
    r#"{"loss": {"top_k_hinge": {"k": 1, "smoothing": {"pathwise": {"epsilon": 0.5, "num_samples": 3, "key": [0, 7]}}}}}"#;

fn loss_of(json: &str) -> *mut TopkBatchLoss {
    let (json, mut loss) = (CString::new(json).unwrap(), ptr::null_mut());
    // SAFETY: text that ends in a zero, and a place of this function.
    assert_eq!(unsafe { topk_batch_loss_from_json(json.as_ptr(), &mut loss, ptr::null_mut()) }, TopkStatus::Ok);
    loss
}

/// The loss on a device, or the status and the error's text.
fn on_device(json: &str, device: u32, num_classes: usize) -> Result<*mut TopkCudaLoss, (TopkStatus, String)> {
    let before = ptr::dangling_mut();
    let (loss, mut cuda_loss, mut error) = (loss_of(json), before, MaybeUninit::<TopkError>::uninit());
    let float = TopkFloat::F32 as u32;
    // SAFETY: places of this function; every call writes the error.
    unsafe {
        let status = topk_cuda_loss_new(loss, device, float, num_classes, &mut cuda_loss, error.as_mut_ptr());
        topk_batch_loss_free(loss);
        let message = error.assume_init().message;
        let message = message.iter().take_while(|&&byte| byte != 0).map(|&byte| char::from(byte as u8)).collect();
        if status == TopkStatus::Ok {
            return Ok(cuda_loss);
        }
        assert_eq!(cuda_loss, before, "after an error it is as it was");
        Err((status, message))
    }
}

#[test]
fn without_a_device_there_is_a_status() {
    let (status, message) = on_device(PATHWISE, 1_000_000, 3).unwrap_err();
    assert_eq!(status, TopkStatus::NoDevice, "{message}");
    // SAFETY: NULL is none.
    unsafe { topk_cuda_loss_free(ptr::null_mut()) };
}

#[test]
fn a_batch_on_the_device_is_that_of_core() {
    let device = match Device::new(0) {
        Ok(device) => device,
        Err(error @ (CudaError::NoDriver | CudaError::NoDevice { .. })) => return println!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let (status, message) = on_device(r#"{"loss": {"focal": {"gamma": 2.0}}}"#, 0, 3).unwrap_err();
    assert_eq!((status, message.as_str()), (TopkStatus::BatchParameter, "loss must be one that kernels are compiled for"));
    assert_eq!(on_device(PATHWISE, 0, 1).unwrap_err().0, TopkStatus::Length);

    let loss = on_device(PATHWISE, 0, 3).unwrap();
    let stream = device.context().new_stream().unwrap();
    // The second row is ignored, the fourth has no such label.
    let scores = [0.5_f32, 0.0, 0.25, f32::NAN, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    let labels = [0_i64, -100, 2, 5];
    let values = stream.clone_htod(&[7.0_f32; 4]).unwrap().leak();
    let grads = stream.clone_htod(&[7.0_f32; 12]).unwrap().leak();
    let codes = stream.clone_htod(&[7_u64; 4]).unwrap().leak();
    let batch = TopkBatch {
        num_examples: 4,
        num_classes: 3,
        scores: stream.clone_htod(&scores).unwrap().leak() as *const _,
        scores_stride: 0,
        scores_float: TopkFloat::F32 as u32,
        ignores: 1,
        ignored_label: -100,
        labels: stream.clone_htod(&labels).unwrap().leak() as *const _,
        step: 9,
        first_example: 0,
        threads: 0,
        values: values as *mut _,
        grads: grads as *mut _,
        grads_stride: 0,
        weights: ptr::null(),
    };
    let launch = |batch: &TopkBatch| {
        // SAFETY: memory of these sizes on the device, which is not freed.
        unsafe { topk_cuda_values(loss, batch, codes as *mut _, stream.cu_stream().cast(), ptr::null_mut()) }
    };
    assert_eq!(launch(&batch), TopkStatus::Ok);
    // SAFETY: as long as they were made.
    let (values, grads, codes) =
        unsafe { (stream.upgrade_device_ptr(values, 4), stream.upgrade_device_ptr(grads, 12), stream.upgrade_device_ptr::<u64>(codes, 4)) };
    let (values, grads, codes) = (stream.clone_dtoh(&values), stream.clone_dtoh(&grads), stream.clone_dtoh(&codes));
    let (values, grads, codes): (Vec<f32>, Vec<f32>, _) = (values.unwrap(), grads.unwrap(), codes.unwrap());

    let (smoothing, margins) = (Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(7) }, Default::default());
    let core = BaseConfig::<f32, Vec<f32>>::TopKHinge { k: 1, margins, scale: 1.0, smoothing, tolerance: None }.build().unwrap().fold_in(9);
    for (row, label) in [(0, 0), (2, 2)] {
        let (mut grad, mut scratch) = ([0.0; 3], vec![0.0; core.scratch_len(3)]);
        let value = core.fold_in(row as u64).value_and_grad(&scores[3 * row..][..3], label, &mut grad, &mut scratch).unwrap();
        assert_eq!((values[row], &grads[3 * row..][..3]), (value, &grad[..]));
    }
    assert_eq!((values[1], &grads[3..6]), (0.0, &[0.0; 3][..]));
    assert!(values[3].is_nan());
    assert_eq!(&grads[9..], [0.0; 3]);

    let mut error = MaybeUninit::<TopkError>::uninit();
    // SAFETY: lists of these lengths; every call writes the error.
    let (status, error) = unsafe { (topk_cuda_check(codes.as_ptr(), labels.as_ptr(), 4, 3, error.as_mut_ptr()), error.assume_init()) };
    assert_eq!((status, error.example), (TopkStatus::Label, 3));

    assert_eq!(launch(&TopkBatch { values: ptr::null_mut(), ..batch }), TopkStatus::Null);
    assert_eq!(launch(&TopkBatch { first_example: 1, ..batch }), TopkStatus::BatchParameter);
    assert_eq!(launch(&TopkBatch { scores_stride: 2, ..batch }), TopkStatus::BatchLength);
    assert_eq!(launch(&TopkBatch { scores_float: 1, ..batch }), TopkStatus::WrongLoss);
    assert_eq!(launch(&TopkBatch { num_examples: 0, ..batch }), TopkStatus::Empty);
    // SAFETY: made above, and freed once.
    unsafe { topk_cuda_loss_free(loss) };
}
