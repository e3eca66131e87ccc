//! Combinatorial problems to perturb: what a user of perturbed optimizers writes, and a naive twin of each.
//!
//! ```
//! use topk_loss::maximizer::Maximizer;
//! use topk_loss_laws::problems::{ShortestPath, all_paths, best};
//! // The path that is found is the best of all.
//! let (costs, mut path, mut scratch) = ([-1.0, -5.0, -5.0, -1.0], [0.0; 4], [0.0; 4]);
//! ShortestPath { columns: 2 }.argmax(&costs, &mut path, &mut scratch)?;
//! assert_eq!(path, best(&all_paths(2, 2), &costs));
//! # Ok::<(), topk_loss::Error>(())
//! ```

use topk_loss::maximizer::Maximizer;
use topk_loss::{Error, Real, Result};

/// The path of least cost from the upper left to the lower right cell of a grid, in steps to the right, downwards or along the diagonal; θ is
/// minus the costs, row by row, y the mask of the path.
///
/// Dynamic programming without an allocation: the scratch holds the best cost of every cell, and the way back is read from it.
///
/// ```
/// use topk_loss::maximizer::Maximizer;
/// use topk_loss_laws::problems::ShortestPath;
/// // Two rows of two cells: along the diagonal, since the way over a corner costs more.
/// let (mut path, mut scratch) = ([0.0; 4], [0.0; 4]);
/// ShortestPath { columns: 2 }.argmax(&[-1.0, -5.0, -5.0, -1.0], &mut path, &mut scratch)?;
/// assert_eq!(path, [1.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortestPath {
    /// Cells in a row.
    pub columns: usize,
}

/// Right, down, diagonal; a path prefers the diagonal, then down, where costs are equal.
const STEPS: [(usize, usize); 3] = [(1, 1), (1, 0), (0, 1)];

impl ShortestPath {
    fn before(self, cell: usize) -> impl Iterator<Item = usize> {
        let (row, column) = (cell / self.columns, cell % self.columns);
        STEPS.into_iter().filter(move |&(r, c)| r <= row && c <= column).map(move |(r, c)| cell - r * self.columns - c)
    }

    /// The cell before this one on the best path.
    fn best_before<F: Real>(self, cell: usize, best: &[F]) -> Option<usize> {
        self.before(cell).reduce(|kept, other| if best[other] > best[kept] { other } else { kept })
    }
}

impl<F: Real> Maximizer<F> for ShortestPath {
    fn scratch_len(&self, dim: usize) -> usize {
        dim
    }

    fn argmax(&self, theta: &[F], y: &mut [F], best: &mut [F]) -> Result<()> {
        if !theta.len().is_multiple_of(self.columns) {
            return Err(Error::Parameter { name: "theta", must: "of whole rows" });
        }
        for cell in 0..theta.len() {
            best[cell] = theta[cell] + self.best_before(cell, best).map_or(F::zero(), |before| best[before]);
        }
        y.fill(F::zero());
        let mut next = theta.len().checked_sub(1);
        while let Some(cell) = next {
            y[cell] = F::one();
            next = self.best_before(cell, best);
        }
        Ok(())
    }
}

/// Every path of a grid, as masks.
///
/// **Cost.** As many masks as there are paths, which grow exponentially with the grid.
///
/// ```
/// use topk_loss_laws::problems::all_paths;
/// assert_eq!(all_paths(2, 2).len(), 3); // right and down, down and right, the diagonal
/// ```
#[must_use]
pub fn all_paths(rows: usize, columns: usize) -> Vec<Vec<f64>> {
    let grid = ShortestPath { columns };
    let mut paths: Vec<Vec<Vec<f64>>> = Vec::new();
    for cell in 0..rows * columns {
        let mut here: Vec<Vec<f64>> = grid.before(cell).flat_map(|before| paths[before].clone()).collect();
        if here.is_empty() {
            here.push(vec![0.0; rows * columns]);
        }
        here.iter_mut().for_each(|path| path[cell] = 1.0);
        paths.push(here);
    }
    paths.pop().unwrap_or_default()
}

/// Every permutation of 1 to `len`.
///
/// **Cost.** `len`! rankings.
///
/// ```
/// use topk_loss_laws::problems::all_rankings;
/// assert_eq!(all_rankings(2), [[2.0, 1.0], [1.0, 2.0]]);
/// ```
#[must_use]
pub fn all_rankings(len: usize) -> Vec<Vec<f64>> {
    (1..=len).fold(vec![vec![]], |shorter, place| {
        let insert = |ranking: &Vec<f64>, at: usize| {
            let mut longer = ranking.clone();
            longer.insert(at, place as f64);
            longer
        };
        shorter.iter().flat_map(|ranking| (0..place).map(move |at| insert(ranking, at))).collect()
    })
}

/// The candidate y whose inner product with θ is largest; of equal ones the last.
///
/// **Cost.** One inner product a candidate.
///
/// ```
/// use topk_loss_laws::problems::{all_rankings, best};
/// assert_eq!(best(&all_rankings(3), &[0.5, 0.1, 0.9]), [2.0, 1.0, 3.0]);
/// ```
///
/// # Panics
/// No candidate.
#[must_use]
pub fn best<'c>(candidates: &'c [Vec<f64>], theta: &[f64]) -> &'c [f64] {
    let value = |y: &Vec<f64>| y.iter().zip(theta).map(|(y, t)| y * t).sum::<f64>();
    candidates.iter().max_by(|a, b| value(a).total_cmp(&value(b))).expect("a problem has a solution")
}
