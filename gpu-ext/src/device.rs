//! A CUDA device that can run the kernels, and the kernels that are loaded on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::driver::sys::{CUfunction_attribute, CUresult};
use cudarc::driver::{CudaContext, CudaFunction, CudaModule, DriverError};
use cudarc::nvrtc::Ptx;

use crate::plan::{MAX_SHARED_BYTES, Module};
use crate::{CudaError, Result, launch};

/// A device that can run the kernels: compute capability 8.0 (2020) or later, with a driver of CUDA 12.4 (R550) or later.
///
/// Kernels are loaded when a loss first needs them.
///
/// ```
/// use topk_loss_cuda::{CudaError, Device};
/// match Device::new(0) {
///     Ok(device) => println!("{}", device.name()?),
///     Err(CudaError::NoDriver | CudaError::NoDevice { .. }) => println!("no device: train on the CPU"),
///     Err(error) => println!("unusable: {error}"),
/// }
/// # Ok::<(), CudaError>(())
/// ```
#[derive(Debug)]
pub struct Device {
    context: Arc<CudaContext>,
    modules: Mutex<HashMap<Module, Arc<CudaModule>>>,
}

impl Device {
    /// The GPU of this number, counted from 0, in its primary context: the one that engines use too.
    ///
    /// **Cost.** The driver's start, the first time. See [`Device`] for an example.
    ///
    /// # Errors
    /// No driver, no such device, a device that is too old.
    pub fn new(ordinal: usize) -> Result<Self> {
        // Without this, the first call of the driver would panic where there is none.
        if !launch::driver_is_present() {
            return Err(CudaError::NoDriver);
        }
        let context = CudaContext::new(ordinal).map_err(|error| match error.0 {
            CUresult::CUDA_ERROR_NO_DEVICE | CUresult::CUDA_ERROR_INVALID_DEVICE => CudaError::NoDevice { ordinal },
            _ => error.into(),
        })?;
        Self::of(context)
    }

    /// The GPU of a context that you have, as of an engine that is built on `cudarc`.
    ///
    /// ```no_run
    /// use topk_loss_cuda::Device;
    /// let first = Device::new(0)?;
    /// let same = Device::of(first.context().clone())?;
    /// assert_eq!(same.name()?, first.name()?);
    /// # Ok::<(), topk_loss_cuda::CudaError>(())
    /// ```
    ///
    /// # Errors
    /// A device that is too old; what the driver reports.
    pub fn of(context: Arc<CudaContext>) -> Result<Self> {
        let capability = context.compute_capability()?;
        if capability < (8, 0) {
            return Err(CudaError::DeviceTooOld { capability });
        }
        Ok(Self { context, modules: Mutex::default() })
    }

    /// The device's context, for streams and memory.
    ///
    /// ```no_run
    /// let device = topk_loss_cuda::Device::new(0)?;
    /// let scores = device.context().default_stream().clone_htod(&[0.5_f32, 0.0])?;
    /// assert_eq!(scores.len(), 2);
    /// # Ok::<(), topk_loss_cuda::CudaError>(())
    /// ```
    #[must_use]
    pub const fn context(&self) -> &Arc<CudaContext> {
        &self.context
    }

    /// The name that the device's maker gave it. See [`Device`] for an example.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn name(&self) -> Result<String> {
        Ok(self.context.name()?)
    }

    /// A kernel, loaded unless it already is, and allowed the shared memory of any plan: beyond 48 KiB it has to ask. What a plan needs may not
    /// be the limit, since all losses share the kernel.
    pub(crate) fn function(&self, module: Module, entry: &str) -> Result<CudaFunction> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = match modules.get(&module) {
            Some(loaded) => loaded.clone(),
            None => {
                let loaded = self.context.load_module(Ptx::from_src(module.ptx()))?;
                modules.insert(module, loaded.clone());
                loaded
            }
        };
        let function = loaded.load_function(entry)?;
        function.set_attribute(CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, MAX_SHARED_BYTES as i32)?;
        Ok(function)
    }
}

impl From<DriverError> for CudaError {
    fn from(error: DriverError) -> Self {
        match error.0 {
            CUresult::CUDA_ERROR_OUT_OF_MEMORY => Self::OutOfMemory,
            CUresult::CUDA_ERROR_STUB_LIBRARY => Self::NoDriver,
            CUresult::CUDA_ERROR_NO_DEVICE => Self::NoDevice { ordinal: 0 },
            CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => Self::DriverTooOld,
            code => {
                let message = error.error_string().map_or_else(|_| String::new(), |words| words.to_string_lossy().into_owned());
                Self::Driver { code: code as u32, message }
            }
        }
    }
}
