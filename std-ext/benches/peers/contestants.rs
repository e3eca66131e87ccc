//! Our contestants over a batch of scores; a new one is one line here and one in `contestants.py`.

use anyhow::{Result, bail};
use faer::{MatRef, Par};
use topk_loss::{CrossEntropy, Gumbel, Key, Margins, SmoothTopKSvm, Smoothing, TopKCrossEntropy, TopKHinge};

use crate::problem::Problem;

const EPSILON: f32 = 1.0;

pub fn evaluate(contestant: &str, problem: &mut Problem, par: Par) -> Result<f32> {
    match contestant {
        "sum" => Ok(sum(problem.scores.as_ref())),
        "cross-entropy" => problem.objective(&CrossEntropy, par),
        "hinge" => problem.objective(&hinge(5, Smoothing::None)?, par),
        "pathwise-1" => problem.objective(&hinge(5, pathwise(1))?, par),
        "pathwise-5" => problem.objective(&hinge(5, pathwise(5))?, par),
        "pathwise-50" => problem.objective(&hinge(5, pathwise(50))?, par),
        "conditional" => {
            let smoothing = Smoothing::Conditional { epsilon: EPSILON, num_samples: 1, key: Key::new(1) };
            problem.objective(&hinge(5, smoothing)?, par)
        }
        "exact-1" => problem.objective(&hinge(1, Smoothing::Exact { epsilon: EPSILON })?, par),
        "exact-5" => problem.objective(&hinge(5, Smoothing::Exact { epsilon: EPSILON })?, par),
        "exact-50" => problem.objective(&hinge(50, Smoothing::Exact { epsilon: EPSILON })?, par),
        "top-k-cross-entropy" => problem.objective(&TopKCrossEntropy::new(5, Gumbel, EPSILON)?, par),
        "smooth-svm-5" => problem.objective(&SmoothTopKSvm::new(5, 1.0, 1.0)?, par),
        "smooth-svm-50" => problem.objective(&SmoothTopKSvm::new(50, 1.0, 1.0)?, par),
        _ => bail!("no such contestant"),
    }
}

fn hinge(k: usize, smoothing: Smoothing<f32>) -> topk_loss::Result<TopKHinge<'static, f32>> {
    TopKHinge::new(k, Margins::Uniform(1.0), 1.0, smoothing)
}

fn pathwise(num_samples: usize) -> Smoothing<f32> {
    Smoothing::Pathwise { epsilon: EPSILON, num_samples, key: Key::new(1) }
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
