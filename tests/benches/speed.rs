//! Value and gradient of one row after the other by core's own code, over the grid of the batches' bench:
//! `cargo bench -p topk-loss-laws --bench speed`.
//!
//! `-- exact 1000` restricts losses and numbers of classes, `-- --quick` takes less time, `-- --f64` computes in that.

#[path = "../../std-ext/benches/grid/grid.rs"]
mod grid;

use topk_loss::loss::{ClassWeighted, Focal, Ldam, LogitAdjusted, SmoothTopKSvm, TopKCrossEntropy, TopKHinges, TopKSvm, TopKSvmForm};
use topk_loss::noise::Gumbel;
use topk_loss::{CrossEntropy, Key, Loss, Margins, Real, Result, Smoothing, TopKHinge};

use grid::parameters::{per_class, shares};
use grid::{Contestant, Problem, Words};

const MOST_SCORES: usize = 20_000;

fn rows<F: Real>(name: &'static str, loss: impl Loss<F> + 'static) -> Contestant<F> {
    let mut scratch = Vec::new();
    Contestant::new(name, move |Problem { len, scores, labels, grads }| {
        scratch.resize(loss.scratch_len(*len), F::zero());
        for ((scores, &label), grad) in scores.chunks_exact(*len).zip(&*labels).zip(grads.chunks_exact_mut(*len)) {
            loss.value_and_grad(scores, label, grad, &mut scratch).expect("finite scores");
        }
    })
}

fn contestants<F: Real>(len: usize, k: usize) -> Result<Vec<Contestant<F>>> {
    let (one, key, shares, per_class) = (F::one(), Key::new(1), shares(k), per_class(len));
    let hinge = |smoothing| TopKHinge::new(k)?.with_smoothing(smoothing);
    let hinges = |epsilon| TopKHinges::new(shares)?.with_epsilon(epsilon);
    let svm = |form| TopKSvm::new(k, form);
    Ok(vec![
        rows("cross-entropy", CrossEntropy),
        rows("focal", Focal::new(F::from_f64(2.0))?).when_named(),
        rows("LDAM", Ldam::new(Margins::PerClass(per_class), F::from_f64(30.0))?).when_named(),
        rows("class-weighted", ClassWeighted::new(CrossEntropy, per_class)?).when_named(),
        rows("logit-adjusted", LogitAdjusted::new(CrossEntropy, per_class)?).when_named(),
        rows("hard hinge", hinge(Smoothing::None)?),
        rows("pathwise hinge, 5 draws", hinge(Smoothing::Pathwise { epsilon: one, num_samples: 5, key })?),
        rows("conditional hinge, 5 draws", hinge(Smoothing::Conditional { epsilon: one, num_samples: 5, key })?),
        rows("exact hinge", hinge(Smoothing::Exact { epsilon: one })?).smooth(),
        rows("hinges of 1 and K, hard", hinges(None)?).when_named(),
        rows("hinges of 1 and K, exact", hinges(Some(one))?).smooth().when_named(),
        rows("top-K cross-entropy", TopKCrossEntropy::new(k, Gumbel, one)?).smooth(),
        rows("cross-entropies of 1 and K", TopKCrossEntropy::mixture(shares, Gumbel, one)?).smooth().when_named(),
        rows("top-K SVM, K-th other", svm(TopKSvmForm::KthOther)?),
        rows("top-K SVM, mean inside", svm(TopKSvmForm::MeanInside)?).when_named(),
        rows("top-K SVM, mean outside", svm(TopKSvmForm::MeanOutside)?).when_named(),
        rows("smooth SVM, temperature 1", SmoothTopKSvm::new(k, one, one)?),
        rows("smooth SVM, temperature 0.1", SmoothTopKSvm::new(k, F::from_f64(0.1), one)?),
    ])
}

fn main() -> Result<()> {
    let Some(words) = Words::said() else { return Ok(()) };
    if words.f64 { grid::walk::<f64>(&words, MOST_SCORES, contestants) } else { grid::walk::<f32>(&words, MOST_SCORES, contestants) }
}
