//! Value and gradient of a batch by every kernel, over the [`grid`]: `cargo bench -p topk-loss-batch --bench kernels`.
//!
//! `-- exact 1000` restricts contestants and numbers of classes, `-- --quick` takes less time, `-- --f64` computes in that.

#[path = "grid/grid.rs"]
mod grid;

use faer::{MatMut, MatRef, Par};
use topk_loss::loss::{ClassWeighted, Focal, Ldam, LogitAdjusted, PolyhedralHinge, TopKCrossEntropy, TopKHinges, TopKMarginCrossEntropy};
use topk_loss::noise::Gumbel;
use topk_loss::{CrossEntropy, Key, Margins, Result, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, BatchReal, Reduction, Targets, objective_and_grads};

use grid::parameters::{per_class, shares};
use grid::{Contestant, Problem, Words};

const MOST_SCORES: usize = 256_000;

/// One call for the whole batch.
fn batch<F: BatchReal>(name: &'static str, loss: impl BatchLoss<F> + 'static) -> Contestant<F> {
    Contestant::new(name, move |Problem { len, scores, labels, grads }| {
        let scores = MatRef::from_column_major_slice(scores, *len, labels.len());
        let grads = MatMut::from_column_major_slice_mut(grads, *len, labels.len());
        objective_and_grads(&loss, scores, &Targets::new(&*labels), Reduction::Mean, grads, Par::Seq).expect("finite scores");
    })
}

fn contestants<F: BatchReal>(len: usize, k: usize) -> Result<Vec<Contestant<F>>> {
    let (one, num_samples, key, shares, per_class) = (F::one(), 5, Key::new(1), shares(k), per_class(len));
    let hinge = |smoothing| TopKHinge::new(k)?.with_smoothing(smoothing);
    let hinges = |epsilon| TopKHinges::new(shares)?.with_epsilon(epsilon);
    Ok(vec![
        batch("cross-entropy", CrossEntropy),
        batch("hard hinge", hinge(Smoothing::None)?),
        batch("polyhedral hinge", PolyhedralHinge::new(k)?),
        batch("margin cross-entropy", TopKMarginCrossEntropy::new(k, one)?),
        batch("pathwise hinge, 5 draws", hinge(Smoothing::Pathwise { epsilon: one, num_samples, key })?),
        batch("conditional hinge, 5 draws", hinge(Smoothing::Conditional { epsilon: one, num_samples, key })?),
        batch("exact hinge", hinge(Smoothing::Exact { epsilon: one })?).smooth(),
        batch("top-K cross-entropy", TopKCrossEntropy::new(k, Gumbel, one)?).smooth(),
        batch("focal", Focal::new(F::from_f64(2.0))?).when_named(),
        batch("LDAM", Ldam::new(Margins::PerClass(per_class), F::from_f64(30.0))?).when_named(),
        batch("class-weighted", ClassWeighted::new(CrossEntropy, per_class)?).when_named(),
        batch("logit-adjusted", LogitAdjusted::new(CrossEntropy, per_class)?).when_named(),
        batch("hinges of 1 and K, hard", hinges(None)?).when_named(),
        batch("hinges of 1 and K, exact", hinges(Some(one))?).smooth().when_named(),
        batch("cross-entropies of 1 and K", TopKCrossEntropy::mixture(shares, Gumbel, one)?).smooth().when_named(),
    ])
}

fn main() -> Result<()> {
    let Some(words) = Words::said() else { return Ok(()) };
    if words.f64 { grid::walk::<f64>(&words, MOST_SCORES, contestants) } else { grid::walk::<f32>(&words, MOST_SCORES, contestants) }
}
