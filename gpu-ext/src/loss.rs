//! A loss on a CUDA device: its kernel loaded and its margins copied, ready for any number of batches.

use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaFunction, CudaSlice};
use topk_loss::FoldIn;

use crate::plan::{Compiled, Module, Plan};
use crate::{Device, Float, Result, Score};

/// A loss of scores of type `T` with its kernel loaded and its margins on the device, for any number of examples.
///
/// [`values_and_grads`](Self::values_and_grads) takes host slices, [`launch`](Self::launch) device memory that the caller owns, and
/// [`launch_raw`](Self::launch_raw) bare addresses, for the memory of an engine.
///
/// A smoothing that draws makes the draws of the CPU: those of core for `loss.fold_in(example)`, in the float that is computed in. Give
/// every step its own noise by [`fold_in`](FoldIn::fold_in).
///
/// **Accuracy.** Hard and pathwise hinges are those of core in the float, bit for bit. The exact form's gradient is within 1e−5 (L1, times
/// the scale) of core's in `f64`, and that of the top-K cross-entropy within 1e−5/ε; `f16` and `bf16` gradients are rounded once more.
///
/// ```no_run
/// use topk_loss::{FoldIn, Key, Margins, Smoothing, TopKHinge};
/// use topk_loss_cuda::{CudaLoss, Device};
/// let device = Device::new(0)?;
/// let loss = TopKHinge::new(1)?;
/// let loss = CudaLoss::<f32>::new(&device, &loss, 3)?;
/// let (mut values, mut grads) = ([0.0; 2], [0.0; 6]);
/// loss.values_and_grads(&[0.5, 0.0, 0.25, 2.0, 1.0, 0.0], &[0, 2], &mut values, &mut grads)?;
/// assert_eq!(values, [0.75, 2.0]);
/// assert_eq!(grads, [-1.0, 0.0, 1.0, 0.0, 1.0, -1.0]);
/// # Ok::<(), topk_loss_cuda::CudaError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CudaLoss<T: Score> {
    pub(crate) context: Arc<CudaContext>,
    pub(crate) plan: Plan,
    pub(crate) function: CudaFunction,
    pub(crate) divisor: CudaFunction,
    pub(crate) objective: CudaFunction,
    pub(crate) margins: Option<Arc<CudaSlice<T::Float>>>,
    num_classes: usize,
}

impl<T: Score> CudaLoss<T> {
    /// The loss on a device, for rows of `num_classes` scores. Margins, where every class has its own, are copied to the device once.
    ///
    /// **Cost.** Loads the kernel, which the driver may compile first, unless another loss has loaded it; one copy of the margins. Make a
    /// loss once, not
    /// in every step. See [`CudaLoss`] for an example.
    ///
    /// # Errors
    /// Those of [`Plan::new`]; a driver that is too old for the kernels; no memory for the margins.
    pub fn new(device: &Device, loss: &impl Compiled<T::Float>, num_classes: usize) -> Result<Self> {
        let plan = Plan::new::<T>(loss, 1, num_classes)?;
        let function = device.function(plan.module, &plan.entry)?;
        let small = |name| device.function(Module::Reduction, &format!("{name}_{}", <T::Float as Float>::SUFFIX));
        let margins = match loss.margins() {
            None => None,
            Some(margins) => {
                let stream = device.context().default_stream();
                let margins = stream.clone_htod(margins)?;
                // Other streams may launch next.
                stream.synchronize()?;
                Some(Arc::new(margins))
            }
        };
        let (divisor, objective) = (small("divisor")?, small("objective")?);
        Ok(Self { context: device.context().clone(), plan, function, divisor, objective, margins, num_classes })
    }

    /// The number of classes: of scores in a row.
    ///
    /// ```no_run
    /// use topk_loss::CrossEntropy;
    /// use topk_loss_cuda::{CudaLoss, Device};
    /// let loss = CudaLoss::<f32>::new(&Device::new(0)?, &CrossEntropy, 1000)?;
    /// assert_eq!(loss.num_classes(), 1000);
    /// # Ok::<(), topk_loss_cuda::CudaError>(())
    /// ```
    #[must_use]
    pub const fn num_classes(&self) -> usize {
        self.num_classes
    }
}

impl<T: Score> FoldIn for CudaLoss<T> {
    fn fold_in(&self, data: u64) -> Self {
        Self { plan: self.plan.fold_in(data), ..self.clone() }
    }
}
