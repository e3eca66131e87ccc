//! The smoothed order statistic by a slow, independent quadrature: every class by itself, prefix and suffix products.
//!
//! ```
//! use topk_loss::estimator::Exact;
//! use topk_loss::noise::Normal;
//! use topk_loss::oracle::{KthLargest, Oracle};
//! use topk_loss_laws::smoothed::smoothed_kth_largest;
//! let (slow, _) = smoothed_kth_largest(&[0.3, 2.0, 1.9], 2, Normal, 0.5);
//! let fast = Exact::new(KthLargest::new(2)?, Normal, 0.5)?.value(&[0.3, 2.0, 1.9], &mut [0.0; 2000])?;
//! assert!((slow - fast).abs() < 1e-8);
//! # Ok::<(), topk_loss::Error>(())
//! ```

use topk_loss::noise::Noise;

/// E (θ + εZ)₍ₖ₎ and its gradient, in `f64`, without any of the library's shortcuts. Cost O(nodes · L · k).
///
/// **Ties and NaN.** Smooth, so ties do not matter; NaN is not looked for.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::smoothed::smoothed_kth_largest;
/// // The larger of two standard normal numbers is 1/√π on average.
/// let (value, grad) = smoothed_kth_largest(&[0.0, 0.0], 1, Normal, 1.0);
/// assert!((value - core::f64::consts::PI.sqrt().recip()).abs() < 1e-9 && (grad[0] - 0.5).abs() < 1e-9);
/// ```
#[must_use]
pub fn smoothed_kth_largest(theta: &[f64], k: usize, law: impl Noise<f64>, epsilon: f64) -> (f64, Vec<f64>) {
    if 2 * k > theta.len() + 1 {
        let mirrored: Vec<f64> = theta.iter().map(|s| -s).collect();
        let (value, gradient) = counted_from_the_top(&mirrored, theta.len() + 1 - k, Mirror(law), epsilon);
        return (-value, gradient);
    }
    counted_from_the_top(theta, k, law, epsilon)
}

fn counted_from_the_top(theta: &[f64], k: usize, law: impl Noise<f64>, epsilon: f64) -> (f64, Vec<f64>) {
    let mut sorted = theta.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let center = sorted[k - 1];
    let units: Vec<f64> = theta.iter().map(|s| (s - center) / epsilon).collect();

    let (mut low, mut high) = (-60.0, 60.0);
    for nodes in [241, 241, 161] {
        let grid = |i: usize| low + (high - low) * i as f64 / (nodes - 1) as f64;
        let exceeds: Vec<f64> = (0..nodes).map(|i| at_least(k, grid(i), &units, &law)).collect();
        let first = exceeds.iter().rposition(|&p| p >= 1.0 - 1e-14).unwrap_or(0);
        let last = exceeds.iter().position(|&p| p <= 1e-14).unwrap_or(nodes - 1);
        (low, high) = (grid(first), grid(last));
    }

    const NODES: usize = 241;
    let step = (high - low) / (NODES - 1) as f64;
    let (mut value, mut gradient) = (low, vec![0.0; theta.len()]);
    for i in 0..NODES {
        let weight = if i == 0 || i == NODES - 1 { step / 2.0 } else { step };
        let t = low + step * i as f64;
        value += weight * at_least(k, t, &units, &law);
        add_densities(k, t, weight, &units, &law, &mut gradient);
    }
    (center + epsilon * value, gradient)
}

/// The law of −Z.
#[derive(Clone, Copy)]
struct Mirror<N>(N);

impl<N: Noise<f64>> Noise<f64> for Mirror<N> {
    fn quantile(&self, p: f64) -> f64 {
        -self.0.quantile(1.0 - p)
    }
    fn cdf(&self, z: f64) -> f64 {
        self.0.survival(-z)
    }
    fn survival(&self, z: f64) -> f64 {
        self.0.cdf(-z)
    }
    fn pdf(&self, z: f64) -> f64 {
        self.0.pdf(-z)
    }
    fn score(&self, z: f64) -> f64 {
        -self.0.score(-z)
    }
}

/// The distribution of the number of successes, up to k − 1 of them.
fn add_trial(counts: &[f64], p: f64, q: f64) -> Vec<f64> {
    (0..counts.len()).map(|j| counts[j] * q + if j > 0 { counts[j - 1] * p } else { 0.0 }).collect()
}

fn none(k: usize) -> Vec<f64> {
    let mut counts = vec![0.0; k];
    counts[0] = 1.0;
    counts
}

/// P(fewer than k above t) and P(at least k), neither as the complement of the other.
fn few_and_many(k: usize, t: f64, units: &[f64], law: &impl Noise<f64>) -> (f64, f64) {
    let (mut few, mut many) = (none(k), 0.0);
    for u in units {
        let p = law.survival(t - u);
        many += few[k - 1] * p;
        few = add_trial(&few, p, law.cdf(t - u));
    }
    (few.iter().sum(), many)
}

fn at_least(k: usize, t: f64, units: &[f64], law: &impl Noise<f64>) -> f64 {
    few_and_many(k, t, units, law).1
}

fn add_densities(k: usize, t: f64, weight: f64, units: &[f64], law: &impl Noise<f64>, gradient: &mut [f64]) {
    let mut suffixes = vec![none(k)];
    for u in units.iter().rev() {
        let next = add_trial(&suffixes[suffixes.len() - 1], law.survival(t - u), law.cdf(t - u));
        suffixes.push(next);
    }
    let mut prefix = none(k);
    for (i, u) in units.iter().enumerate() {
        let suffix = &suffixes[units.len() - 1 - i];
        let others: f64 = (0..k).map(|j| prefix[j] * suffix[k - 1 - j]).sum();
        gradient[i] += weight * others * law.pdf(t - u);
        prefix = add_trial(&prefix, law.survival(t - u), law.cdf(t - u));
    }
}

/// E ((θ + εZ)₍ₖ₎ − threshold)₊ = ∫ P((θ + εZ)₍ₖ₎ > t) dt from the threshold on, in `f64`. Cost O(nodes · L · k).
///
/// **Ties and NaN.** Smooth, so ties do not matter; NaN is not looked for.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::smoothed::mean_excess_of_kth_largest;
/// // Over a threshold far below all scores the excess is the mean, 1/√π, and the way to the threshold.
/// let excess = mean_excess_of_kth_largest(&[0.0, 0.0], 1, Normal, 1.0, -8.0);
/// assert!((excess - 8.0 - core::f64::consts::PI.sqrt().recip()).abs() < 1e-9);
/// ```
#[must_use]
pub fn mean_excess_of_kth_largest(theta: &[f64], k: usize, law: impl Noise<f64>, epsilon: f64, threshold: f64) -> f64 {
    let units: Vec<f64> = theta.iter().map(|s| (s - threshold) / epsilon).collect();
    // Simpson's rule up to where nothing is left of the probability: the integrand is smooth.
    let high = (0..60).map(f64::from).find(|&t| at_least(k, t, &units, &law) < 1e-15).unwrap_or(60.0);
    let intervals = 400;
    let step = high / f64::from(intervals);
    let weight = |i: i32| if i == 0 || i == intervals { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
    let sum: f64 = (0..=intervals).map(|i| weight(i) * at_least(k, f64::from(i) * step, &units, &law)).sum();
    epsilon * step / 3.0 * sum
}

/// −ln P(the label's noised score is among the k largest) and its gradient, in `f64`, by a dense quadrature. Cost O(nodes · L · k).
///
/// Both events are integrated, so that the loss keeps its digits where the label is nearly always among them, too; none where P is not
/// a normal number.
///
/// **Ties and NaN.** Smooth, so ties do not matter; NaN is not looked for.
///
/// ```
/// use topk_loss::noise::Normal;
/// use topk_loss_laws::smoothed::label_among_the_top;
/// // One of two equal classes is the first half of the time.
/// let (loss, _) = label_among_the_top(&[0.0, 0.0], 0, 1, Normal, 1.0).unwrap();
/// assert!((loss - 2.0_f64.ln()).abs() < 1e-9);
/// ```
#[must_use]
pub fn label_among_the_top(scores: &[f64], label: usize, k: usize, law: impl Noise<f64>, epsilon: f64) -> Option<(f64, Vec<f64>)> {
    let own = scores[label];
    let others: Vec<f64> = (0..scores.len()).filter(|&j| j != label).map(|j| (scores[j] - own) / epsilon).collect();
    // In units of ε about the label.
    let integrands = |t: f64| {
        let (few, many) = few_and_many(k, t, &others, &law);
        (few * law.pdf(t), many * law.pdf(t))
    };
    let (low, high) = others.iter().fold((0.0_f64, 0.0_f64), |(low, high), &u| (low.min(u), high.max(u)));
    let coarse: Vec<f64> = (0..).map(|i| low - 40.0 + 0.25 * f64::from(i)).take_while(|&t| t < high + 60.0).collect();
    let values: Vec<(f64, f64)> = coarse.iter().map(|&t| integrands(t)).collect();
    // Where the integrand of either event is within 1e−20 of its maximum.
    let largest = values.iter().fold((0.0_f64, 0.0_f64), |a, b| (a.0.max(b.0), a.1.max(b.1)));
    let counts = |&(few, many): &(f64, f64)| few > 1e-20 * largest.0 || many > 1e-20 * largest.1;
    let first = coarse[values.iter().position(counts)?] - 0.25;
    let last = coarse[values.iter().rposition(counts)?] + 0.25;

    // The density of an order statistic is the narrower the more classes there are.
    let widest = 0.05 / (others.len() as f64 / 40.0).sqrt().max(1.0);
    let nodes = ((last - first) / widest).ceil();
    let step = (last - first) / nodes;
    let (mut hit, mut missed, mut gradient) = (0.0, 0.0, vec![0.0; others.len()]);
    for t in (0..=nodes as usize).map(|i| first + step * i as f64) {
        let (few, many) = integrands(t);
        hit += step * few;
        missed += step * many;
        add_densities(k, t, step * law.pdf(t), &others, &law, &mut gradient);
    }
    gradient.iter_mut().for_each(|g| *g /= hit * epsilon);
    gradient.insert(label, -gradient.iter().sum::<f64>());
    let loss = if missed < hit { -(-missed).ln_1p() } else { -hit.ln() };
    (hit > 1e-290).then_some((loss, gradient))
}
