//! How much scratch is needed, for any number of classes and guesses: what no memory holds is asked for as such.

use topk_loss::estimator::{Baseline, Conditional, ControlVariate, Estimator, Exact, Pathwise, ScoreFunction};
use topk_loss::loss::{
    ClassWeighted, ExpectedLoss, FenchelYoung, Hinge, LogitAdjusted, MeanOfHinge, SmoothTopKSvm, SmoothedLoss, SoftLabelLoss,
    TopKCrossEntropy, TopKHinges, TopKSvm, TopKSvmForm,
};
use topk_loss::maximizer::{Maximizer, PerturbedArgmax, Ranking, TopKMask};
use topk_loss::noise::{Gumbel, Logistic, Normal};
use topk_loss::oracle::{KthLargest, Max, Oracle, RankSum, Ranks, SupportFunction, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, Error, Key, Loss, Margins, Smoothing, TopKHinge};

const HUGE: [usize; 9] = [0, 1, 3, 1 << 20, usize::MAX / 16, usize::MAX / 3, usize::MAX / 2, usize::MAX - 13, usize::MAX];

/// No shorter for more classes, and as long as there are numbers where it would be longer.
fn grows(name: &str, scratch_len: impl Fn(usize) -> usize) {
    let lens = HUGE.map(scratch_len);
    assert!(lens.is_sorted(), "{name}: {lens:?}");
    assert!(lens[8] == usize::MAX || lens[8] == lens[0], "{name}: {lens:?}");
}

fn of_loss(name: &str, loss: &dyn Loss<f32>, k: usize) {
    grows(name, |len| loss.scratch_len(len));
    let result = loss.value(&[0.0; 3], 0, &mut []);
    let refused = if k < 3 {
        matches!(result, Ok(_) | Err(Error::Length { .. }))
    } else {
        matches!(result, Err(Error::K { .. } | Error::Length { .. }))
    };
    assert!(refused, "{name}, k = {k}: {result:?}");
}

fn of_oracle(name: &str, oracle: &dyn Oracle<f32>, k: usize) {
    grows(name, |len| oracle.scratch_len(len));
    let result = oracle.value(&[0.0; 3], &mut []);
    assert!(matches!(result, Err(Error::Length { .. } | Error::K { .. })), "{name}, k = {k}: {result:?}");
}

#[test]
fn no_number_of_classes_or_guesses_overflows() -> Result<(), Error> {
    let (margins, key, sampler) = (Margins::Uniform(1.0_f32), Key::new(0), MonteCarlo::new(Normal, usize::MAX)?);
    for k in HUGE.into_iter().filter(|&k| k > 0) {
        let (kth, sum) = (KthLargest::new(k)?, TopKSum::new(k)?);
        for smoothing in [
            Smoothing::None,
            Smoothing::Exact { epsilon: 1.0 },
            Smoothing::Pathwise { epsilon: 1.0, num_samples: usize::MAX, key },
            Smoothing::Conditional { epsilon: 1.0, num_samples: usize::MAX, key },
        ] {
            let hinge = TopKHinge::new(k)?.with_margins(margins)?.with_smoothing(smoothing)?;
            of_loss("hinge", &hinge, k);
            of_loss("smoothed", &SmoothedLoss::new(hinge, sampler, 1.0, key)?, k);
            of_loss("adjusted", &LogitAdjusted::new(hinge, &[0.0; 3])?, k);
            of_loss("weighted", &ClassWeighted::new(hinge, &[1.0; 3])?, k);
            grows("expected", |len| SoftLabelLoss::<f32>::soft_scratch_len(&ExpectedLoss::new(hinge), len));
        }
        of_loss("top-K cross-entropy", &TopKCrossEntropy::new(k, Gumbel, 1.0)?, k);
        of_loss("top-K cross-entropy", &TopKCrossEntropy::new(k, Normal, 1.0)?, k);
        of_loss("smooth", &SmoothTopKSvm::new(k, 1.0, 1.0)?, k);
        of_loss("svm", &TopKSvm::new(k, TopKSvmForm::MeanInside)?.with_margins(margins)?, k);
        of_loss("over a sum", &Hinge::new(sum, margins, 1.0)?, k);
        of_loss("mean", &MeanOfHinge::new(sum, sampler, 1.0, key)?.with_margins(margins)?, k);

        of_oracle("k-th", &kth, k);
        of_oracle("sum", &sum, k);
        of_oracle("support", &SupportFunction::new(TopKMask::new(k)?), k);
        let (pathwise, score) =
            (Pathwise::new(kth, sampler, 1.0, key)?, ScoreFunction::new(kth, sampler, 1.0, Baseline::LeaveOneOut, key)?);
        for exact in [Exact::new(sum, Logistic, 1.0)?, Exact::new(sum, Logistic, 1.0)?.plain()] {
            of_oracle("exact", &exact, k);
            of_oracle("variate", &ControlVariate::new(kth, sum, exact, sampler, 1.0, key)?, k);
            assert!(exact.jacobian_product(&[0.0; 3], &[0.0; 3], 1.0, &mut [0.0; 3], &mut []).is_err());
        }
        of_oracle("pathwise", &pathwise, k);
        of_oracle("conditional", &Conditional::new(sum, sampler, 1.0, key)?, k);
        of_oracle("score", &score, k);
        grows("estimate", |len| pathwise.estimate_scratch_len(len));
        grows("estimate", |len| score.estimate_scratch_len(len));
        grows("Fenchel-Young", |len| FenchelYoung::new(sum).scratch_len::<f32>(len));
        grows("argmax", |len| PerturbedArgmax::new(TopKMask::new(k).unwrap(), sampler, 1.0, key).unwrap().scratch_len(len));
        assert_eq!((Ranks::<f32>::Top(k).mass(), Ranks::<f32>::Single(k).mass()), (k as f32, 1.0));
    }
    let weights = [0.5, 0.5];
    of_loss("several", &TopKHinges::new(&weights)?.with_margins(margins)?.with_epsilon(Some(1.0))?, 2);
    of_oracle("ranks", &Exact::new(RankSum::new(&weights)?, Normal, 1.0)?, 2);
    of_oracle("max", &Max, 1);
    of_loss("cross-entropy", &CrossEntropy, 1);
    grows("ranking", |len| Maximizer::<f32>::scratch_len(&Ranking, len));
    Ok(())
}
