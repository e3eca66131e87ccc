//! Batches of any view, any number of threads, whole and half floats: the bits of the core, example by example.
#![no_main]

use faer::{Mat, MatMut, MatRef};
use half::{bf16, f16};
use topk_loss::{Error, FoldIn, Loss, Result};
use topk_loss_batch::{BatchError, BatchLoss, Elementary, Gradients, Rows, RowsMut, Scores, Targets, Threads, values, values_and_grads};
use topk_loss_fuzz::promises::{assert_same, scratch};
use topk_loss_fuzz::{Float, Input};

/// What the loss itself makes of every example.
fn by_core<F: Float>(loss: &(impl Loss<F> + FoldIn), rows: &[Vec<F>], labels: &[usize], first: u64) -> Vec<Result<(F, Vec<F>)>> {
    let example = |(row, (scores, &label)): (u64, (&Vec<F>, &usize))| {
        let loss = loss.fold_in(first.wrapping_add(row));
        let (mut grad, mut scratch) = (vec![F::nan(); scores.len()], scratch(loss.scratch_len(scores.len())));
        let value = loss.value_and_grad(scores, label, &mut grad, &mut scratch)?;
        Ok((value, grad))
    };
    (0..).zip(rows.iter().zip(labels)).map(example).collect()
}

fn is_beyond_the_float(error: BatchError) -> bool {
    let (BatchError::Example { error, .. } | BatchError::Loss(error)) = error else { return matches!(error, BatchError::Overflow { .. }) };
    matches!(error, Error::Overflow { .. } | Error::Accuracy { .. })
}

/// One view: `grads` lends the gradients that are written, `read` gets them back row by row.
fn agrees<F: Float, G>(
    loss: &impl BatchLoss<F>,
    scores: &impl Scores<F>,
    targets: &Targets<'_, F>,
    expected: &[Result<(F, Vec<F>)>],
    (mut grads, read): (G, impl Fn(&G) -> Vec<Vec<F>>),
    call: impl Fn(&mut G, &mut [F]) -> core::result::Result<(), BatchError>,
) {
    let mut with_grads = vec![F::nan(); expected.len()];
    let outcome = call(&mut grads, &mut with_grads);
    let mut alone = vec![F::nan(); expected.len()];
    let without = values(loss, scores, targets, &mut alone, Threads::new(2));
    if expected.iter().all(Result::is_ok) {
        outcome.expect("every example is right");
        without.expect("every example is right");
        let (values, expected_grads): (Vec<F>, Vec<Vec<F>>) = expected.iter().flatten().cloned().unzip();
        assert_same("values with gradients", &with_grads, &values);
        assert_same("values", &alone, &values);
        for (actual, expected) in read(&grads).iter().zip(&expected_grads) {
            assert_same("gradient", actual, expected);
        }
    } else {
        let error = outcome.expect_err("an example is wrong");
        assert!(without.is_err() || is_beyond_the_float(error), "{error:?} with gradients only");
    }
}

fn whole<F: Float + Elementary>(input: &Input) {
    let (scores, batch): (Vec<F>, usize) = (input.scores(), usize::from(input.dice[2] >> 5) + 1);
    let (len, first) = (scores.len(), input.seed.rotate_left(7));
    let Ok(loss) = input.config::<F>(len).build() else { return };
    let rows: Vec<Vec<F>> = (0..batch).map(|row| (0..len).map(|class| scores[(class * (row % 3 + 1) + row) % len]).collect()).collect();
    let labels: Vec<usize> = (0..batch).map(|row| input.label.label(len).wrapping_add(row * usize::from(row % 2 == 1))).collect();
    let expected = by_core(&loss, &rows, &labels, first);
    let targets = Targets::new(&labels).from_example(first);
    let threads = Threads::new(usize::from(input.dice[1] >> 4) % 4);
    let gap = usize::from(input.dice[1] >> 6);
    let stride = len + gap;
    let flat: Vec<F> = rows.iter().flat_map(|row| row.iter().copied().chain(core::iter::repeat_n(F::nan(), gap))).collect();
    if input.num_samples & 1 == 0 {
        // A class may be refused only as the library says.
        let Ok(view) = Rows::strided(&flat, len, stride) else { return assert!(len == 0 || flat.is_empty()) };
        let read = |grads: &Vec<F>| grads.chunks(stride).map(|row| row[..len].to_vec()).collect();
        agrees(&loss, &view, &targets, &expected, (vec![F::nan(); flat.len()], read), |grads, values| {
            values_and_grads(&loss, view, &targets, values, RowsMut::strided(grads, len, stride)?, threads)
        });
    } else {
        // Columns, from the first to the last or the other way, and classes likewise.
        let (is_reversed, is_upside_down) = (input.num_samples & 2 != 0, input.num_samples & 4 != 0);
        let place = |i: usize, of: usize, is_turned: bool| if is_turned { of - 1 - i } else { i };
        let mat = Mat::from_fn(len, batch, |class, row| rows[place(row, batch, is_reversed)][place(class, len, is_upside_down)]);
        let view = turned(mat.as_ref(), is_reversed, is_upside_down);
        let read = |grads: &Mat<F>| {
            let view = turned(grads.as_ref(), is_reversed, is_upside_down);
            (0..batch).map(|row| (0..len).map(|class| view[(class, row)]).collect()).collect()
        };
        agrees(&loss, &view, &targets, &expected, (Mat::from_fn(len, batch, |_, _| F::nan()), read), |grads, values| {
            let grads = turned_mut(grads.as_mut(), is_reversed, is_upside_down);
            values_and_grads(&loss, view, &targets, values, grads, threads)
        });
    }
}

fn turned<'a, F>(mut view: MatRef<'a, F>, is_reversed: bool, is_upside_down: bool) -> MatRef<'a, F> {
    if is_reversed {
        view = view.reverse_cols();
    }
    if is_upside_down { view.reverse_rows() } else { view }
}

fn turned_mut<'a, F>(mut view: MatMut<'a, F>, is_reversed: bool, is_upside_down: bool) -> MatMut<'a, F> {
    if is_reversed {
        view = view.reverse_cols_mut();
    }
    if is_upside_down { view.reverse_rows_mut() } else { view }
}

/// A float of half precision.
trait Half: Copy + Sync + Send + 'static {
    const ZERO: Self;
    fn narrow(x: f32) -> Self;
    fn widen(self) -> f32;
    fn call<L: BatchLoss<f32>>(
        loss: &L,
        scores: Rows<'_, Self>,
        targets: &Targets<'_, f32>,
        values: &mut [f32],
        grads: RowsMut<'_, Self>,
        threads: Threads,
    ) -> core::result::Result<(), BatchError>
    where
        for<'a> Rows<'a, Self>: Scores<f32>,
        for<'a> RowsMut<'a, Self>: Gradients<f32>,
    {
        values_and_grads(loss, scores, targets, values, grads, threads)
    }
}

macro_rules! half {
    ($($half:ident),+) => {$(
        impl Half for $half {
            const ZERO: Self = $half::ZERO;
            fn narrow(x: f32) -> Self {
                Self::from_f32(x)
            }
            fn widen(self) -> f32 {
                self.to_f32()
            }
        }
    )+};
}

half!(f16, bf16);

fn halved<H: Half>(input: &Input)
where
    for<'a> Rows<'a, H>: Scores<f32>,
    for<'a> RowsMut<'a, H>: Gradients<f32>,
{
    let scores: Vec<H> = input.scores::<f32>().into_iter().map(H::narrow).collect();
    let (len, label) = (scores.len(), input.label.label(scores.len()));
    let Ok(loss) = input.config::<f32>(len).build() else { return };
    let row: Vec<f32> = scores.iter().map(|score| score.widen()).collect();
    let expected = by_core(&loss, core::slice::from_ref(&row), &[label], 0);
    let (mut values, mut grads) = ([f32::NAN], vec![H::ZERO; len]);
    let (Ok(view), Ok(into)) = (Rows::new(&scores, len), RowsMut::new(&mut grads, len)) else { return };
    let outcome = H::call(&loss, view, &Targets::new(&[label]), &mut values, into, Threads::ONE);
    match (outcome, &expected[0]) {
        (Ok(()), Ok((value, grad))) => {
            let grad: Vec<f32> = grad.iter().map(|&entry| H::narrow(entry).widen()).collect();
            assert_same("value of halves", &values, &[*value]);
            assert_same("gradient of halves", &grads.iter().map(|entry| entry.widen()).collect::<Vec<_>>(), &grad);
        }
        (Err(error), Ok(_)) => assert!(is_beyond_the_float(error), "{error:?}"),
        (outcome, Err(error)) => assert!(outcome.is_err(), "halves go where {error:?}"),
    }
}

libfuzzer_sys::fuzz_target!(|input: Input| {
    match input.dice[3] % 4 {
        0 => halved::<f16>(&input),
        1 => halved::<bf16>(&input),
        2 => whole::<f32>(&input),
        _ => whole::<f64>(&input),
    }
});
