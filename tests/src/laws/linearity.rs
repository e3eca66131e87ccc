//! Laws of piecewise linear losses: what a [certificate](crate::certificate) takes for granted.
//!
//! ```
//! use topk_loss::{CrossEntropy, TopKHinge};
//! use topk_loss_laws::{Example, Segment, certificate::Cells, laws, tolerances::ROUNDING};
//! let segment = Segment { example: Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 }, to: vec![-1.0, 2.0, 0.0] };
//! assert_eq!(laws::is_linear_in_cells(&TopKHinge::new(1)?, &segment, Cells::of_kth, 1.0, ROUNDING), Ok(()));
//! assert!(laws::is_linear_in_cells(&CrossEntropy, &segment, Cells::of_kth, 1.0, ROUNDING).is_err());
//! # Ok::<(), topk_loss::Error>(())
//! ```

use topk_loss::{Loss, Real, Result};

use super::law::{Law, magnitude};
use crate::Tolerance;
use crate::certificate::Cells;
use crate::reference::{ranking, to_f64};
use crate::strategies::Segment;
use crate::violation::Violation;

/// The loss depends on the sorted scores and the label's rank alone, and is linear inside the cells that `cells` makes of L and K.
///
/// Compared are both ends of a segment of sorted scores, up to where it leaves its first cell, and the middle.
///
/// **Cost.** Four calls of the loss.
///
/// ```
/// use topk_loss::TopKHinge;
/// use topk_loss_laws::{Example, Segment, certificate::Cells, laws, tolerances::ROUNDING};
/// let segment = Segment { example: Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 }, to: vec![-1.0, 2.0, 0.0] };
/// let (hinge, margin) = (TopKHinge::new(1)?, 1.0);
/// assert_eq!(laws::is_linear_in_cells(&hinge, &segment, Cells::of_kth, margin, ROUNDING), Ok(()));
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// It is not.
///
/// # Panics
/// There are no cells of that size.
pub fn is_linear_in_cells<F: Real>(
    loss: &dyn Loss<F>,
    segment: &Segment<F>,
    cells: impl Fn(usize, usize) -> Result<Cells>,
    margin: f64,
    tolerance: Tolerance,
) -> core::result::Result<(), Violation> {
    Law("is_linear_in_cells").judge(|law| {
        let Segment { example, to } = segment;
        let order = ranking(&example.scores);
        let rank = order.iter().position(|&class| class == example.label).unwrap_or_default();
        let [from, to] = [&example.scores, to].map(|scores| {
            let sorted = ranking(scores).into_iter().map(|class| scores[class]);
            sorted.collect::<Vec<F>>()
        });
        let start = law.evaluate(loss, &from, rank)?;
        let unsorted = law.value(loss, &example.scores, example.label)?;
        law.close("the value", unsorted, start.0, tolerance.of::<F>(magnitude(&from, &start)))?;

        let cells = cells(from.len(), example.k).expect("cells of this size");
        let [near, far] = [&from, &to].map(|scores| scores.iter().map(|&score| to_f64(score)).collect::<Vec<f64>>());
        let crossings = cells.cuts().iter().filter_map(|cut| {
            let (near, far) = (cut.side(&near, margin), cut.side(&far, margin));
            (near * far < 0.0).then(|| near / (near - far))
        });
        let inside = crossings.fold(1.0, f64::min);
        let path = Segment { example: crate::Example { scores: from, ..*example }, to };
        let [middle, end] = [0.5 * inside, inside].map(|share| path.at(share));
        let [halfway, arrived] = [law.evaluate(loss, &middle, rank)?, law.evaluate(loss, &end, rank)?];
        let mean = 0.5 * (to_f64(start.0) + to_f64(arrived.0));
        let scale = [&start, &halfway, &arrived].map(|place| magnitude(&path.example.scores, place).max(magnitude(&path.to, place)));
        let allowed = tolerance.of::<F>(scale.into_iter().fold(0.0, f64::max));
        Ok(law.close("the value in the middle", to_f64(halfway.0), mean, allowed)?)
    })
}
