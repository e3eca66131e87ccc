//! What is launched: entry points, grids and arguments, as plain data that needs no device.
//!
//! [`CudaLoss`](crate::CudaLoss) does all of this. A caller with driver bindings of its own (an engine on another version of cudarc,
//! say) can load [`Module::ptx`] and launch a [`Plan`] itself: `entry`, on `blocks` blocks of `threads` threads and `shared_bytes` bytes
//! of dynamic shared memory, with two arguments by value, [`BatchArguments::words`] and [`Plan::parameters`].
//!
//! ```
//! use topk_loss::TopKHinge;
//! use topk_loss_cuda::plan::{Module, Plan};
//! let plan = Plan::new::<f32>(&TopKHinge::smoothed(5, 0.2_f32)?, 64, 1000)?;
//! assert_eq!((plan.module, plan.entry.as_str(), plan.blocks, plan.threads), (Module::Exact, "exact_f32", 64, 64));
//! # Ok::<(), topk_loss_cuda::CudaError>(())
//! ```

mod arguments;
mod described;
mod exact;
mod loss;
mod shared;

pub use arguments::{BatchArguments, reduction_words};
pub use loss::Compiled;

use arguments::HingeArguments;
use exact::ExactArguments;
use shared::Bytes;
use topk_loss::Error;

use crate::{CudaError, Result, Score};

/// A compiled file of kernels: one family of losses, in all types of scores.
///
/// ```
/// use topk_loss_cuda::plan::Module;
/// assert!(Module::Exact.ptx().contains(".entry exact_f32"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Module {
    /// The hard top-K hinge.
    Hinge,
    /// The top-K hinge smoothed by pathwise draws.
    Pathwise,
    /// The top-K hinge smoothed by conditional draws.
    Conditional,
    /// The top-K hinge smoothed exactly.
    Exact,
    /// The cross-entropy.
    CrossEntropy,
    /// The top-K cross-entropy under Gumbel noise.
    TopKCrossEntropy,
    /// The polyhedral top-K hinge.
    PolyhedralHinge,
    /// The cross-entropy with a top-K margin.
    TopKMarginCrossEntropy,
    /// From the losses of a batch to its objective, whatever the loss.
    Reduction,
}

impl Module {
    /// The kernels in PTX, NVIDIA's intermediate language, for compute capability 8.0 and later: the driver compiles them for the device.
    /// See [`Module`] for an example.
    #[must_use]
    pub const fn ptx(self) -> &'static str {
        match self {
            Self::Hinge => include_str!("../ptx/hinge.ptx"),
            Self::Pathwise => include_str!("../ptx/pathwise.ptx"),
            Self::Conditional => include_str!("../ptx/conditional.ptx"),
            Self::Exact => include_str!("../ptx/exact.ptx"),
            Self::CrossEntropy => include_str!("../ptx/cross_entropy.ptx"),
            Self::TopKCrossEntropy => include_str!("../ptx/top_k_cross_entropy.ptx"),
            Self::PolyhedralHinge => include_str!("../ptx/polyhedral_hinge.ptx"),
            Self::TopKMarginCrossEntropy => include_str!("../ptx/top_k_margin_cross_entropy.ptx"),
            Self::Reduction => include_str!("../ptx/reduction.ptx"),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Hinge => "hinge",
            Self::Pathwise => "pathwise",
            Self::Conditional => "conditional",
            Self::Exact => "exact",
            Self::CrossEntropy => "cross_entropy",
            Self::TopKCrossEntropy => "top_k_cross_entropy",
            Self::PolyhedralHinge => "polyhedral_hinge",
            Self::TopKMarginCrossEntropy => "top_k_margin_cross_entropy",
            Self::Reduction => "reduction",
        }
    }
}

/// The most draws that a smoothing may average on a device; more are an error of [`Plan::new`].
///
/// ```
/// assert_eq!(topk_loss_cuda::plan::MAX_SAMPLES, 1024);
/// ```
pub const MAX_SAMPLES: usize = 1024;

/// The most bytes of shared memory that a block may ask for on every device of compute capability 8.0 and later.
///
/// ```
/// assert_eq!(topk_loss_cuda::plan::MAX_SHARED_BYTES, 101_376);
/// ```
pub const MAX_SHARED_BYTES: u32 = 99 * 1024;

/// The kernels' bound on the threads of a block.
const MAX_THREADS: usize = 512;

/// Scores that are worth a thread.
const SCORES_A_THREAD: usize = 16;

/// The launch of one loss on batches of one shape: which kernel, on how many blocks and threads.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_cuda::plan::{Module, Plan};
/// let plan = Plan::new::<half::bf16>(&CrossEntropy, 64, 1000)?;
/// assert_eq!((plan.module, plan.entry.as_str(), plan.blocks, plan.threads), (Module::CrossEntropy, "cross_entropy_bf16", 64, 64));
/// # Ok::<(), topk_loss_cuda::CudaError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The compiled file that the kernel is in.
    pub module: Module,
    /// The kernel's name in that file.
    pub entry: String,
    /// Number of blocks; each takes one row after another.
    pub blocks: u32,
    /// Threads of a block, a multiple of 32, at most 512.
    pub threads: u32,
    /// Dynamic shared memory of a block, in bytes.
    pub shared_bytes: u32,
    work: Work,
}

/// What a kernel is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Work {
    CrossEntropy,
    Hinge(HingeArguments),
    Exact(ExactArguments),
}

impl Plan {
    /// The plan for batches of `num_rows` examples and `num_classes` classes.
    ///
    /// The type of scores is the parameter `T`; the loss's numbers are of the float that is computed in.
    ///
    /// **Cost.** A few numbers; no device is asked.
    ///
    /// ```
    /// use topk_loss::{Error, TopKHinge};
    /// use topk_loss_cuda::CudaError;
    /// use topk_loss_cuda::plan::Plan;
    /// let loss = TopKHinge::<f32>::new(5)?;
    /// assert_eq!(Plan::new::<half::f16>(&loss, 64, 1000)?.entry, "hinge_f16");
    /// assert_eq!(Plan::new::<half::f16>(&loss, 64, 5), Err(CudaError::Loss(Error::K { k: 5, max: 4 })));
    /// # Ok::<(), CudaError>(())
    /// ```
    ///
    /// # Errors
    /// What the loss refuses in every example: K ≥ L, margins that are not L, fewer than two classes; more than [`MAX_SAMPLES`] draws; no
    /// example; so large a K (or L − K) that the exact form's lists do not fit into shared memory, which [`CudaError::Parameter`] says.
    pub fn new<T: Score>(loss: &impl Compiled<T::Float>, num_rows: usize, num_classes: usize) -> Result<Self> {
        // Positions within a row are 32-bit, and a block goes beyond the end of a row by at most its own width.
        const MAX_CLASSES: usize = 1 << 30;
        if num_rows == 0 {
            return Err(CudaError::Parameter { name: "batch", must: "of at least one example" });
        }
        if num_classes < 2 {
            return Err(Error::Length { what: "scores", expected: 2, actual: num_classes }.into());
        }
        if num_classes > MAX_CLASSES {
            return Err(CudaError::Parameter { name: "number of classes", must: "at most 2^30" });
        }
        let (module, work) = loss.work(num_classes)?;
        let threads = (num_classes / SCORES_A_THREAD).next_power_of_two().clamp(32, MAX_THREADS) as u32;
        let blocks = u32::try_from(num_rows).unwrap_or(u32::MAX).min(1 << 30);
        let entry = format!("{}_{}", module.name(), T::SUFFIX);
        let plan = Self { module, entry, blocks, threads, shared_bytes: 0, work };
        plan.with_threads::<T>(threads)
    }

    /// The same with another number of threads in a block.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss_cuda::plan::Plan;
    /// let plan = Plan::new::<f32>(&CrossEntropy, 64, 1000)?;
    /// assert_eq!(plan.clone().with_threads::<f32>(128)?.threads, 128);
    /// assert!(plan.with_threads::<f32>(100).is_err());
    /// # Ok::<(), topk_loss_cuda::CudaError>(())
    /// ```
    ///
    /// # Errors
    /// A number that is not a multiple of 32 from 32 to 512; too little shared memory, as in [`new`](Self::new).
    pub fn with_threads<T: Score>(self, threads: u32) -> Result<Self> {
        if threads == 0 || !threads.is_multiple_of(32) || threads as usize > MAX_THREADS {
            return Err(CudaError::Parameter { name: "threads", must: "a multiple of 32, at most 512" });
        }
        let bytes = Bytes::new(size_of::<T::Float>(), threads);
        let shared_bytes = match self.work {
            Work::CrossEntropy => bytes,
            Work::Hinge(_) if matches!(self.module, Module::PolyhedralHinge | Module::TopKMarginCrossEntropy) => bytes,
            Work::Exact(exact) => exact.bytes(bytes),
            Work::Hinge(HingeArguments { list_capacity, num_samples, .. }) => {
                let bytes = bytes.selection(list_capacity);
                match self.module {
                    Module::Pathwise => bytes.selection(list_capacity).floats(list_capacity).integers(num_samples),
                    Module::Conditional => bytes.selection(list_capacity).floats(list_capacity).floats(3 * num_samples),
                    _ => bytes,
                }
            }
        }
        .total();
        if shared_bytes > MAX_SHARED_BYTES {
            return Err(CudaError::Parameter { name: "k", must: "small enough for the lists to fit into shared memory" });
        }
        Ok(Self { threads, shared_bytes, ..self })
    }

    /// The same under a key into which `data` is folded, if the loss draws.
    #[must_use]
    pub(crate) fn fold_in(&self, data: u64) -> Self {
        let mut plan = self.clone();
        if let Work::Hinge(hinge) = &mut plan.work {
            hinge.key = hinge.key.map(|key| key.fold_in(data));
        }
        plan
    }

    /// The kernel's second argument: the loss as words. `margins` is the device address of the margins, one a class, or 0 where all are the
    /// same.
    ///
    /// ```
    /// use topk_loss::TopKHinge;
    /// use topk_loss_cuda::plan::Plan;
    /// let plan = Plan::new::<f32>(&TopKHinge::new(5)?, 64, 1000)?;
    /// let words = plan.parameters(0);
    /// assert_eq!((words[0], f64::from_bits(words[1]), words[4]), (0, 1.0, 6)); // no margins, a margin of 1, the sixth largest score
    /// # Ok::<(), topk_loss_cuda::CudaError>(())
    /// ```
    #[must_use]
    pub fn parameters(&self, margins: u64) -> Vec<u64> {
        match self.work {
            Work::CrossEntropy => vec![0],
            Work::Hinge(hinge) => hinge.words(margins),
            Work::Exact(exact) => exact.words(margins),
        }
    }
}

/// Room for the classes that reach the threshold of a selection: some times as many as are wanted. What does not fit takes longer.
fn list_capacity(k: usize) -> usize {
    (4 * (k + 2)).clamp(64, 1024)
}
