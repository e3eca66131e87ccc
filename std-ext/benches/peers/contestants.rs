//! Our contestants over a batch of scores; a new one is one arm here and one in `ours.py`.

use anyhow::{Result, bail};
use faer::{MatRef, Par};
use topk_loss::loss::{SmoothTopKSvm, TopKCrossEntropy};
use topk_loss::noise::Gumbel;
use topk_loss::{CrossEntropy, Key, Smoothing, TopKHinge};

use crate::problem::Problem;

const EPSILON: f32 = 1.0;

/// A number at the name's end is the pathwise ones' of draws, the others' K; without one it is 5.
pub fn evaluate(contestant: &str, problem: &mut Problem, par: Par) -> Result<f32> {
    let numbered = contestant.rsplit_once('-').and_then(|(name, number)| Some((name, number.parse().ok()?)));
    let (name, number) = numbered.unwrap_or((contestant, 5));
    match name {
        "sum" => Ok(sum(problem.scores.as_ref())),
        "cross-entropy" => problem.objective(&CrossEntropy, par),
        "hinge" => problem.objective(&hinge(number, Smoothing::None)?, par),
        "pathwise" => {
            let smoothing = Smoothing::Pathwise { epsilon: EPSILON, num_samples: number, key: Key::new(1) };
            problem.objective(&hinge(5, smoothing)?, par)
        }
        "conditional" => {
            let smoothing = Smoothing::Conditional { epsilon: EPSILON, num_samples: 1, key: Key::new(1) };
            problem.objective(&hinge(number, smoothing)?, par)
        }
        "exact" => problem.objective(&hinge(number, Smoothing::Exact { epsilon: EPSILON })?, par),
        "top-k-cross-entropy" => problem.objective(&TopKCrossEntropy::new(number, Gumbel, EPSILON)?, par),
        "smooth-svm" => problem.objective(&SmoothTopKSvm::new(number, 1.0, 1.0)?, par),
        _ => bail!("no such contestant"),
    }
}

fn hinge(k: usize, smoothing: Smoothing<f32>) -> topk_loss::Result<TopKHinge<f32>> {
    TopKHinge::new(k)?.with_smoothing(smoothing)
}

/// A plain pass over the scores on one thread, with enough partial sums for memory to be what it waits for.
fn sum(scores: MatRef<'_, f32>) -> f32 {
    let mut sums = [0.0; 32];
    for column in scores.col_iter() {
        let Some(column) = column.try_as_col_major() else { continue };
        let (chunks, rest) = column.as_slice().as_chunks::<32>();
        for chunk in chunks {
            sums.iter_mut().zip(chunk).for_each(|(sum, score)| *sum += score);
        }
        sums.iter_mut().zip(rest).for_each(|(sum, score)| *sum += score);
    }
    sums.iter().sum()
}
