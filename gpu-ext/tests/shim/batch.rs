//! Batches for the kernels on the processor, and what core says of them.

use half::{bf16, f16};
use topk_loss::{FoldIn, Loss, Real, Result};
use topk_loss_cuda::plan::{BatchArguments, Compiled, Plan};
use topk_loss_cuda::{Float, Score};

use super::driver::{Driver, Request};

/// A number as bytes, and through `f64`.
pub trait Number: Copy {
    fn bytes(self) -> Vec<u8>;
    fn of_bytes(bytes: &[u8]) -> Self;
    fn of_f64(x: f64) -> Self;
    fn to_f64(self) -> f64;
}

macro_rules! number {
    ($type:ty, $of:expr, $to:expr) => {
        impl Number for $type {
            fn bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }
            fn of_bytes(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("as long as the number"))
            }
            fn of_f64(x: f64) -> Self {
                $of(x)
            }
            fn to_f64(self) -> f64 {
                $to(self)
            }
        }
    };
}

number!(f32, |x| x as f32, f64::from);
number!(f64, |x| x, |x| x);
number!(f16, f16::from_f64, f16::to_f64);
number!(bf16, bf16::from_f64, bf16::to_f64);
number!(i64, |x| x as i64, |x| x as f64);
number!(u64, |x| x as u64, |x| x as f64);

pub fn to_bytes<N: Number>(numbers: &[N]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.bytes()).collect()
}

pub fn of_bytes<N: Number>(bytes: &[u8]) -> Vec<N> {
    bytes.chunks(size_of::<N>()).map(N::of_bytes).collect()
}

/// Rows of scores with their labels.
#[derive(Debug, Clone)]
pub struct Batch<T> {
    pub scores: Vec<T>,
    pub num_classes: usize,
    /// From one row of scores or gradients to the next.
    pub stride: usize,
    pub labels: Vec<i64>,
    pub weights: Option<Vec<f64>>,
    pub ignored: Option<i64>,
}

/// What a kernel left.
#[derive(Debug)]
pub struct Outputs<T: Score> {
    pub values: Vec<T::Float>,
    pub grads: Vec<T>,
    pub codes: Vec<u64>,
}

impl<T: Score + Number> Batch<T>
where
    T::Float: Number,
{
    pub fn new(rows: &[Vec<f64>], labels: &[usize]) -> Self {
        let num_classes = rows[0].len();
        let scores = rows.iter().flatten().map(|&s| T::of_f64(s)).collect();
        let labels = labels.iter().map(|&label| label as i64).collect();
        Self { scores, num_classes, stride: num_classes, labels, weights: None, ignored: None }
    }

    /// The same with so many unused places after each row.
    pub fn padded(mut self, padding: usize) -> Self {
        let unused = core::iter::repeat_n(T::of_f64(f64::NAN), padding);
        self.scores = self.scores.chunks(self.stride).flat_map(|row| row.iter().copied().chain(unused.clone())).collect();
        self.stride += padding;
        self
    }

    pub fn row(&self, example: usize) -> &[T] {
        &self.scores[example * self.stride..][..self.num_classes]
    }

    /// Runs the loss's kernel on `blocks` blocks of `threads` threads.
    pub fn run(&self, driver: &mut Driver, loss: &impl Compiled<T::Float>, (blocks, threads): (u32, u32)) -> Outputs<T> {
        let plan = Plan::new::<T>(loss, self.labels.len(), self.num_classes).expect("a plan").with_threads::<T>(threads).expect("it fits");
        let float_bytes = |numbers: &[f64]| to_bytes(&numbers.iter().map(|&x| <T::Float as Number>::of_f64(x)).collect::<Vec<_>>());
        let batch = self.labels.len();
        let mut buffers = vec![
            to_bytes(&self.scores),
            // Whatever a kernel does not write would be seen.
            to_bytes(&vec![T::of_f64(77.0); self.scores.len()]),
            to_bytes(&self.labels),
            float_bytes(&vec![77.0; batch]),
            to_bytes(&vec![77_u64; batch]),
            float_bytes(self.weights.as_deref().unwrap_or(&[])),
            to_bytes(loss.margins().unwrap_or(&[])),
        ];
        let arguments = BatchArguments {
            scores: 1,
            grads: 2,
            labels: 3,
            values: 4,
            codes: 5,
            weights: if self.weights.is_some() { 6 } else { 0 },
            divisor: 0,
            num_rows: batch as u64,
            num_classes: self.num_classes as u64,
            score_stride: self.stride as u64,
            grad_stride: self.stride as u64,
            ignored_label: self.ignored,
        };
        let parameters = plan.parameters(if loss.margins().is_some() { 7 } else { 0 });
        let shared_bytes = plan.shared_bytes;
        let request = Request { entry: &plan.entry, blocks, threads, shared_bytes, batch: &arguments.words(), parameters: &parameters };
        driver.run(&request, &mut buffers);
        let grads: Vec<T> = of_bytes(&buffers[1]);
        for padding in grads.chunks(self.stride).map(|row| &row[self.num_classes..]) {
            assert!(padding.iter().all(|entry| entry.to_f64() == 77.0), "written beyond a row");
        }
        let grads = grads.chunks(self.stride).flat_map(|row| row[..self.num_classes].to_vec()).collect();
        Outputs { values: of_bytes(&buffers[3]), grads, codes: of_bytes(&buffers[4]) }
    }

    /// The value and the gradient of an example by core in `F`, from the very scores that the kernel reads.
    pub fn expected<F: Real + Float>(&self, loss: &(impl Loss<F> + FoldIn), example: usize) -> Result<(F, Vec<F>)> {
        let scores: Vec<F> = self.row(example).iter().map(|s| F::from_f64(s.to_f64())).collect();
        let loss = loss.fold_in(example as u64);
        let (mut grad, mut scratch) = (vec![F::zero(); scores.len()], vec![F::zero(); loss.scratch_len(scores.len())]);
        let value = loss.value_and_grad(&scores, self.labels[example] as usize, &mut grad, &mut scratch)?;
        Ok((value, grad))
    }
}
