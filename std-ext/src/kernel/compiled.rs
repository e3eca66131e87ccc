//! Kernels compiled in this crate: where a generic one is called it has that crate's optimisation, which in a debug build is none.

use topk_loss::compiled::{Outcome, Task};
use topk_loss::loss::{Focal, Ldam, PolyhedralHinge, TopKCrossEntropy, TopKHinges, TopKMarginCrossEntropy};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::oracle::Ranks;
use topk_loss::{CrossEntropy, Margins, Real, Result, Smoothing, TopKHinge};

use super::Kernel;
use super::attempt::OrScalar;
use super::class_weighted::ByClass;
use super::conditional::Conditional;
use super::cross_entropy::Exponentials;
use super::dispatched::{Dispatched, Run};
use super::evaluated::Evaluated;
use super::focal::Focused;
use super::hinge::Hard;
use super::hinges::HardHinges;
use super::ldam::Scaled;
use super::logit_adjusted::Adjusted;
use super::noised::{Leaders, Screening};
use super::pathwise::{Draws, Pathwise};
use super::workers::Workers;

type Of<'a, F> = Box<dyn Kernel<F> + 'a>;

/// A float with kernels: `f32`, `f64`.
pub trait Compiled: Real {
    /// What an exact form comes to, by the best instructions there are; one law each.
    fn dispatch_normal(workers: Workers, task: Task<'_, Normal, Self>) -> Result<Outcome<Self>>;
    fn dispatch_gumbel(workers: Workers, task: Task<'_, Gumbel, Self>) -> Result<Outcome<Self>>;
    fn dispatch_logistic(workers: Workers, task: Task<'_, Logistic, Self>) -> Result<Outcome<Self>>;

    fn cross_entropy_kernel(workers: Workers) -> Of<'static, Self>;
    fn focal_kernel(loss: Focal<Self>, workers: Workers) -> Of<'static, Self>;
    fn ldam_kernel<'a>(loss: Ldam<Self, Margins<'a, Self>>, workers: Workers) -> Of<'a, Self>;
    fn hinge_kernel<'a>(loss: TopKHinge<Self, Margins<'a, Self>>, num_classes: usize, workers: Workers) -> Of<'a, Self>;
    fn hinges_kernel<'a>(loss: TopKHinges<Self, &'a [Self], Margins<'a, Self>>, num_classes: usize, workers: Workers) -> Of<'a, Self>;
    fn polyhedral_kernel<'a>(loss: PolyhedralHinge<Self, Margins<'a, Self>>, num_classes: usize, workers: Workers) -> Of<'a, Self>;
    fn margin_kernel<'a>(loss: TopKMarginCrossEntropy<Self, Margins<'a, Self>>, num_classes: usize, workers: Workers) -> Of<'a, Self>;
    fn normal_kernel(loss: TopKCrossEntropy<Normal, Self, Ranks<'_, Self>>, num_classes: usize, workers: Workers) -> Of<'_, Self>;
    fn gumbel_kernel(loss: TopKCrossEntropy<Gumbel, Self, Ranks<'_, Self>>, num_classes: usize, workers: Workers) -> Of<'_, Self>;
    fn logistic_kernel(loss: TopKCrossEntropy<Logistic, Self, Ranks<'_, Self>>, num_classes: usize, workers: Workers) -> Of<'_, Self>;

    /// What is done around the kernel of a loss inside.
    fn weighted<'a>(weights: &'a [Self], kernel: Of<'a, Self>, workers: Workers) -> Of<'a, Self>;
    fn adjusted<'a>(adjustments: &'a [Self], centers: bool, kernel: Of<'a, Self>, workers: Workers) -> Of<'a, Self>;
}

macro_rules! compiled {
    ($($float:ty),+) => { $(impl Compiled for $float {
        #[inline(never)]
        fn dispatch_normal(workers: Workers, task: Task<'_, Normal, Self>) -> Result<Outcome<Self>> {
            workers.dispatch_or(Run(task), |Run(task)| Self::integrate_normal(task))
        }
        #[inline(never)]
        fn dispatch_gumbel(workers: Workers, task: Task<'_, Gumbel, Self>) -> Result<Outcome<Self>> {
            // No kernel smooths an order statistic by this law.
            match task.contest() {
                Ok(contest) => workers.dispatch_or(Run(contest), |Run(contest)| Self::integrate_gumbel(contest.into())),
                Err(task) => Self::integrate_gumbel(task),
            }
        }
        #[inline(never)]
        fn dispatch_logistic(workers: Workers, task: Task<'_, Logistic, Self>) -> Result<Outcome<Self>> {
            // No kernel smooths an order statistic by this law.
            match task.contest() {
                Ok(contest) => workers.dispatch_or(Run(contest), |Run(contest)| Self::integrate_logistic(contest.into())),
                Err(task) => Self::integrate_logistic(task),
            }
        }

        fn cross_entropy_kernel(workers: Workers) -> Of<'static, Self> {
            Box::new(OrScalar { attempt: Exponentials::new(workers), loss: CrossEntropy })
        }
        fn focal_kernel(loss: Focal<Self>, workers: Workers) -> Of<'static, Self> {
            Box::new(OrScalar { attempt: Focused::new(loss, workers), loss })
        }
        fn ldam_kernel<'a>(loss: Ldam<Self, Margins<'a, Self>>, workers: Workers) -> Of<'a, Self> {
            Box::new(OrScalar { attempt: Scaled::new(*loss.margins(), loss.scale(), workers), loss })
        }
        fn hinge_kernel<'a>(loss: TopKHinge<Self, Margins<'a, Self>>, num_classes: usize, workers: Workers) -> Of<'a, Self> {
            let leaders = || Leaders::new(workers, Screening::Usual);
            match loss.smoothing() {
                Smoothing::Pathwise { epsilon, num_samples, key } => {
                    let draws = Draws { epsilon, num_samples, key };
                    Box::new(OrScalar { attempt: Pathwise::new(loss, draws, leaders(), workers), loss })
                }
                Smoothing::Conditional { epsilon, num_samples, key } => {
                    let draws = Draws { epsilon, num_samples, key };
                    Box::new(OrScalar { attempt: Conditional::new(loss, draws, leaders(), workers), loss })
                }
                Smoothing::Exact { .. } => Box::new(Dispatched::new(loss, num_classes, workers)),
                Smoothing::None => Box::new(OrScalar { attempt: Hard::new(loss, workers), loss }),
            }
        }
        fn hinges_kernel<'a>(loss: TopKHinges<Self, &'a [Self], Margins<'a, Self>>, num_classes: usize, workers: Workers) -> Of<'a, Self> {
            match loss.epsilon() {
                None => Box::new(OrScalar { attempt: HardHinges::new(loss, workers), loss }),
                Some(_) => Box::new(Dispatched::new(loss, num_classes, workers)),
            }
        }
        fn polyhedral_kernel<'a>(loss: PolyhedralHinge<Self, Margins<'a, Self>>, num_classes: usize, workers: Workers) -> Of<'a, Self> {
            Box::new(Evaluated::new(loss, num_classes, workers))
        }
        fn margin_kernel<'a>(loss: TopKMarginCrossEntropy<Self, Margins<'a, Self>>, num_classes: usize, workers: Workers) -> Of<'a, Self> {
            Box::new(Evaluated::new(loss, num_classes, workers))
        }
        fn normal_kernel(loss: TopKCrossEntropy<Normal, Self, Ranks<'_, Self>>, num_classes: usize, workers: Workers) -> Of<'_, Self> {
            Box::new(Dispatched::new(loss, num_classes, workers))
        }
        fn gumbel_kernel(loss: TopKCrossEntropy<Gumbel, Self, Ranks<'_, Self>>, num_classes: usize, workers: Workers) -> Of<'_, Self> {
            Box::new(Dispatched::new(loss, num_classes, workers))
        }
        fn logistic_kernel(loss: TopKCrossEntropy<Logistic, Self, Ranks<'_, Self>>, num_classes: usize, workers: Workers) -> Of<'_, Self> {
            Box::new(Dispatched::new(loss, num_classes, workers))
        }

        fn weighted<'a>(weights: &'a [Self], kernel: Of<'a, Self>, workers: Workers) -> Of<'a, Self> {
            Box::new(ByClass::new(weights, kernel, workers))
        }
        fn adjusted<'a>(adjustments: &'a [Self], centers: bool, kernel: Of<'a, Self>, workers: Workers) -> Of<'a, Self> {
            Box::new(Adjusted::new(adjustments, centers, kernel, workers))
        }
    })+ };
}

compiled!(f32, f64);
