//! Losses that were described: the kernel of whichever it is.

use topk_loss::config::{AnyLoss, BaseLoss};

use super::{Compiled, Module, Work};
use crate::sealed::Sealed;
use crate::{CudaError, Float, Result};

impl<F, T> Sealed for BaseLoss<F, T> {}
impl<F, T> Sealed for AnyLoss<F, T> {}

impl<F: Float, T: AsRef<[F]>> Compiled<F> for BaseLoss<F, T> {
    #[expect(private_interfaces, reason = "the trait is sealed")]
    fn work(&self, num_classes: usize) -> Result<(Module, Work)> {
        inside(self)?.work(num_classes)
    }

    fn margins(&self) -> Option<&[F]> {
        inside(self).ok()?.margins()
    }
}

impl<F: Float, T: AsRef<[F]>> Compiled<F> for AnyLoss<F, T> {
    #[expect(private_interfaces, reason = "the trait is sealed")]
    fn work(&self, num_classes: usize) -> Result<(Module, Work)> {
        match self {
            Self::Base(loss) => loss.work(num_classes),
            _ => Err(CudaError::Parameter { name: "loss", must: "without adjustments and class weights on a device" }),
        }
    }

    fn margins(&self) -> Option<&[F]> {
        match self {
            Self::Base(loss) => Compiled::margins(loss),
            _ => None,
        }
    }
}

fn inside<F: Float, T: AsRef<[F]>>(loss: &BaseLoss<F, T>) -> Result<&dyn Compiled<F>> {
    match loss {
        BaseLoss::CrossEntropy(loss) => Ok(loss),
        BaseLoss::TopKHinge(loss) => Ok(loss),
        BaseLoss::PolyhedralHinge(loss) => Ok(loss),
        BaseLoss::TopKMarginCrossEntropy(loss) => Ok(loss),
        BaseLoss::GumbelCrossEntropy(loss) => Ok(loss),
        _ => Err(CudaError::Parameter { name: "loss", must: "one that kernels are compiled for" }),
    }
}
