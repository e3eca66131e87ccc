//! Whoever's memory the scores are in, whatever integers the labels are: the same bits.

use faer::{Mat, MatRef};
use half::{bf16, f16};
use nalgebra::DMatrix;
use ndarray::{Array2, ArrayView2, Axis};
use proptest::prelude::*;
use topk_loss::{Key, Smoothing, TopKHinge};
use topk_loss_batch::{
    BatchError, BatchLoss, Gradients, Labels, Reduction, Rows, RowsMut, Scores, Targets, Threads, objective, objective_and_grads, values,
};

#[derive(Debug, Clone)]
struct Batch {
    num_classes: usize,
    /// One example after the other.
    scores: Vec<f32>,
    labels: Vec<u8>,
    seed: u64,
}

impl Batch {
    fn loss(&self) -> TopKHinge<f32> {
        let smoothing = Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(self.seed) };
        TopKHinge::new(2).unwrap().with_smoothing(smoothing).unwrap()
    }

    fn num_examples(&self) -> usize {
        self.labels.len()
    }

    fn rows(&self) -> Rows<'_, f32> {
        Rows::new(&self.scores, self.num_classes).unwrap()
    }

    /// Objective and gradient by rows of a slice.
    fn expected(&self, threads: usize) -> (f32, Vec<f32>) {
        let mut grads = vec![f32::NAN; self.scores.len()];
        let into = RowsMut::new(&mut grads, self.num_classes).unwrap();
        (self.step(self.rows(), into, threads), grads)
    }

    fn step(&self, scores: impl Scores<f32>, grads: impl Gradients<f32>, threads: usize) -> f32 {
        let targets = Targets::new(&self.labels).ignoring(0);
        objective_and_grads(&self.loss(), scores, &targets, Reduction::Sum, grads, Threads::new(threads)).unwrap()
    }
}

fn batches() -> impl Strategy<Value = Batch> {
    (3..40_usize, 1..90_usize, any::<u64>()).prop_flat_map(|(num_classes, num_examples, seed)| {
        let scores = prop::collection::vec(-3.0..3.0_f32, num_classes * num_examples);
        let labels = prop::collection::vec(0..num_classes as u8, num_examples);
        (scores, labels).prop_map(move |(scores, labels)| Batch { num_classes, scores, labels, seed })
    })
}

proptest! {
    #[test]
    fn every_view_has_the_same_bits(batch in batches(), gap in 0..3_usize) {
        let (num_classes, num_examples) = (batch.num_classes, batch.num_examples());
        let expected = batch.expected(1);
        for threads in [1, 2, 3] {
            prop_assert_eq!(&batch.expected(threads), &expected);

            // Rows with something between them, the last one without.
            let stride = num_classes + gap;
            let mut scores = vec![f32::NAN; num_examples * stride - gap];
            for (to, from) in scores.chunks_mut(stride).zip(batch.scores.chunks(num_classes)) {
                to[..num_classes].copy_from_slice(from);
            }
            let mut grads = vec![7.0; num_examples * stride];
            let rows = Rows::strided(&scores, num_classes, stride).unwrap();
            let value = batch.step(rows, RowsMut::strided(&mut grads, num_classes, stride).unwrap(), threads);
            prop_assert_eq!(value, expected.0);
            for (row, expected) in grads.chunks(stride).zip(expected.1.chunks(num_classes)) {
                prop_assert_eq!(&row[..num_classes], expected);
                prop_assert!(row[num_classes..].iter().all(|&gap| gap == 7.0));
            }

            // faer: columns, and the same bytes taken as rows of a transposed matrix.
            let view = MatRef::from_column_major_slice(&batch.scores, num_classes, num_examples);
            let mut grads = Mat::full(num_classes, num_examples, f32::NAN);
            prop_assert_eq!(batch.step(view, grads.as_mut(), threads), expected.0);
            prop_assert_eq!(grads.as_ref(), MatRef::from_column_major_slice(&expected.1, num_classes, num_examples));
            let (rows, mut transposed) = (view.transpose().to_owned(), Mat::full(num_examples, num_classes, f32::NAN));
            prop_assert_eq!(batch.step(rows.transpose(), transposed.as_mut().transpose_mut(), threads), expected.0);
            prop_assert_eq!(transposed.transpose(), grads.as_ref());

            // ndarray: rows, and columns that run backwards.
            let view = ArrayView2::from_shape((num_examples, num_classes), &batch.scores).unwrap();
            let mut grads = Array2::from_elem((num_examples, num_classes), f32::NAN);
            prop_assert_eq!(batch.step(view, grads.view_mut(), threads), expected.0);
            prop_assert_eq!(grads.as_slice().unwrap(), &expected.1[..]);
            let mut reversed = view.to_owned();
            reversed.invert_axis(Axis(1));
            let mut backwards = reversed.as_standard_layout().into_owned();
            backwards.invert_axis(Axis(1));
            let mut into = Array2::from_elem((num_examples, num_classes), f32::NAN);
            into.invert_axis(Axis(1));
            prop_assert_eq!(batch.step(backwards.view(), into.view_mut(), threads), expected.0);
            prop_assert_eq!(into, grads);

            // nalgebra.
            let matrix = DMatrix::from_column_slice(num_classes, num_examples, &batch.scores);
            let mut grads = DMatrix::from_element(num_classes, num_examples, f32::NAN);
            prop_assert_eq!(batch.step(Rows::try_from(&matrix).unwrap(), RowsMut::try_from(&mut grads).unwrap(), threads), expected.0);
            prop_assert_eq!(grads.as_slice(), &expected.1[..]);
        }
    }

    #[test]
    fn half_precision_is_widened_first(batch in batches()) {
        macro_rules! check {
            ($half:ident) => {
                let halves: Vec<_> = batch.scores.iter().map(|&score| $half::from_f32(score)).collect();
                let widened = Batch { scores: halves.iter().map(|half| half.to_f32()).collect(), ..batch.clone() };
                let (value, expected) = widened.expected(1);
                let rounded: Vec<_> = expected.into_iter().map($half::from_f32).collect();
                for threads in [1, 3] {
                    let mut grads = vec![$half::NAN; halves.len()];
                    let (rows, into) = (Rows::new(&halves, batch.num_classes).unwrap(), RowsMut::new(&mut grads, batch.num_classes).unwrap());
                    prop_assert_eq!(batch.step(rows, into, threads), value);
                    prop_assert_eq!(&grads, &rounded);
                }
            };
        }
        check!(f16);
        check!(bf16);
    }

    #[test]
    fn labels_of_any_integer_are_the_same(batch in batches()) {
        macro_rules! check {
            ($($integer:ty),+) => {$(
                let labels: Vec<$integer> = batch.labels.iter().map(|&label| label as $integer).collect();
                let targets = Targets::<f32>::new(&labels).ignoring(<$integer>::default());
                let mut grads = vec![f32::NAN; batch.scores.len()];
                let into = RowsMut::new(&mut grads, batch.num_classes).unwrap();
                let value = objective_and_grads(&batch.loss(), batch.rows(), &targets, Reduction::Sum, into, Threads::ONE).unwrap();
                prop_assert_eq!((value, grads), batch.expected(1));
            )+};
        }
        check!(u8, u16, u32, u64, usize, i16, i32, i64, isize);
    }

    #[test]
    fn the_objective_needs_no_gradient(batch in batches()) {
        let (loss, targets) = (batch.loss(), Targets::new(&batch.labels).ignoring(0));
        let value = objective(&loss, batch.rows(), &targets, Reduction::Sum, Threads::new(2)).unwrap();
        prop_assert_eq!(value, batch.expected(1).0);
    }
}

fn of_labels<'a>(labels: impl Into<Labels<'a>>) -> Result<[f32; 3], BatchError> {
    let (loss, mut losses) = (TopKHinge::new(1).unwrap(), [f32::NAN; 3]);
    values(&loss, Rows::new(&[0.5, 0.0, 0.25, 2.0, 1.0, 0.0], 2)?, &Targets::new(labels).ignoring(-100), &mut losses, Threads::ONE)?;
    Ok(losses)
}

#[test]
fn labels_below_zero_are_ignored_or_refused() {
    assert_eq!(of_labels(&[0_i64, -100, 1]).unwrap()[1], 0.0);
    let error = of_labels(&[0_i64, -1, 1]).unwrap_err();
    assert_eq!(error.to_string(), "example 1: label must be at least 0, or the one that is ignored");
    assert!(of_labels(&[0, u64::MAX, 1]).unwrap_err().to_string().starts_with("example 1: label 18446744073709551615 is not below"));
}

#[test]
fn what_does_not_fit_is_refused() {
    let numbers = [0.5_f32; 6];
    assert_eq!(of_labels(&[0, 1]).unwrap_err(), BatchError::Transposed { num_classes: 2, num_examples: 3 });
    assert!(of_labels(&[0, 1]).unwrap_err().to_string().contains("are the scores transposed?"));
    assert_eq!(Rows::new(&numbers, 4).unwrap_err(), BatchError::Length { what: "slice of rows", expected: 4, actual: 6 });
    assert_eq!(Rows::new(&numbers, 0).unwrap_err(), BatchError::Empty { what: "class" });
    assert!(Rows::strided(&numbers, 3, 2).is_err() && Rows::strided(&numbers, usize::MAX, usize::MAX).is_err());
    let (loss, mut grads) = (TopKHinge::new(1).unwrap(), [f32::NAN; 6]);
    let into = RowsMut::new(&mut grads, 2).unwrap();
    let step = objective_and_grads(&loss, Rows::new(&numbers, 3).unwrap(), &Targets::new(&[0, 1]), Reduction::Mean, into, Threads::ONE);
    assert_eq!(step.unwrap_err().to_string(), "gradients are 2 × 3 where 3 × 2 is needed: transposed?");
    assert!(grads.iter().all(|grad| grad.is_nan()));
}

/// What a view has not, it does not hand out.
#[test]
fn there_is_no_example_behind_the_last() {
    fn none(scores: impl Scores<f32>, mut grads: impl Gradients<f32>) {
        let last = scores.num_examples();
        assert!(scores.example(last, &mut vec![]).is_empty() && scores.example(usize::MAX, &mut vec![]).is_empty());
        for example in [last, usize::MAX] {
            grads.write(example, &mut vec![], |grad| Ok(grad.len())).map(|len| assert_eq!(len, 0)).unwrap();
        }
        let (all, others) = grads.split_at(usize::MAX);
        assert_eq!((all.num_examples(), others.num_examples()), (last, 0));
    }
    let (numbers, mut grads) = ([0.5_f32; 6], [0.0; 6]);
    none(Rows::new(&numbers, 2).unwrap(), RowsMut::new(&mut grads, 2).unwrap());
    none(Rows::strided(&numbers[..5], 2, 3).unwrap(), RowsMut::strided(&mut grads[..5], 2, 3).unwrap());
    none(Rows::new(&[f16::ONE; 6], 2).unwrap(), RowsMut::new(&mut [f16::ONE; 6], 2).unwrap());
    none(MatRef::from_column_major_slice(&numbers, 2, 3), Mat::zeros(2, 3).as_mut());
    none(ArrayView2::from_shape((3, 2), &numbers).unwrap(), Array2::zeros((3, 2)).view_mut());
}

/// A gradient that half precision cannot hold is refused, not infinite.
#[test]
fn a_gradient_beyond_half_precision_is_an_error() {
    let (scores, mut grads) = ([f16::ZERO; 2], [f16::ONE; 2]);
    let loss = TopKHinge::new(1).unwrap().with_scale(1e6).unwrap();
    let into = RowsMut::new(&mut grads, 2).unwrap();
    let step = objective_and_grads(&loss, Rows::new(&scores, 2).unwrap(), &Targets::new(&[0]), Reduction::Sum, into, Threads::ONE);
    assert_eq!(
        step.unwrap_err().to_string(),
        "example 0: gradient is beyond the range of the float: scale the input down or take a wider float"
    );
}

/// A loss that is chosen when the program runs.
#[test]
fn a_loss_behind_dyn_is_the_same() {
    let (loss, mut plain, mut boxed) = (TopKHinge::<f32>::smoothed(1, 0.3).unwrap(), [f32::NAN; 2], [f32::NAN; 2]);
    let dynamic: Box<dyn BatchLoss<f32>> = Box::new(loss);
    let (rows, targets) = (Rows::new(&[0.5, 0.0, 0.25, 2.0, 1.0, 0.0], 3).unwrap(), Targets::new(&[1, 2]));
    values(&loss, rows, &targets, &mut plain, Threads::ONE).unwrap();
    values(&*dynamic, rows, &targets, &mut boxed, Threads::ONE).unwrap();
    assert_eq!(plain, boxed);
}
