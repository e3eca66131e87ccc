//! Kernels compiled in this crate: where a generic one is called it has that crate's optimisation, which in a debug build is none.

use topk_loss::compiled::{Outcome, Task};
use topk_loss::loss::{Focal, Ldam, PolyhedralHinge, TopKCrossEntropy, TopKHinges, TopKMarginCrossEntropy};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::oracle::Ranks;
use topk_loss::{CrossEntropy, Margins, Real, Result, Smoothing, TopKHinge};

use super::Kernel;
use super::class_weighted::ByClass;
use super::conditional::Conditional;
use super::cross_entropy::Exponentials;
use super::dispatched::{Dispatched, Run};
use super::evaluated::Evaluated;
use super::executor::Executor;
use super::fast_path::WithFallback;
use super::focal::Focused;
use super::hinge::Hard;
use super::hinges::HardHinges;
use super::ldam::Scaled;
use super::logit_adjusted::Adjusted;
use super::noised::{ThresholdPolicy, TopNoised};
use super::pathwise::{Draws, Pathwise};

type Of<'a, F> = Box<dyn Kernel<F> + 'a>;

/// A float with kernels: `f32`, `f64`.
pub trait Compiled: Real {
    /// What an exact form comes to, by the best instructions there are; one law each.
    fn dispatch_normal(executor: Executor, task: Task<'_, Normal, Self>) -> Result<Outcome<Self>>;
    fn dispatch_gumbel(executor: Executor, task: Task<'_, Gumbel, Self>) -> Result<Outcome<Self>>;
    fn dispatch_logistic(executor: Executor, task: Task<'_, Logistic, Self>) -> Result<Outcome<Self>>;

    fn cross_entropy_kernel(executor: Executor) -> Of<'static, Self>;
    fn focal_kernel(loss: Focal<Self>, executor: Executor) -> Of<'static, Self>;
    fn ldam_kernel<'a>(loss: Ldam<Self, Margins<'a, Self>>, executor: Executor) -> Of<'a, Self>;
    fn hinge_kernel<'a>(loss: TopKHinge<Self, Margins<'a, Self>>, num_classes: usize, executor: Executor) -> Of<'a, Self>;
    fn hinges_kernel<'a>(loss: TopKHinges<Self, &'a [Self], Margins<'a, Self>>, num_classes: usize, executor: Executor) -> Of<'a, Self>;
    fn polyhedral_kernel<'a>(loss: PolyhedralHinge<Self, Margins<'a, Self>>, num_classes: usize, executor: Executor) -> Of<'a, Self>;
    fn margin_kernel<'a>(loss: TopKMarginCrossEntropy<Self, Margins<'a, Self>>, num_classes: usize, executor: Executor) -> Of<'a, Self>;
    fn normal_kernel(loss: TopKCrossEntropy<Normal, Self, Ranks<'_, Self>>, num_classes: usize, executor: Executor) -> Of<'_, Self>;
    fn gumbel_kernel(loss: TopKCrossEntropy<Gumbel, Self, Ranks<'_, Self>>, num_classes: usize, executor: Executor) -> Of<'_, Self>;
    fn logistic_kernel(loss: TopKCrossEntropy<Logistic, Self, Ranks<'_, Self>>, num_classes: usize, executor: Executor) -> Of<'_, Self>;

    /// What is done around the kernel of a loss inside.
    fn weighted<'a>(weights: &'a [Self], kernel: Of<'a, Self>, executor: Executor) -> Of<'a, Self>;
    fn adjusted<'a>(adjustments: &'a [Self], centers: bool, kernel: Of<'a, Self>, executor: Executor) -> Of<'a, Self>;
}

macro_rules! compiled {
    ($($float:ty),+) => { $(impl Compiled for $float {
        #[inline(never)]
        fn dispatch_normal(executor: Executor, task: Task<'_, Normal, Self>) -> Result<Outcome<Self>> {
            executor.dispatch_or(Run(task), |Run(task)| Self::integrate_normal(task))
        }
        #[inline(never)]
        fn dispatch_gumbel(executor: Executor, task: Task<'_, Gumbel, Self>) -> Result<Outcome<Self>> {
            // No kernel smooths an order statistic by this law.
            match task.inclusion() {
                Ok(inclusion) => executor.dispatch_or(Run(inclusion), |Run(inclusion)| Self::integrate_gumbel(inclusion.into())),
                Err(task) => Self::integrate_gumbel(task),
            }
        }
        #[inline(never)]
        fn dispatch_logistic(executor: Executor, task: Task<'_, Logistic, Self>) -> Result<Outcome<Self>> {
            // No kernel smooths an order statistic by this law.
            match task.inclusion() {
                Ok(inclusion) => executor.dispatch_or(Run(inclusion), |Run(inclusion)| Self::integrate_logistic(inclusion.into())),
                Err(task) => Self::integrate_logistic(task),
            }
        }

        fn cross_entropy_kernel(executor: Executor) -> Of<'static, Self> {
            Box::new(WithFallback { fast_path: Exponentials::new(executor), loss: CrossEntropy })
        }
        fn focal_kernel(loss: Focal<Self>, executor: Executor) -> Of<'static, Self> {
            Box::new(WithFallback { fast_path: Focused::new(loss, executor), loss })
        }
        fn ldam_kernel<'a>(loss: Ldam<Self, Margins<'a, Self>>, executor: Executor) -> Of<'a, Self> {
            Box::new(WithFallback { fast_path: Scaled::new(*loss.margins(), loss.scale(), executor), loss })
        }
        fn hinge_kernel<'a>(loss: TopKHinge<Self, Margins<'a, Self>>, num_classes: usize, executor: Executor) -> Of<'a, Self> {
            let top_noised = || TopNoised::new(executor, ThresholdPolicy::Usual);
            match loss.smoothing() {
                Smoothing::Pathwise { epsilon, num_samples, key } => {
                    let draws = Draws { epsilon, num_samples, key };
                    Box::new(WithFallback { fast_path: Pathwise::new(loss, draws, top_noised(), executor), loss })
                }
                Smoothing::Conditional { epsilon, num_samples, key } => {
                    let draws = Draws { epsilon, num_samples, key };
                    Box::new(WithFallback { fast_path: Conditional::new(loss, draws, top_noised(), executor), loss })
                }
                Smoothing::Exact { .. } => Box::new(Dispatched::new(loss, num_classes, executor)),
                Smoothing::None => Box::new(WithFallback { fast_path: Hard::new(loss, executor), loss }),
            }
        }
        fn hinges_kernel<'a>(loss: TopKHinges<Self, &'a [Self], Margins<'a, Self>>, num_classes: usize, executor: Executor) -> Of<'a, Self> {
            match loss.epsilon() {
                None => Box::new(WithFallback { fast_path: HardHinges::new(loss, executor), loss }),
                Some(_) => Box::new(Dispatched::new(loss, num_classes, executor)),
            }
        }
        fn polyhedral_kernel<'a>(loss: PolyhedralHinge<Self, Margins<'a, Self>>, num_classes: usize, executor: Executor) -> Of<'a, Self> {
            Box::new(Evaluated::new(loss, num_classes, executor))
        }
        fn margin_kernel<'a>(loss: TopKMarginCrossEntropy<Self, Margins<'a, Self>>, num_classes: usize, executor: Executor) -> Of<'a, Self> {
            Box::new(Evaluated::new(loss, num_classes, executor))
        }
        fn normal_kernel(loss: TopKCrossEntropy<Normal, Self, Ranks<'_, Self>>, num_classes: usize, executor: Executor) -> Of<'_, Self> {
            Box::new(Dispatched::new(loss, num_classes, executor))
        }
        fn gumbel_kernel(loss: TopKCrossEntropy<Gumbel, Self, Ranks<'_, Self>>, num_classes: usize, executor: Executor) -> Of<'_, Self> {
            Box::new(Dispatched::new(loss, num_classes, executor))
        }
        fn logistic_kernel(loss: TopKCrossEntropy<Logistic, Self, Ranks<'_, Self>>, num_classes: usize, executor: Executor) -> Of<'_, Self> {
            Box::new(Dispatched::new(loss, num_classes, executor))
        }

        fn weighted<'a>(weights: &'a [Self], kernel: Of<'a, Self>, executor: Executor) -> Of<'a, Self> {
            Box::new(ByClass::new(weights, kernel, executor))
        }
        fn adjusted<'a>(adjustments: &'a [Self], centers: bool, kernel: Of<'a, Self>, executor: Executor) -> Of<'a, Self> {
            Box::new(Adjusted::new(adjustments, centers, kernel, executor))
        }
    })+ };
}

compiled!(f32, f64);
