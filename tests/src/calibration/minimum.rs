//! Local minima of a function that may have kinks: a quasi-Newton descent for what is smooth, a pattern search for what is not.

use topk_loss::Loss;

use super::risk::Risk;

/// A point and the risk there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Minimum {
    pub risk: f64,
    pub scores: Vec<f64>,
}

/// A slope below this share of the loss's is none: what is left to gain is less than that, also towards an infimum at infinity that is
/// approached exponentially.
const FLAT: f64 = 1e-7;

/// Less than this is no improvement, but rounding: round numbers stay what they are.
const ROUNDING: f64 = 1e-12;

impl Minimum {
    pub fn at<L: Loss<f64>>(risk: &mut Risk<L>, scores: &[f64]) -> Self {
        Self { risk: risk.value(scores), scores: risk.admitted(scores) }
    }

    /// The lower of two; of equal ones the first.
    pub fn or(self, other: Self) -> Self {
        if self.is_improved_by(other.risk) { other } else { self }
    }

    fn is_improved_by(&self, risk: f64) -> bool {
        risk < self.risk - ROUNDING * self.risk.abs() || (self.risk == f64::INFINITY && risk < self.risk)
    }

    /// Follows the Broyden–Fletcher–Goldfarb–Shanno directions downwards, with the weak Wolfe conditions by bisection, which serve
    /// functions with kinks as well.
    ///
    /// **References.** Lewis, Overton, "Nonsmooth optimization via quasi-Newton methods", Mathematical Programming 141, 2013.
    pub fn descend<L: Loss<f64>>(self, risk: &mut Risk<L>) -> Self {
        const STEPS: usize = 100;
        let dim = self.scores.len();
        let (mut x, mut grad) = (self.scores.clone(), vec![0.0; dim]);
        let mut value = risk.value_and_grad(&x, &mut grad);
        let mut inverse = identity(dim);
        for _ in 0..STEPS {
            if !value.is_finite() || is_flat(&grad, FLAT * risk.steepness) {
                break;
            }
            let mut direction: Vec<f64> = inverse.iter().map(|row| -dot(row, &grad)).collect();
            if dot(&direction, &grad) >= 0.0 {
                inverse = identity(dim);
                direction = grad.iter().map(|g| -g).collect();
            }
            let Some(next) = line_search(risk, &x, value, &grad, &direction) else { break };
            let step: Vec<f64> = next.x.iter().zip(&x).map(|(a, b)| a - b).collect();
            let bend: Vec<f64> = next.grad.iter().zip(&grad).map(|(a, b)| a - b).collect();
            update(&mut inverse, &step, &bend);
            (x, value, grad) = (next.x, next.value, next.grad);
        }
        self.or(Self { risk: value, scores: risk.admitted(&x) })
    }

    /// Tries to raise every subset of the classes together, by steps from `unit` down to its 1/1024.
    ///
    /// A function that is linear between hyperplanes sᵢ − sⱼ = c has a direction of descent if and only if one of these is: they are the
    /// edges of the cones in which it is linear. Where the function is flat all around there is nothing to do.
    pub fn polish<L: Loss<f64>>(mut self, risk: &mut Risk<L>, unit: f64) -> Self {
        const LEVELS: i32 = 6;
        if self.is_smooth(risk, unit) {
            return self;
        }
        for step in (0..LEVELS).map(|level| unit * 0.25_f64.powi(level)) {
            let mut improved = true;
            while improved {
                improved = false;
                for subset in 1..(1_u32 << self.scores.len()) - 1 {
                    let moved: Vec<f64> =
                        self.scores.iter().enumerate().map(|(class, s)| s + step * f64::from(subset >> class & 1)).collect();
                    let value = risk.value(&moved);
                    if self.is_improved_by(value) {
                        self = Self { risk: value, scores: risk.admitted(&moved) };
                        improved = true;
                    }
                }
            }
        }
        self
    }

    /// Whether the gradient vanishes nearby too: at a kink it jumps.
    fn is_smooth<L: Loss<f64>>(&self, risk: &mut Risk<L>, unit: f64) -> bool {
        const NEAR: f64 = 1e-5;
        const NEARLY_FLAT: f64 = 1e-3;
        [NEAR, -NEAR].into_iter().all(|near| {
            // A direction along which no two classes stay together.
            let nearby: Vec<f64> = self.scores.iter().zip(1_i32..).map(|(s, class)| s + near * unit * f64::from(class).sqrt()).collect();
            let mut grad = vec![0.0; nearby.len()];
            risk.value_and_grad(&nearby, &mut grad).is_finite() && is_flat(&grad, NEARLY_FLAT * risk.steepness)
        })
    }
}

struct Step {
    x: Vec<f64>,
    value: f64,
    grad: Vec<f64>,
}

/// A point along the direction that is lower and less steep; none where rounding leaves none.
fn line_search<L: Loss<f64>>(risk: &mut Risk<L>, x: &[f64], value: f64, grad: &[f64], direction: &[f64]) -> Option<Step> {
    const TRIALS: usize = 40;
    const DECREASE: f64 = 1e-4;
    const FLATTER: f64 = 0.9;
    let slope = dot(grad, direction);
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    let mut found = None;
    for _ in 0..TRIALS {
        let mut next = Step { x: x.iter().zip(direction).map(|(x, d)| x + length * d).collect(), value: 0.0, grad: vec![0.0; x.len()] };
        next.value = risk.value_and_grad(&next.x, &mut next.grad);
        // A NaN is no decrease.
        if next.value < value && next.value <= value + DECREASE * length * slope {
            let flatter = dot(&next.grad, direction) >= FLATTER * slope;
            found = Some(next);
            if flatter {
                break;
            }
            low = length;
        } else {
            high = length;
        }
        length = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * low };
    }
    found
}

fn is_flat(grad: &[f64], slope: f64) -> bool {
    grad.iter().all(|g| g.abs() < slope)
}

fn identity(dim: usize) -> Vec<Vec<f64>> {
    (0..dim).map(|i| (0..dim).map(|j| f64::from(u8::from(i == j))).collect()).collect()
}

/// H ← (1 − ρ s bᵀ) H (1 − ρ b sᵀ) + ρ s sᵀ, ρ = 1/sᵀb, unless the curvature is not positive.
fn update(inverse: &mut [Vec<f64>], step: &[f64], bend: &[f64]) {
    let curvature = dot(step, bend);
    if curvature <= 1e-14 * dot(step, step).sqrt() * dot(bend, bend).sqrt() {
        return;
    }
    let bent: Vec<f64> = inverse.iter().map(|row| dot(row, bend)).collect();
    let factor = (1.0 + dot(bend, &bent) / curvature) / curvature;
    for (i, row) in inverse.iter_mut().enumerate() {
        for (j, entry) in row.iter_mut().enumerate() {
            *entry += factor * step[i] * step[j] - (bent[i] * step[j] + step[i] * bent[j]) / curvature;
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
