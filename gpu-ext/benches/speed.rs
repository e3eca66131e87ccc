//! Time and bytes per second of the kernels beside a copy on the same GPU, then PyTorch's losses by losses.py, in one run:
//!
//! ```sh
//! cargo bench -p topk-loss-cuda --bench speed
//! ```
//!
//! PyTorch, and pytopk, are those of `python3`, or of `PYTHON`. Without a device or without PyTorch it says so and ends.

use core::error::Error;
use std::process::Command;

use cudarc::driver::sys::CUevent_flags;
use cudarc::driver::{CudaSlice, CudaStream};
use half::bf16;
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::Gumbel;
use topk_loss::{CrossEntropy, Key, Smoothing, TopKHinge};
use topk_loss_cuda::plan::Compiled;
use topk_loss_cuda::{CudaError, CudaLoss, Device, DeviceBatch, Score};

const SHAPES: [(usize, usize); 3] = [(4096, 1000), (1024, 32_000), (64, 1_000_000)];

fn main() -> Result<(), Box<dyn Error>> {
    let device = match Device::new(0) {
        Err(CudaError::NoDriver | CudaError::NoDevice { .. }) => {
            println!("skipped: no device");
            return Ok(());
        }
        other => other?,
    };
    println!(
        "{}; milliseconds are the median of 50 launches, bytes are the scores read once and the gradients written once",
        device.name()?
    );
    for (batch, num_classes) in SHAPES {
        measure_all::<f32>(&device, batch, num_classes, |x| x)?;
        measure_all::<bf16>(&device, batch, num_classes, bf16::from_f32)?;
    }
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/losses.py");
    if !Command::new(python).arg(script).status().is_ok_and(|status| status.success()) {
        println!("skipped: no PyTorch that sees the device");
    }
    Ok(())
}

fn measure_all<T: Score<Float = f32>>(
    device: &Device,
    batch: usize,
    num_classes: usize,
    make: impl Fn(f32) -> T,
) -> Result<(), Box<dyn Error>> {
    let stream = device.context().default_stream();
    // Roughly normal: sums of four uniform numbers.
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    let scores: Vec<T> = (0..batch * num_classes).map(|_| make((uniform() + uniform() + uniform() + uniform()) * 0.866)).collect();
    let labels: Vec<i64> = (0..batch).map(|b| (b * 7919 % num_classes) as i64).collect();
    let (scores, labels) = (stream.clone_htod(&scores)?, stream.clone_htod(&labels)?);
    let mut grads = stream.alloc_zeros::<T>(batch * num_classes)?;
    let bytes = 2.0 * (batch * num_classes * size_of::<T>()) as f64;
    println!("\n{batch} × {num_classes}, {}", T::SUFFIX);
    let copy = median_ms(&stream, || Ok(stream.memcpy_dtod(&scores, &mut grads)?))?;
    report("copy, device to device", copy, bytes, copy);
    let key = Key::new(1);
    for (name, smoothing) in [
        ("hard hinge", Smoothing::None),
        ("exact, ε = 1", Smoothing::Exact { epsilon: 1.0 }),
        ("pathwise, ε = 1, B = 5", Smoothing::Pathwise { epsilon: 1.0, num_samples: 5, key }),
        ("conditional, ε = 1, B = 1", Smoothing::Conditional { epsilon: 1.0, num_samples: 1, key }),
    ] {
        let loss = TopKHinge::new(5)?.with_smoothing(smoothing)?;
        report(name, time(device, &stream, &loss, &scores, &labels, &mut grads, num_classes)?, bytes, copy);
    }
    let top_k = TopKCrossEntropy::new(5, Gumbel, 1.0)?;
    report("top-K cross-entropy", time(device, &stream, &top_k, &scores, &labels, &mut grads, num_classes)?, bytes, copy);
    report("cross-entropy", time(device, &stream, &CrossEntropy, &scores, &labels, &mut grads, num_classes)?, bytes, copy);
    Ok(())
}

fn time<T: Score<Float = f32>>(
    device: &Device,
    stream: &CudaStream,
    loss: &impl Compiled<f32>,
    scores: &CudaSlice<T>,
    labels: &CudaSlice<i64>,
    grads: &mut CudaSlice<T>,
    num_classes: usize,
) -> Result<f32, Box<dyn Error>> {
    let loss = CudaLoss::<T>::new(device, loss, num_classes)?;
    let own = device.context().default_stream();
    let (mut values, mut codes) = (own.alloc_zeros::<f32>(labels.len())?, own.alloc_zeros::<u64>(labels.len())?);
    let ms = median_ms(stream, || {
        let batch = DeviceBatch {
            scores: scores.as_view(),
            score_stride: num_classes,
            labels: labels.as_view(),
            weights: None,
            ignored_label: None,
            values: values.as_view_mut(),
            grads: Some(grads.as_view_mut()),
            grad_stride: num_classes,
            codes: codes.as_view_mut(),
            reduced: None,
        };
        Ok(loss.launch(stream, batch)?)
    })?;
    // Work that failed would be fast.
    let faults = own.clone_dtoh(&codes)?.iter().filter(|&&code| code != 0).count();
    if faults == 0 { Ok(ms) } else { Err(format!("{faults} rows failed").into()) }
}

fn median_ms(stream: &CudaStream, mut work: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f32, Box<dyn Error>> {
    for _ in 0..5 {
        work()?;
    }
    let mut times = Vec::new();
    for _ in 0..50 {
        let start = stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT))?;
        work()?;
        let end = stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT))?;
        times.push(start.elapsed_ms(&end)?);
    }
    times.sort_by(f32::total_cmp);
    Ok(times[times.len() / 2])
}

fn report(name: &str, ms: f32, bytes: f64, copy_ms: f32) {
    let terabytes = bytes / f64::from(ms) / 1e9;
    println!("{name:28} {ms:9.4} ms {terabytes:7.3} TB/s {:6.1} % of the copy", 100.0 * copy_ms / ms);
}
