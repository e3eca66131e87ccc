//! Laws of derivatives: the gradient is the slope of the value.
//!
//! ```
//! use topk_loss::{CrossEntropy, Loss};
//! use topk_loss_laws::{check_loss, laws, tolerances::ROUNDING};
//! let law = |loss: &dyn Loss<f64>, example: &_| laws::gradient_is_the_slope(loss, example, ROUNDING);
//! assert!(check_loss(|_| CrossEntropy, law).is_ok());
//! ```

use topk_loss::{Loss, Real};

use super::differences::Slope;
use super::law::{Law, Stop, magnitude};
use crate::reference::{ValueAndGrad, to_f64};
use crate::violation::Violation;
use crate::{Example, Tolerance};

/// The gradient is the slope of the value in every score.
///
/// At a kink, where the slopes of two sides differ or single scores do not tell the slope of all together, the derivative does not exist and the
/// gradient may be any of those nearby: no entry is less than the least or more than the largest entry of the gradients a small step away.
///
/// `tolerance` is how well the value is computed. An error of the gradient is found if it is well above the cube root of that squared,
/// 1e−9 or so of the loss's curvature in `f64`.
///
/// **Cost.** Four calls of the loss a class where it is smooth and the gradient right; several times as many elsewhere.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{Example, laws, tolerances::ROUNDING, loss_fn};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 0, k: 1 };
/// assert_eq!(laws::gradient_is_the_slope(&CrossEntropy, &example, ROUNDING), Ok(()));
/// let wrong = loss_fn(|s: &[f64], _| s[0] * s[0], |s: &[f64], _| (s[0] * s[0], vec![s[0], 0.0, 0.0])); // a factor of 2 is missing
/// assert!(laws::gradient_is_the_slope(&wrong, &example, ROUNDING).is_err());
/// ```
///
/// # Errors
/// It is not; the first class whose entry is wrong.
pub fn gradient_is_the_slope<F: Real>(loss: &dyn Loss<F>, example: &Example<F>, tolerance: Tolerance) -> Result<(), Violation> {
    Law("gradient_is_the_slope").judge(|law| {
        let around = Around::new(law, &loss, example, tolerance)?;
        for (class, &entry) in around.at.1.iter().enumerate() {
            if around.agrees(class, entry)? {
                continue;
            }
            let (step, slope) = around.best(&Direction::Score(class))?;
            let missed = (to_f64(entry) - slope.slope).abs();
            if missed <= slope.error {
                continue;
            }
            let place = format_args!("entry {class} of the gradient");
            if around.is_differentiable(step, missed / 4.0)? {
                law.close(place, to_f64(entry), slope.slope, slope.error)?;
            } else {
                law.between(place, to_f64(entry), around.nearby(step)?, slope.error)?;
            }
        }
        Ok(())
    })
}

/// The slopes from both sides agree in every score, and together: the loss is smooth, as far as differences can tell.
///
/// **Cost.** About sixteen calls of the loss a class.
///
/// ```
/// use topk_loss::{CrossEntropy, TopKHinge};
/// use topk_loss_laws::{Example, laws, tolerances::ROUNDING};
/// let example = Example { scores: vec![0.5, 0.0, 0.5], label: 1, k: 1 };
/// assert_eq!(laws::has_no_kink(&CrossEntropy, &example, ROUNDING), Ok(()));
/// assert!(laws::has_no_kink(&TopKHinge::new(1)?, &example, ROUNDING).is_err()); // two classes are tied
/// # Ok::<(), topk_loss::Error>(())
/// ```
///
/// # Errors
/// They do not; the first class whose slopes differ, or that the classes' slopes do not add up.
pub fn has_no_kink<F: Real>(loss: &dyn Loss<F>, example: &Example<F>, tolerance: Tolerance) -> Result<(), Violation> {
    Law("has_no_kink").judge(|law| {
        let around = Around::new(law, &loss, example, tolerance)?;
        let mut total = 0.0;
        let allowed = |slope: &Slope| slope.error + KINK * around.largest();
        for class in 0..example.scores.len() {
            let (_, slope) = around.best(&Direction::Score(class))?;
            let place = format_args!("the jump of the slope in score {class}");
            law.close(place, slope.jump, 0.0, allowed(&slope))?;
            total += weight(class, 0) * slope.slope;
        }
        let (_, slope) = around.best(&Direction::All(0))?;
        let uncertain = allowed(&slope) * example.scores.len() as f64;
        Ok(law.close("the slope in all scores", slope.slope, total, uncertain)?)
    })
}

/// A jump of the slope by this share of the gradient's largest entry is a kink.
const KINK: f64 = 1e-3;

/// Where a difference leads: into one score, or into all at different speeds, in one of many orders.
enum Direction {
    Score(usize),
    All(usize),
}

/// So many orders hold, for any three tied classes, one in which each is the middle one.
const ORDERS: usize = 24;

/// How fast a class moves with all others: by between ½ and 1, no two alike.
fn weight(class: usize, order: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    0.5 + 0.5 * (((class + 1) * (order + 1)) as f64 * GOLDEN).fract()
}

/// A loss about an example's scores; a `dyn` one, so that the search for the best step is compiled once and not for every loss.
struct Around<'a, F> {
    law: Law,
    loss: &'a dyn Loss<F>,
    example: &'a Example<F>,
    at: ValueAndGrad<F>,
    /// What the value may be off.
    noise: f64,
    /// The same as a share.
    precision: f64,
}

impl<'a, F: Real> Around<'a, F> {
    fn new(law: Law, loss: &'a dyn Loss<F>, example: &'a Example<F>, tolerance: Tolerance) -> Result<Self, Stop> {
        let at = law.evaluate(loss, &example.scores, example.label)?;
        let noise = tolerance.of::<F>(magnitude(&example.scores, &at));
        Ok(Self { law, loss, example, at, noise, precision: tolerance.of::<F>(1.0) })
    }

    fn moved(&self, direction: &Direction, by: f64) -> Vec<F> {
        let speed = |class| match *direction {
            Direction::Score(moving) => f64::from(u8::from(class == moving)),
            Direction::All(order) => weight(class, order),
        };
        self.example.scores.iter().enumerate().map(|(class, &score)| score + F::from_f64(by * speed(class))).collect()
    }

    fn rise(&self, direction: &Direction, by: f64) -> Result<f64, Stop> {
        let value = self.law.value(self.loss, &self.moved(direction, by), self.example.label)?;
        Ok(to_f64(value) - to_f64(self.at.0))
    }

    fn slope(&self, direction: &Direction, step: f64) -> Result<Slope, Stop> {
        Slope::new(step, self.noise, |by| self.rise(direction, by))
    }

    /// The usual case, for a quarter of the work: the first step tells the slope well, and the entry is it.
    fn agrees(&self, class: usize, entry: F) -> Result<bool, Stop> {
        let slope = self.slope(&Direction::Score(class), self.precision.cbrt())?;
        Ok(slope.error <= KINK * self.largest() && (to_f64(entry) - slope.slope).abs() <= slope.error)
    }

    /// The largest entry of the gradient.
    fn largest(&self) -> f64 {
        self.at.1.iter().fold(0.0, |largest, &g| largest.max(to_f64(g.abs())))
    }

    fn best(&self, direction: &Direction) -> Result<(f64, Slope), Stop> {
        Slope::best(self.precision, self.noise, |by| self.rise(direction, by))
    }

    /// Whether, at this step, no score's slopes differ from left to right and all together have the sum of their slopes, up to `doubt`.
    fn is_differentiable(&self, step: f64, doubt: f64) -> Result<bool, Stop> {
        let mut sum = 0.0;
        for class in 0..self.example.scores.len() {
            let slope = self.slope(&Direction::Score(class), step)?;
            if slope.jump.abs() > doubt || slope.error > doubt {
                return Ok(false);
            }
            sum += weight(class, 0) * slope.slope;
        }
        let all = self.slope(&Direction::All(0), step)?;
        Ok(all.jump.abs() <= doubt && (all.slope - sum).abs() <= doubt)
    }

    /// The least and the largest entry of the gradients a step away, in many directions.
    fn nearby(&self, step: f64) -> Result<(f64, f64), Stop> {
        let mut range = (0.0_f64, 0.0_f64);
        for order in 0..ORDERS {
            let (_, grad) = self.law.evaluate(self.loss, &self.moved(&Direction::All(order), step), self.example.label)?;
            range = grad.into_iter().map(to_f64).fold(range, |(least, most), g| (least.min(g), most.max(g)));
        }
        Ok(range)
    }
}
