//! More guesses than any row has classes: each loss says so, and no memory is asked for on their behalf.

use topk_loss::estimator::Exact;
use topk_loss::loss::{
    ClassWeighted, Hinge, LogitAdjusted, MeanOfHinge, PolyhedralHinge, SmoothTopKSvm, SmoothedLoss, TopKCrossEntropy, TopKHinges,
    TopKMarginCrossEntropy, TopKSvm, TopKSvmForm,
};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::oracle::{KthLargest, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{Error, Key, Margins, Result, Smoothing, TopKHinge};
use topk_loss_batch::{BatchError, BatchLoss, Rows, RowsMut, Targets, Threads, values, values_and_grads};

const CLASSES: usize = 3;

const TOO_MANY: [usize; 9] =
    [CLASSES + 1, 1_000_000_000, 1 << 44, 1 << 60, usize::MAX / 2, usize::MAX / 2 + 1, usize::MAX - 2, usize::MAX - 1, usize::MAX];

fn is_refused(name: &str, k: usize, loss: &dyn BatchLoss<f32>) {
    let (scores, labels) = ([0.5, 0.25, 1.0, -0.5, 2.0, 1.5], [2, 0]);
    let (rows, targets) = (Rows::new(&scores, CLASSES).unwrap(), Targets::new(&labels));
    let outcome = values(loss, rows, &targets, &mut [0.0; 2], Threads::ONE);
    assert!(matches!(outcome, Err(BatchError::Example { example: 0, error: Error::K { .. } })), "{name}, K = {k}: {outcome:?}");
    let mut grads = [0.0; 6];
    let with_grads = values_and_grads(loss, rows, &targets, &mut [0.0; 2], RowsMut::new(&mut grads, CLASSES).unwrap(), Threads::ONE);
    assert_eq!(with_grads, outcome, "{name}, K = {k}");
}

#[test]
fn more_guesses_than_classes_are_refused_by_every_loss() -> Result<()> {
    let (key, sampler, margins) = (Key::new(0), MonteCarlo::new(Normal, 2)?, Margins::Uniform(1.0_f32));
    for k in TOO_MANY {
        let hinge = TopKHinge::new(k)?;
        for smoothing in [
            Smoothing::None,
            Smoothing::Exact { epsilon: 1.0 },
            Smoothing::Pathwise { epsilon: 1.0, num_samples: 2, key },
            Smoothing::Conditional { epsilon: 1.0, num_samples: 2, key },
        ] {
            let smoothed = hinge.with_smoothing(smoothing)?;
            is_refused("hinge", k, &smoothed);
            is_refused("weighted", k, &ClassWeighted::new(smoothed, [1.0; CLASSES])?);
            is_refused("adjusted", k, &LogitAdjusted::new(smoothed, [0.0; CLASSES])?);
            is_refused("smoothed", k, &SmoothedLoss::new(smoothed, sampler, 1.0, key)?);
        }
        is_refused("polyhedral", k, &PolyhedralHinge::new(k)?);
        is_refused("margin", k, &TopKMarginCrossEntropy::new(k, 1.0)?);
        is_refused("Gumbel", k, &TopKCrossEntropy::new(k, Gumbel, 1.0)?);
        is_refused("normal", k, &TopKCrossEntropy::new(k, Normal, 1.0)?);
        is_refused("logistic", k, &TopKCrossEntropy::new(k, Logistic, 1.0)?);
        is_refused("smooth", k, &SmoothTopKSvm::new(k, 1.0, 1.0)?);
        for form in [TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside] {
            is_refused("svm", k, &TopKSvm::new(k, form)?);
        }
        is_refused("over the k-th", k, &Hinge::new(KthLargest::new(k)?, margins, 1.0)?);
        is_refused("over a sum", k, &Hinge::new(TopKSum::new(k)?, margins, 1.0)?);
        is_refused("over the exact k-th", k, &Hinge::new(Exact::new(KthLargest::new(k)?, Normal, 1.0)?, margins, 1.0)?);
        is_refused("over the plain k-th", k, &Hinge::new(Exact::new(KthLargest::new(k)?, Normal, 1.0)?.plain(), margins, 1.0)?);
        is_refused("over an exact sum", k, &Hinge::new(Exact::new(TopKSum::new(k)?, Normal, 1.0)?, margins, 1.0)?);
        is_refused("mean", k, &MeanOfHinge::new(KthLargest::new(k)?, sampler, 1.0, key)?);
    }
    let mut shares = [0.0; 10_000];
    shares[9_999] = 1.0;
    is_refused("several", 10_000, &TopKHinges::new(shares)?);
    is_refused("several, exact", 10_000, &TopKHinges::new(shares)?.with_epsilon(Some(1.0))?);
    is_refused("several", 10_000, &TopKCrossEntropy::mixture(shares, Gumbel, 1.0)?);
    Ok(())
}
