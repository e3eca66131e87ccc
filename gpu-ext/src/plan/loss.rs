//! Which kernel serves which loss, and what each loss says of itself as arguments.

use topk_loss::loss::{AsMargins, PolyhedralHinge, TopKCrossEntropy, TopKMarginCrossEntropy};
use topk_loss::noise::Gumbel;
use topk_loss::oracle::{AsRanks, Ranks};
use topk_loss::{CrossEntropy, Error, Key, Margins, Smoothing, TopKHinge};

use super::arguments::HingeArguments;
use super::exact::ExactArguments;
use super::{MAX_SAMPLES, Module, Work, list_capacity};
use crate::sealed::Sealed;
use crate::{CudaError, Float, Result};

/// A loss for which kernels are compiled: [`CrossEntropy`], [`TopKHinge`], [`PolyhedralHinge`], [`TopKMarginCrossEntropy`], and
/// [`TopKCrossEntropy`] of one K under Gumbel noise; and a [`BaseLoss`](topk_loss::config::BaseLoss) or
/// [`AnyLoss`](topk_loss::config::AnyLoss), which [`Plan::new`](super::Plan::new) refuses unless it is one of these with nothing around it.
///
/// The trait is sealed. As a bound it admits any of them:
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_cuda::plan::{Compiled, Plan};
/// fn entry(loss: &impl Compiled<f32>) -> topk_loss_cuda::Result<String> {
///     Ok(Plan::new::<f32>(loss, 64, 1000)?.entry)
/// }
/// assert_eq!(entry(&CrossEntropy)?, "cross_entropy_f32");
/// # Ok::<(), topk_loss_cuda::CudaError>(())
/// ```
pub trait Compiled<F>: Sealed {
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "the trait is sealed")]
    fn work(&self, num_classes: usize) -> Result<(Module, Work)>;

    /// The margins of the loss, one a class; `None` where all are the same, or the loss has none.
    ///
    /// ```
    /// use topk_loss::{Margins, TopKHinge};
    /// use topk_loss_cuda::plan::Compiled;
    /// let (uniform, margins) = (TopKHinge::<f32>::new(1)?, [1.0, 2.0, 0.5]);
    /// assert_eq!(Compiled::margins(&uniform), None);
    /// let per_class = uniform.with_margins(Margins::PerClass(&margins))?;
    /// assert_eq!(Compiled::margins(&per_class), Some(&margins[..]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn margins(&self) -> Option<&[F]> {
        None
    }
}

impl Sealed for CrossEntropy {}

impl<F: Float> Compiled<F> for CrossEntropy {
    #[expect(private_interfaces, reason = "the trait is sealed")]
    fn work(&self, _: usize) -> Result<(Module, Work)> {
        Ok((Module::CrossEntropy, Work::CrossEntropy))
    }
}

impl<F, R> Sealed for TopKCrossEntropy<Gumbel, F, R> {}

impl<F: Float, R: AsRanks<F>> Compiled<F> for TopKCrossEntropy<Gumbel, F, R> {
    #[expect(private_interfaces, reason = "the trait is sealed")]
    fn work(&self, num_classes: usize) -> Result<(Module, Work)> {
        let Ranks::Single(k) = self.ranks() else {
            return Err(CudaError::Parameter { name: "shares", must: "of a single K on a device" });
        };
        if k >= num_classes {
            return Err(Error::K { k, max: num_classes - 1 }.into());
        }
        let arguments = ExactArguments::for_label::<F>(k, self.epsilon().to_f64(), num_classes);
        Ok((Module::TopKCrossEntropy, Work::Exact(arguments)))
    }
}

impl<F, M> Sealed for TopKHinge<F, M> {}

impl<F: Float, M: AsMargins<F>> Compiled<F> for TopKHinge<F, M> {
    #[expect(private_interfaces, reason = "the trait is sealed")]
    fn work(&self, num_classes: usize) -> Result<(Module, Work)> {
        let hard = arguments(self.k(), TopKHinge::margins(self).as_margins(), self.scale(), num_classes)?;
        let drawn = |epsilon: F, num_samples: usize, key: Key| {
            if num_samples > MAX_SAMPLES {
                return Err(CudaError::Parameter { name: "num_samples", must: "at most 1024 on a device" });
            }
            Ok(Work::Hinge(HingeArguments { epsilon: epsilon.to_f64(), num_samples, key: Some(key), ..hard }))
        };
        match self.smoothing() {
            Smoothing::None => Ok((Module::Hinge, Work::Hinge(hard))),
            Smoothing::Exact { .. } if self.tolerance().is_some() => {
                Err(CudaError::Parameter { name: "tolerance", must: "the default, which the kernels are compiled for" })
            }
            Smoothing::Exact { epsilon } => {
                let hinge = HingeArguments { epsilon: epsilon.to_f64(), ..hard };
                Ok((Module::Exact, Work::Exact(ExactArguments::new::<F>(hinge, num_classes))))
            }
            Smoothing::Pathwise { epsilon, num_samples, key } => Ok((Module::Pathwise, drawn(epsilon, num_samples, key)?)),
            Smoothing::Conditional { epsilon, num_samples, key } => Ok((Module::Conditional, drawn(epsilon, num_samples, key)?)),
        }
    }

    fn margins(&self) -> Option<&[F]> {
        per_class(TopKHinge::margins(self).as_margins())
    }
}

/// What a convex loss takes is what a hinge takes that is not smoothed.
macro_rules! convex {
    ($($loss:ident),+) => { $(
        impl<F, M> Sealed for $loss<F, M> {}

        impl<F: Float, M: AsMargins<F>> Compiled<F> for $loss<F, M> {
            #[expect(private_interfaces, reason = "the trait is sealed")]
            fn work(&self, num_classes: usize) -> Result<(Module, Work)> {
                let arguments = arguments(self.k(), $loss::margins(self).as_margins(), self.scale(), num_classes)?;
                Ok((Module::$loss, Work::Hinge(arguments)))
            }

            fn margins(&self) -> Option<&[F]> {
                per_class($loss::margins(self).as_margins())
            }
        }
    )+ };
}

convex!(PolyhedralHinge, TopKMarginCrossEntropy);

/// Of a hinge that is not smoothed.
fn arguments<F: Float>(k: usize, margins: Margins<'_, F>, scale: F, num_classes: usize) -> Result<HingeArguments> {
    if k >= num_classes {
        return Err(Error::K { k, max: num_classes - 1 }.into());
    }
    let margin = match margins {
        Margins::Uniform(margin) => margin.to_f64(),
        Margins::PerClass(margins) if margins.len() != num_classes => {
            return Err(Error::Length { what: "margins", expected: num_classes, actual: margins.len() }.into());
        }
        Margins::PerClass(_) => 0.0,
    };
    Ok(HingeArguments { margin, scale: scale.to_f64(), rank: k + 1, list_capacity: list_capacity(k), ..Default::default() })
}

fn per_class<F>(margins: Margins<'_, F>) -> Option<&[F]> {
    match margins {
        Margins::Uniform(_) => None,
        Margins::PerClass(margins) => Some(margins),
    }
}
