//! The scores of least risk for a distribution of the label, among the corners in any order of the classes.

use topk_loss::{Error, Loss, Result};

/// Scores, and the loss of each label there.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub scores: Vec<i64>,
    pub losses: Vec<i64>,
}

impl Point {
    /// # Errors
    /// The loss's; scores beyond ±2⁵³; a loss that is no whole number below that, and so perhaps rounded.
    pub fn new(loss: &impl Loss<f64>, scores: Vec<i64>) -> Result<Self> {
        const WHOLE: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
        if scores.iter().any(|score| score.unsigned_abs() >= WHOLE as u64) {
            return Err(Error::Overflow { what: "a corner" });
        }
        let floats: Vec<f64> = scores.iter().map(|&score| score as f64).collect();
        let mut scratch = vec![0.0; loss.scratch_len(floats.len())];
        let losses = (0..floats.len()).map(|label| match loss.value(&floats, label, &mut scratch)? {
            value if value.fract() == 0.0 && value.abs() < WHOLE => Ok(value as i64),
            _ => Err(Error::Parameter { name: "loss", must: "whole numbers at the corners of its cells" }),
        });
        let losses = losses.collect::<Result<_>>()?;
        Ok(Self { scores, losses })
    }

    /// By how much the losses are above a rival's.
    pub fn excess(&self, rival: &Self) -> Vec<i64> {
        self.losses.iter().zip(&rival.losses).map(|(own, other)| own - other).collect()
    }
}

/// Σ shares · losses.
///
/// # Errors
/// It is beyond 128 bits.
pub(super) fn risk(shares: &[i128], losses: &[i64]) -> Result<i128> {
    let products = shares.iter().zip(losses).map(|(share, &loss)| share.checked_mul(loss.into()));
    let sum = products.into_iter().try_fold(0_i128, |sum, product| sum.checked_add(product?));
    sum.ok_or(Error::Overflow { what: "a risk" })
}

/// Some points, and with each all that come of it by another order of the classes.
pub(super) struct Rivals {
    /// The ranks of each by ascending loss.
    points: Vec<Point>,
}

impl Rivals {
    pub fn new(points: &[Point]) -> Self {
        let by_loss = |point: &Point| {
            let mut ranks: Vec<usize> = (0..point.losses.len()).collect();
            ranks.sort_by_key(|&rank| point.losses[rank]);
            let [scores, losses] = [&point.scores, &point.losses].map(|entries| ranks.iter().map(|&rank| entries[rank]).collect());
            Point { scores, losses }
        };
        Self { points: points.iter().map(by_loss).collect() }
    }

    /// The one of least risk: of a point's orders, that with the least loss for the likeliest label and so on.
    pub fn best(&self, shares: &[i128]) -> Result<Point> {
        let mut classes: Vec<usize> = (0..shares.len()).collect();
        classes.sort_by_key(|&class| core::cmp::Reverse(shares[class]));
        let ranked: Vec<i128> = classes.iter().map(|&class| shares[class]).collect();
        let mut least: Option<(i128, &Point)> = None;
        for point in &self.points {
            let risk = risk(&ranked, &point.losses)?;
            if least.is_none_or(|(least, _)| risk < least) {
                least = Some((risk, point));
            }
        }
        let (_, point) = least.expect("equal scores are a corner");
        let mut best = point.clone();
        for (rank, &class) in classes.iter().enumerate() {
            (best.scores[class], best.losses[class]) = (point.scores[rank], point.losses[rank]);
        }
        Ok(best)
    }
}
