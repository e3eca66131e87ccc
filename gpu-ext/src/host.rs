//! A batch in host memory: copied to the device and back, for tests and first steps.

use topk_loss::Error;

use crate::{CudaError, CudaLoss, DeviceBatch, Result, Score, check_codes};

impl<T: Score> CudaLoss<T> {
    /// The loss of every example and its gradient, from and to host memory: copies there, launches, waits, checks and copies back.
    ///
    /// **Shapes.** `scores` and `grads` one row of the loss's number of classes an example, one after the other; one label and value an
    /// example.
    ///
    /// **Cost.** Device memory for all of it, and its way over the bus: for tests and small things.
    ///
    /// **Ties and NaN.** As core: ties go to the lowest index, NaN and infinite scores are errors.
    ///
    /// See [`CudaLoss`] for an example.
    ///
    /// # Errors
    /// Wrong lengths, the first example's fault, no memory, what the driver reports; `values` and `grads` are then as before.
    pub fn values_and_grads(&self, scores: &[T], labels: &[i64], values: &mut [T::Float], grads: &mut [T]) -> Result<()> {
        let classes = self.num_classes();
        let expected = labels.len().checked_mul(classes).ok_or(CudaError::Loss(Error::Overflow { what: "batch" }))?;
        for (what, expected, actual) in
            [("scores", expected, scores.len()), ("grads", expected, grads.len()), ("values", labels.len(), values.len())]
        {
            if expected != actual {
                return Err(CudaError::Length { what, expected, actual });
            }
        }
        if labels.is_empty() {
            return Err(CudaError::Parameter { name: "batch", must: "of at least one example" });
        }
        let stream = self.context.default_stream();
        let (scores, device_labels) = (stream.clone_htod(scores)?, stream.clone_htod(labels)?);
        let mut device_values = stream.alloc_zeros::<T::Float>(labels.len())?;
        let mut device_grads = stream.alloc_zeros::<T>(grads.len())?;
        let mut codes = stream.alloc_zeros::<u64>(labels.len())?;
        let batch = DeviceBatch {
            scores: scores.as_view(),
            score_stride: classes,
            labels: device_labels.as_view(),
            weights: None,
            ignored_label: None,
            values: device_values.as_view_mut(),
            grads: Some(device_grads.as_view_mut()),
            grad_stride: classes,
            codes: codes.as_view_mut(),
            reduced: None,
        };
        self.launch(&stream, batch)?;
        check_codes(&stream.clone_dtoh(&codes)?, labels, classes)?;
        let (new_values, new_grads) = (stream.clone_dtoh(&device_values)?, stream.clone_dtoh(&device_grads)?);
        stream.synchronize()?;
        values.copy_from_slice(&new_values);
        grads.copy_from_slice(&new_grads);
        Ok(())
    }
}
