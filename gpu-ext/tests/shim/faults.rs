//! Bad rows.

use topk_loss::{Error, Key, Smoothing, TopKHinge};
use topk_loss_cuda::{CudaError, check_codes};

use super::batch::Batch;
use super::driver::{Build, Driver};

#[test]
fn bad_rows_have_codes_and_leave_the_others_alone() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let rows = vec![vec![0.5, 2.0, 1.0, -1.0]; 9];
    let mut batch = Batch::<f32>::new(&rows, &[0; 9]);
    batch.labels = vec![0, 4, -1, 99, 1, 2, 3, 0, 1];
    batch.ignored = Some(99);
    batch.scores[4 * 3] = f32::NAN; // of the ignored example: not read
    batch.scores[4 * 4 + 2] = f32::NAN;
    batch.scores[4 * 4 + 3] = f32::NAN;
    batch.scores[4 * 5 + 1] = f32::INFINITY;
    batch.scores[4 * 6..4 * 7].copy_from_slice(&[f32::MAX, f32::MIN, f32::MIN, f32::MIN]);
    batch.weights = Some(vec![1.0, 1.0, 1.0, -7.0, 1.0, 1.0, 1.0, -1.0, 0.5]);
    let loss = TopKHinge::new(2).unwrap();
    let outputs = batch.run(&mut driver, &loss, (2, 32));
    let faults: Vec<_> = (0..9)
        .map(|example| match check_codes(&outputs.codes[example..=example], &batch.labels[example..=example], 4) {
            Err(CudaError::Example { error, .. }) => Some(error),
            other => other.map(|()| None).unwrap(),
        })
        .collect();
    let expected = [
        None,
        Some(Error::Label { label: 4, num_classes: 4 }),
        Some(Error::Label { label: usize::MAX, num_classes: 4 }),
        None,
        Some(Error::NotFinite { what: "scores", index: 2 }),
        Some(Error::NotFinite { what: "scores", index: 1 }),
        Some(Error::Overflow { what: "range of the scores" }),
        Some(Error::Parameter { name: "weight", must: "finite and at least 0" }),
        None,
    ];
    assert_eq!(faults, expected);
    for example in 0..9 {
        let grad = &outputs.grads[4 * example..][..4];
        match example {
            0 => assert_eq!((outputs.values[0], grad), (1.0, [0.0; 4].as_slice())),
            3 => assert_eq!((outputs.values[3], grad), (0.0, [0.0; 4].as_slice())),
            8 => assert_eq!((outputs.values[8], grad), (0.0, [0.0; 4].as_slice())),
            _ => assert!(outputs.values[example].is_nan() && grad == [0.0; 4], "example {example}"),
        }
    }
}

/// Two guesses, and two of four classes masked: the label is ahead by all of the float's range, which the scale leaves.
#[test]
fn a_hinge_that_is_zero_is_zero_however_far_the_masks_are() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let mut batch = Batch::<f32>::new(&[vec![5.0, 1.0, f64::from(f32::MIN), f64::from(f32::MIN)]], &[0]);
    batch.labels = vec![0];
    let (epsilon, num_samples, key) = (1.0, 3, Key::new(1));
    for smoothing in [
        Smoothing::None,
        Smoothing::Exact { epsilon },
        Smoothing::Pathwise { epsilon, num_samples, key },
        Smoothing::Conditional { epsilon, num_samples, key },
    ] {
        let loss = TopKHinge::new(2).unwrap().with_scale(40.0).unwrap().with_smoothing(smoothing).unwrap();
        let outputs = batch.run(&mut driver, &loss, (2, 32));
        assert_eq!(check_codes(&outputs.codes, &batch.labels, 4), Ok(()), "{smoothing:?}");
        assert_eq!((outputs.values[0], &outputs.grads[..]), (0.0, [0.0; 4].as_slice()), "{smoothing:?}");
    }
}
