//! Linear programmes in rational numbers, solved exactly by pivots.

use num_rational::BigRational;
use num_traits::{One, Zero};

use super::rational::{Row, eliminate};

/// Where ⟨objective, x⟩ is largest subject to x ≥ 0 and ⟨row, x⟩ ≤ 1 for each row.
pub(super) enum Optimum {
    /// At x. With `multipliers` for the rows, each at least 0, Σ multiplier · row ≥ objective, and their sum is the maximum.
    Bounded { x: Row, multipliers: Row },
    /// Nowhere: it grows along the ray.
    Unbounded { ray: Row },
}

/// The simplex method, from x = 0, by Bland's rule: among what improves, and among what leaves, the first. So it ends, ties or not.
///
/// **References.** Bland, "New finite pivoting rules for the simplex method", Mathematics of Operations Research 2, 1977.
pub(super) fn maximise(objective: &[i64], rows: &[Vec<i64>]) -> Optimum {
    let (unknowns, num_rows) = (objective.len(), rows.len());
    let width = unknowns + num_rows;
    // Unknowns, slacks, right-hand side.
    let whole = |entry: &i64| BigRational::from_integer((*entry).into());
    let mut tableau: Vec<Row> = rows
        .iter()
        .enumerate()
        .map(|(i, row)| {
            let slacks = (0..num_rows).map(|slack| BigRational::from_integer(i64::from(slack == i).into()));
            row.iter().map(whole).chain(slacks).chain([BigRational::one()]).collect()
        })
        .collect();
    let mut gains: Row = objective.iter().map(whole).collect();
    gains.resize(width + 1, BigRational::zero());
    let mut basis: Vec<usize> = (unknowns..width).collect();
    let is_positive = |entry: &BigRational| *entry > BigRational::zero();
    while let Some(entering) = gains[..width].iter().position(is_positive) {
        let limits = (0..num_rows).filter(|&i| is_positive(&tableau[i][entering]));
        let Some(leaving) = limits.min_by_key(|&i| (&tableau[i][width] / &tableau[i][entering], basis[i])) else {
            let mut ray = vec![BigRational::zero(); width];
            ray[entering] = BigRational::one();
            basis.iter().zip(&tableau).for_each(|(&variable, row)| ray[variable] = -&row[entering]);
            ray.truncate(unknowns);
            return Optimum::Unbounded { ray };
        };
        let factor = tableau[leaving][entering].recip();
        tableau[leaving].iter_mut().for_each(|entry| *entry *= &factor);
        let by = tableau[leaving].clone();
        tableau.iter_mut().enumerate().filter(|(i, _)| *i != leaving).for_each(|(_, row)| eliminate(row, &by, entering));
        eliminate(&mut gains, &by, entering);
        basis[leaving] = entering;
    }
    let mut x = vec![BigRational::zero(); width];
    basis.iter().zip(&tableau).for_each(|(&variable, row)| x[variable] = row[width].clone());
    x.truncate(unknowns);
    Optimum::Bounded { x, multipliers: gains[unknowns..width].iter().map(|gain| -gain).collect() }
}
