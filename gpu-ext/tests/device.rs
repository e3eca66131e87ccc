//! On a GPU, against core; elsewhere every test says that it is skipped. With a GPU, or the driver for a processor that `shim/build` makes:
//!
//! ```sh
//! LD_LIBRARY_PATH=$(gpu-ext/shim/build) cargo test -p topk-loss-cuda --test device -- --test-threads 1
//! cargo test --release -p topk-loss-cuda --test device -- --nocapture
//! compute-sanitizer --tool memcheck --error-exitcode 1 "$(ls -t target/release/deps/device-* | grep -v '\.d$' | head -1)"
//! compute-sanitizer --tool racecheck --error-exitcode 1 "$(ls -t target/release/deps/device-* | grep -v '\.d$' | head -1)"
//! ```

#[path = "shim/families.rs"]
mod families;

use std::thread;

use cudarc::driver::{CudaSlice, DevicePtr, DevicePtrMut};
use families::{FAMILIES, Sequence};
use half::{bf16, f16};
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::Gumbel;
use topk_loss::{CrossEntropy, Error, FoldIn, Key, Loss, Margins, Smoothing, TopKHinge};
use topk_loss_cuda::plan::{BatchArguments, Compiled};
use topk_loss_cuda::{CudaError, CudaLoss, Device, DeviceBatch, Reduced, Reduction, Score, check_codes};

/// The first device, or a word that there is none. Any other trouble is a failure.
fn device() -> Option<Device> {
    match Device::new(0) {
        Ok(device) => Some(device),
        Err(CudaError::NoDriver | CudaError::NoDevice { .. }) => {
            println!("skipped: no device");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The largest of these sizes that the device is quick enough for: the driver for a processor shows with small ones what it shows at all.
fn affordable<T>(device: &Device, on_a_gpu: T, on_a_processor: T) -> T {
    if device.name().unwrap() == "the processor" { on_a_processor } else { on_a_gpu }
}

#[test]
fn without_a_device_there_is_an_error_and_no_panic() {
    let error = Device::new(1_000_000).unwrap_err();
    assert!(matches!(error, CudaError::NoDriver | CudaError::NoDevice { .. }), "{error}");
}

/// A batch of all families.
fn rows(num_classes: usize, random: &mut Sequence) -> (Vec<f64>, Vec<i64>) {
    let scores: Vec<_> = FAMILIES.iter().flat_map(|family| family.row(num_classes, random)).collect();
    (scores, FAMILIES.iter().map(|_| random.below(num_classes) as i64).collect())
}

/// The L1 error of gradients and the error of values against core in `f64`, at most `bar` beside the rounding of the scores' type.
fn parity<T: Score>(
    device: &Device,
    make: impl Fn(f64) -> T,
    get: impl Fn(T) -> f64,
    float: impl Fn(T::Float) -> f64,
    loss: &impl Compiled<T::Float>,
    reference: &(impl Loss<f64> + FoldIn),
    (num_classes, bar, rounding): (usize, f64, f64),
) {
    let (scores, labels) = rows(num_classes, &mut Sequence::new(num_classes as u64));
    let scores: Vec<T> = scores.into_iter().map(make).collect();
    let (mut values, mut grads) = (vec![<T::Float as topk_loss::Real>::from_f64(7.0); labels.len()], scores.clone());
    let loss = CudaLoss::<T>::new(device, loss, num_classes).unwrap();
    loss.values_and_grads(&scores, &labels, &mut values, &mut grads).unwrap();
    for (example, (row, grad)) in scores.chunks(num_classes).zip(grads.chunks(num_classes)).enumerate() {
        let row: Vec<f64> = row.iter().map(|&s| get(s)).collect();
        let reference = reference.fold_in(example as u64);
        let (mut expected, mut scratch) = (vec![0.0; num_classes], vec![0.0; reference.scratch_len(num_classes)]);
        let value = reference.value_and_grad(&row, labels[example] as usize, &mut expected, &mut scratch).unwrap();
        let range = row.iter().fold(1.0, |most: f64, s| most.max(s.abs()));
        let case = format!("{}, L = {num_classes}, {:?}", T::SUFFIX, FAMILIES[example]);
        let got = float(values[example]);
        let error = (got - value).abs() / (1.0 + range);
        assert!(error <= bar, "value off by {error:e}, {case}");
        // Whether so small a hinge is above 0 the accuracy leaves open, and with it the gradient.
        if [value, got].iter().any(|&value| value > 0.0 && value <= bar * (1.0 + range)) {
            continue;
        }
        let error: f64 = grad.iter().zip(&expected).map(|(&a, e)| (get(a) - e).abs()).sum();
        assert!(error <= bar + 2.0 * rounding, "gradient off by {error:e}, {case}");
    }
}

#[test]
fn exact_hinge_and_cross_entropies() {
    let Some(device) = device() else { return };
    let sizes = [(2, 1), (7, 6), (100, 5), (1000, 5), (1000, 50), (32_000, 5), (1_000_000, 5)];
    for (num_classes, k) in affordable(&device, &sizes[..], &sizes[..5]).iter().copied() {
        for epsilon in [0.0625, 1.0] {
            let (single, double) = (TopKHinge::smoothed(k, epsilon as f32).unwrap(), TopKHinge::smoothed(k, epsilon).unwrap());
            let f64_of = f64::from;
            parity::<f32>(&device, |x| x as f32, f64_of, f64_of, &single, &double, (num_classes, 1e-5, 0.0));
            parity::<f16>(&device, f16::from_f64, f16::to_f64, f64_of, &single, &double, (num_classes, 1e-5, 1e-3));
            parity::<bf16>(&device, bf16::from_f64, bf16::to_f64, f64_of, &single, &double, (num_classes, 1e-5, 1e-2));
            parity::<f64>(&device, |x| x, |x| x, |x| x, &double, &double, (num_classes, 1e-7, 0.0));
        }
        let (single, double) = (TopKCrossEntropy::new(k, Gumbel, 1.0).unwrap(), TopKCrossEntropy::new(k, Gumbel, 1.0).unwrap());
        parity::<f32>(&device, |x| x as f32, f64::from, f64::from, &single, &double, (num_classes, 1e-5, 0.0));
        parity::<f64>(&device, |x| x, |x| x, |x| x, &double, &double, (num_classes, 1e-7, 0.0));
        parity::<f32>(&device, |x| x as f32, f64::from, f64::from, &CrossEntropy, &CrossEntropy, (num_classes, 1e-5, 0.0));
        parity::<bf16>(&device, bf16::from_f64, bf16::to_f64, f64::from, &CrossEntropy, &CrossEntropy, (num_classes, 1e-5, 1e-2));
        parity::<f64>(&device, |x| x, |x| x, |x| x, &CrossEntropy, &CrossEntropy, (num_classes, 1e-10, 0.0));
    }
}

#[test]
fn hard_and_drawn_hinges_are_those_of_core_in_every_bit() {
    let Some(device) = device() else { return };
    let key = Key::new(3);
    let sizes = [(2, 1), (100, 5), (1000, 5), (32_000, 50)];
    for (num_classes, k) in affordable(&device, &sizes[..], &sizes[..3]).iter().copied() {
        let (scores, labels) = rows(num_classes, &mut Sequence::new(4));
        let scores: Vec<f32> = scores.into_iter().map(|s| s as f32).collect();
        for (smoothing, allowed) in [
            (Smoothing::None, 0.0),
            (Smoothing::Pathwise { epsilon: 0.05, num_samples: 5, key }, 0.0),
            (Smoothing::Pathwise { epsilon: 2.0, num_samples: 5, key }, 0.0),
            // The same draws; the tails are another library's.
            (Smoothing::Conditional { epsilon: 0.5, num_samples: 3, key }, 2e-5),
        ] {
            let loss = TopKHinge::new(k).unwrap().with_scale(2.0).unwrap().with_smoothing(smoothing).unwrap();
            let on_device = CudaLoss::<f32>::new(&device, &loss, num_classes).unwrap();
            let (mut values, mut grads) = (vec![7.0; labels.len()], vec![7.0; scores.len()]);
            on_device.values_and_grads(&scores, &labels, &mut values, &mut grads).unwrap();
            for (example, grad) in grads.chunks(num_classes).enumerate() {
                let loss = loss.fold_in(example as u64);
                let (mut expected, mut scratch) = (vec![0.0; num_classes], vec![0.0; loss.scratch_len(num_classes)]);
                let row = &scores[example * num_classes..][..num_classes];
                let value = loss.value_and_grad(row, labels[example] as usize, &mut expected, &mut scratch).unwrap();
                assert_eq!(values[example].to_bits(), value.to_bits(), "{smoothing:?}, L = {num_classes}, {:?}", FAMILIES[example]);
                let error: f64 = grad.iter().zip(&expected).map(|(&a, &e)| f64::from(a - e).abs()).sum();
                assert!(error <= allowed, "gradient off by {error:e}, {smoothing:?}, L = {num_classes}, {:?}", FAMILIES[example]);
            }
        }
    }
}

#[test]
fn strides_weights_an_ignored_label_and_a_mean() {
    let Some(device) = device() else { return };
    let stream = device.context().default_stream();
    let loss = CudaLoss::<f32>::new(&device, &TopKHinge::new(1).unwrap(), 3).unwrap();
    let scores = stream.clone_htod(&[0.5_f32, 0.0, 0.25, 9.0, f32::NAN, 0.0, 0.0, 9.0, 2.0, 1.0, 0.0]).unwrap();
    let (labels, weights) = ([0_i64, 9, 2], stream.clone_htod(&[1.0_f32, 1.0, 3.0]).unwrap());
    let device_labels = stream.clone_htod(&labels).unwrap();
    let (mut values, mut grads) = (stream.clone_htod(&[7.0_f32; 3]).unwrap(), stream.clone_htod(&[7.0_f32; 13]).unwrap());
    let (mut codes, mut one, mut other) =
        (stream.clone_htod(&[7_u64; 3]).unwrap(), stream.clone_htod(&[7.0_f32]).unwrap(), stream.clone_htod(&[7.0_f32]).unwrap());
    let batch = DeviceBatch {
        scores: scores.as_view(),
        score_stride: 4,
        labels: device_labels.as_view(),
        weights: Some(weights.as_view()),
        ignored_label: Some(9),
        values: values.as_view_mut(),
        grads: Some(grads.as_view_mut()),
        grad_stride: 5,
        codes: codes.as_view_mut(),
        reduced: Some(Reduced { reduction: Reduction::Mean, divisor: one.as_view_mut(), objective: other.as_view_mut() }),
    };
    loss.launch(&stream, batch).unwrap();
    check_codes(&stream.clone_dtoh(&codes).unwrap(), &labels, 3).unwrap();
    assert_eq!(stream.clone_dtoh(&values).unwrap(), [0.75, 0.0, 2.0]);
    assert_eq!(stream.clone_dtoh(&other).unwrap(), [0.5 * 0.75 + 1.5 * 2.0]);
    let expected = [-0.5, 0.0, 0.5, 7.0, 7.0, 0.0, 0.0, 0.0, 7.0, 7.0, 0.0, 1.5, -1.5];
    assert_eq!(stream.clone_dtoh(&grads).unwrap(), expected);
}

#[test]
fn the_first_bad_example_is_named_and_outputs_stay() {
    let Some(device) = device() else { return };
    let loss = CudaLoss::<f32>::new(&device, &CrossEntropy, 3).unwrap();
    let (mut values, mut grads) = ([7.0_f32; 2], [7.0_f32; 6]);
    let error = loss.values_and_grads(&[0.0, 1.0, 2.0, 0.0, f32::NAN, 0.0], &[0, 1], &mut values, &mut grads).unwrap_err();
    assert_eq!(error, CudaError::Example { example: 1, error: Error::NotFinite { what: "scores", index: 1 } });
    assert_eq!((values, grads), ([7.0; 2], [7.0; 6]));
}

/// All losses of a device share a kernel, and with it the limit of its shared memory.
#[test]
fn a_smaller_loss_leaves_a_larger_one_its_shared_memory() {
    let Some(device) = device() else { return };
    let (scores, labels) = rows(1000, &mut Sequence::new(1));
    let scores: Vec<f32> = scores.into_iter().map(|score| score as f32).collect();
    let gradients = |loss: &CudaLoss<f32>| {
        let (mut values, mut grads) = (vec![7.0; labels.len()], vec![7.0; scores.len()]);
        loss.values_and_grads(&scores, &labels, &mut values, &mut grads).map(|()| (values, grads)).unwrap()
    };
    let large = CudaLoss::<f32>::new(&device, &TopKHinge::smoothed(100, 1.0).unwrap(), 1000).unwrap();
    let before = gradients(&large);
    CudaLoss::<f32>::new(&device, &TopKHinge::smoothed(1, 1.0).unwrap(), 100).unwrap();
    assert_eq!(gradients(&large), before);
}

/// A batch of these slices, without gradients.
fn batch<'a>(
    scores: &'a CudaSlice<f32>,
    labels: &'a CudaSlice<i64>,
    values: &'a mut CudaSlice<f32>,
    codes: &'a mut CudaSlice<u64>,
) -> DeviceBatch<'a, f32> {
    let num_classes = scores.len() / labels.len();
    DeviceBatch {
        scores: scores.as_view(),
        score_stride: num_classes,
        labels: labels.as_view(),
        weights: None,
        ignored_label: None,
        values: values.as_view_mut(),
        grads: None,
        grad_stride: num_classes,
        codes: codes.as_view_mut(),
        reduced: None,
    }
}

/// Launches that read the same scores on two streams, the scores dropped at once and their memory taken by something else.
#[test]
fn memory_that_is_dropped_is_freed_after_every_stream_has_read_it() {
    let Some(device) = device() else { return };
    let (streams, home) = ([(); 2].map(|()| device.context().new_stream().unwrap()), device.context().new_stream().unwrap());
    let (num_examples, num_classes) = affordable(&device, (2048, 4096), (4, 64));
    let host: Vec<f32> = (0..num_examples * num_classes).map(|i| (i * 7919 % 10_007) as f32 * 1e-3).collect();
    let labels = home.clone_htod(&vec![3_i64; num_examples]).unwrap();
    let loss = CudaLoss::<f32>::new(&device, &TopKHinge::smoothed(5, 1.0).unwrap(), num_classes).unwrap();
    for round in 0..20 {
        let scores = home.clone_htod(&host).unwrap();
        let mut outputs = streams.each_ref().map(|stream| {
            let values = stream.alloc_zeros::<f32>(num_examples).unwrap();
            (values, stream.alloc_zeros::<u64>(num_examples).unwrap())
        });
        // The first stream has much more to do than the second, whose event takes the first one's place.
        for (turn, stream) in [(0, &streams[0]), (0, &streams[0]), (0, &streams[0]), (1, &streams[1])] {
            let (values, codes) = &mut outputs[turn];
            loss.launch(stream, batch(&scores, &labels, values, codes)).unwrap();
        }
        drop(scores);
        let _other = home.clone_htod(&vec![f32::NAN; host.len()]).unwrap();
        home.synchronize().unwrap();
        let [first, second] = [0, 1].map(|turn| streams[turn].clone_dtoh(&outputs[turn].0).unwrap());
        assert_eq!(first, second, "round {round}");
        assert!(first.iter().all(|value| value.is_finite()), "round {round}");
    }
}

/// Values that are the weights of launches on two streams, and then the values of a third.
#[test]
fn memory_is_written_after_every_stream_has_read_it() {
    let Some(device) = device() else { return };
    let (streams, home) = ([(); 3].map(|()| device.context().new_stream().unwrap()), device.context().new_stream().unwrap());
    let (num_examples, num_classes) = affordable(&device, (2048, 4096), (4, 64));
    let zeros = vec![0.0_f32; num_examples * num_classes];
    let (scores, labels) = (home.clone_htod(&zeros).unwrap(), home.clone_htod(&vec![3_i64; num_examples]).unwrap());
    let loss = CudaLoss::<f32>::new(&device, &TopKHinge::smoothed(5, 1.0).unwrap(), num_classes).unwrap();
    let mut weights = home.clone_htod(&vec![1.0_f32; num_examples]).unwrap();
    let room = || (home.alloc_zeros::<f32>(num_examples).unwrap(), home.alloc_zeros::<u64>(num_examples).unwrap());
    let mut outputs = [(); 2].map(|()| (room(), home.clone_htod(&zeros).unwrap()));
    // Of before the launches: whoever waits for it does not wait for them.
    let (_, mut codes) = room();
    for (turn, stream) in [(0, &streams[0]), (0, &streams[0]), (0, &streams[0]), (1, &streams[1])] {
        let ((values, codes), grads) = &mut outputs[turn];
        let weighted = batch(&scores, &labels, values, codes);
        let weighted = DeviceBatch { weights: Some(weights.as_view()), grads: Some(grads.as_view_mut()), ..weighted };
        loss.launch(stream, weighted).unwrap();
    }
    loss.launch(&streams[2], batch(&scores, &labels, &mut weights, &mut codes)).unwrap();
    streams[2].synchronize().unwrap();
    let [first, second] = outputs.each_ref().map(|(_, grads)| home.clone_dtoh(grads).unwrap());
    assert_eq!(first, second);
    assert_eq!(first[3], -1.0 + 1.0 / num_classes as f32);
}

/// By bare addresses, from a thread that has not met the device: nobody waits for the copy of the margins but the loss itself.
#[test]
fn a_loss_is_ready_on_whichever_stream_and_thread_come_first() {
    let Some(device) = device() else { return };
    let stream = device.context().new_stream().unwrap();
    let margins: Vec<f32> = (0..64).map(|class| class as f32).collect();
    let hinge = TopKHinge::new(1).unwrap();
    let with_margins = hinge.with_margins(Margins::PerClass(&margins)).unwrap();
    let losses = [with_margins, hinge].map(|loss| CudaLoss::<f32>::new(&device, &loss, 64).unwrap());
    let (scores, labels) = (stream.clone_htod(&[0.0_f32; 64]).unwrap(), stream.clone_htod(&[40_i64]).unwrap());
    let (mut values, mut codes) = (stream.alloc_zeros::<f32>(1).unwrap(), stream.alloc_zeros::<u64>(1).unwrap());
    let addresses = BatchArguments {
        scores: scores.device_ptr(&stream).0,
        labels: labels.device_ptr(&stream).0,
        values: values.device_ptr_mut(&stream).0,
        codes: codes.device_ptr_mut(&stream).0,
        ..BatchArguments::default()
    };
    let one_row = BatchArguments { num_rows: 1, num_classes: 64, score_stride: 64, grad_stride: 64, ..addresses };
    for (loss, expected) in losses.iter().zip([40.0, 1.0]) {
        // SAFETY: the slices have these lengths and are the stream's own, which is waited for before they and the loss are dropped.
        let launch = || unsafe { loss.launch_raw(stream.cu_stream(), one_row, None) };
        thread::scope(|threads| threads.spawn(launch).join()).unwrap().unwrap();
        assert_eq!(stream.clone_dtoh(&values).unwrap(), [expected]);
        assert_eq!(stream.clone_dtoh(&codes).unwrap(), [0]);
    }
}
