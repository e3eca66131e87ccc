//! The losses as a user calls them, from a crate of its own: a line each, nanoseconds a score after a tab. `run` compares the builds.

#[path = "../../grid/problem.rs"]
mod problem;
#[path = "../../grid/rounds.rs"]
mod rounds;

use core::time::Duration;

use faer::{MatMut, MatRef, Par};
use topk_loss::loss::TopKCrossEntropy;
use topk_loss::noise::Gumbel;
use topk_loss::{CrossEntropy, Key, Loss, Result, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, Reduction, Targets, objective_and_grads};

use problem::Problem;

const CLASSES: usize = 1_000;
const K: usize = 5;
const EXAMPLES: usize = 16;

type Contestant = (String, Box<dyn FnMut(&mut Problem<f32>)>);

/// Core's call for each row, and the batch's one call.
fn both(name: &str, loss: impl BatchLoss<f32> + Loss<f32> + Copy + 'static) -> [Contestant; 2] {
    let mut scratch = vec![0.0; loss.scratch_len(CLASSES)];
    let rows = move |problem: &mut Problem<f32>| {
        let (rows, grads) = (problem.scores.chunks_exact(CLASSES), problem.grads.chunks_exact_mut(CLASSES));
        for ((scores, &label), grad) in rows.zip(&problem.labels).zip(grads) {
            loss.value_and_grad(scores, label, grad, &mut scratch).expect("finite scores");
        }
    };
    let batch = move |Problem { len, scores, labels, grads }: &mut Problem<f32>| {
        let scores = MatRef::from_column_major_slice(scores, *len, labels.len());
        let grads = MatMut::from_column_major_slice_mut(grads, *len, labels.len());
        objective_and_grads(&loss, scores, &Targets::new(&*labels), Reduction::Mean, grads, Par::Seq).expect("finite scores");
    };
    [(format!("core: {name}"), Box::new(rows)), (format!("batch: {name}"), Box::new(batch))]
}

fn main() -> Result<()> {
    let hinge = |smoothing| TopKHinge::new(K)?.with_smoothing(smoothing);
    let mut contestants = [
        both("cross-entropy", CrossEntropy),
        both("hard hinge", hinge(Smoothing::None)?),
        both("pathwise hinge, 5 draws", hinge(Smoothing::Pathwise { epsilon: 1.0, num_samples: 5, key: Key::new(1) })?),
        both("exact hinge", hinge(Smoothing::Exact { epsilon: 1.0 })?),
        both("top-K cross-entropy", TopKCrossEntropy::new(K, Gumbel, 1.0)?),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>();
    let mut problem = Problem::new(CLASSES, 1.0, EXAMPLES * CLASSES);
    let medians = rounds::medians(contestants.len(), Duration::from_secs(1), |turn| (contestants[turn].1)(&mut problem));
    for ((name, _), time) in contestants.iter().zip(medians) {
        println!("{name}\t{}", time / problem.scores.len() as f64);
    }
    Ok(())
}
