//! Naive references of the losses and their parts: by sorting, with a fresh vector for everything.
//!
//! Nothing here calls the functions it stands beside.
//!
//! ```
//! use topk_loss::{Loss, Margins, TopKHinge};
//! use topk_loss_laws::reference::{hinge, kth_largest};
//! let (scores, mut grad) = ([0.5, 0.0, 0.25], [0.0; 3]);
//! let value = TopKHinge::new(1)?.value_and_grad(&scores, 0, &mut grad, &mut [0.0; 6])?;
//! assert_eq!((value, grad.to_vec()), hinge(kth_largest(&scores, 2), &scores, 0, Margins::Uniform(1.0), 1.0));
//! # Ok::<(), topk_loss::Error>(())
//! ```

mod imbalance;
mod normal;

pub use imbalance::{ldam_margins, log_priors};
pub use normal::{ln_normal_survival, normal_hazard, normal_pdf, normal_survival};

use topk_loss::loss::TopKSvmForm;
use topk_loss::{Margins, Real};

/// A value and its gradient, one entry a class.
///
/// ```
/// use topk_loss_laws::reference::{ValueAndGrad, kth_largest};
/// let (value, grad): ValueAndGrad<f64> = kth_largest(&[0.5, 2.0, 1.0], 2);
/// assert_eq!((value, grad), (1.0, vec![0.0, 0.0, 1.0]));
/// ```
pub type ValueAndGrad<F> = (F, Vec<F>);

/// The classes from the highest score to the lowest; equal scores by index, lowest first.
///
/// **Cost.** A sort.
///
/// ```
/// use topk_loss_laws::reference::ranking;
/// assert_eq!(ranking(&[0.5, 2.0, 2.0]), [1, 2, 0]);
/// ```
///
/// # Panics
/// A NaN among the scores.
pub fn ranking<F: Real>(scores: &[F]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    // The sort is stable, which is the rule for ties.
    classes.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).expect("scores are not NaN"));
    classes
}

/// s₍ₖ₎ and the one-hot of where it stands.
///
/// **Ties and NaN.** Ties go to the lowest index; NaN panics.
///
/// **Cost.** A sort.
///
/// ```
/// use topk_loss_laws::reference::kth_largest;
/// assert_eq!(kth_largest(&[0.5, 2.0, 2.0], 2), (2.0, vec![0.0, 0.0, 1.0]));
/// ```
pub fn kth_largest<F: Real>(scores: &[F], k: usize) -> ValueAndGrad<F> {
    let index = ranking(scores)[k - 1];
    let mut grad = vec![F::zero(); scores.len()];
    grad[index] = F::one();
    (scores[index], grad)
}

/// s₍₁₎ + … + s₍ₖ₎ and the mask of the classes summed.
///
/// **Ties and NaN.** Ties go to the lowest index; NaN panics.
///
/// **Cost.** A sort.
///
/// ```
/// use topk_loss_laws::reference::top_k_sum;
/// assert_eq!(top_k_sum(&[0.5, 2.0, 1.0], 2), (3.0, vec![0.0, 1.0, 1.0]));
/// ```
pub fn top_k_sum<F: Real>(scores: &[F], k: usize) -> ValueAndGrad<F> {
    let (mut sum, mut grad) = (F::zero(), vec![F::zero(); scores.len()]);
    for &class in &ranking(scores)[..k] {
        sum += scores[class];
        grad[class] = F::one();
    }
    (sum, grad)
}

/// The mean over `draws` of f at the perturbed scores, and of its gradient.
///
/// The scores are perturbed relative to `center`, which any f with f(θ + c·1) = f(θ) + c·Σ∇f allows; 0 leaves them as they are.
///
/// **Ties and NaN.** Those of f.
///
/// **Cost.** A call of f a draw.
///
/// ```
/// use topk_loss_laws::reference::{kth_largest, pathwise};
/// let draws = [vec![0.0, 1.0], vec![0.0, -1.0]];
/// assert_eq!(pathwise(|s| kth_largest(s, 1), &[0.0, 0.0], 0.0, 1.0, &draws), (0.5, vec![0.5, 0.5]));
/// ```
pub fn pathwise<F: Real>(f: impl Fn(&[F]) -> ValueAndGrad<F>, scores: &[F], center: F, epsilon: F, draws: &[Vec<F>]) -> ValueAndGrad<F> {
    let count = F::from_usize(draws.len());
    let (mut sum, mut grad) = (F::zero(), vec![F::zero(); scores.len()]);
    for draw in draws {
        let perturbed: Vec<F> = scores.iter().zip(draw).map(|(&s, &z)| (s - center) + epsilon * z).collect();
        let (value, gradient) = f(&perturbed);
        sum += value;
        grad.iter_mut().zip(gradient).for_each(|(mean, g)| *mean += g / count);
    }
    let mass = grad.iter().fold(F::zero(), |mass, &g| mass + g);
    (sum / count + center * mass, grad)
}

/// scale · (m_y + f(s) − s_y)₊ for an f with the given value and gradient; at the kink the gradient is zero.
///
/// **Ties and NaN.** Those of f; NaN is not looked for.
///
/// **Cost.** O(L).
///
/// ```
/// use topk_loss::Margins;
/// use topk_loss_laws::reference::{hinge, kth_largest};
/// let scores = [0.5, 0.0, 0.25];
/// let top_1 = hinge(kth_largest(&scores, 2), &scores, 0, Margins::Uniform(1.0), 1.0);
/// assert_eq!(top_1, (0.75, vec![-1.0, 0.0, 1.0]));
/// ```
pub fn hinge<F: Real>((value, grad): ValueAndGrad<F>, scores: &[F], label: usize, margins: Margins<'_, F>, scale: F) -> ValueAndGrad<F> {
    let slack = margin_of(margins, label) + (value - scores[label]);
    if slack <= F::zero() {
        return (F::zero(), vec![F::zero(); scores.len()]);
    }
    let mut grad: Vec<F> = grad.iter().map(|&g| scale * g).collect();
    grad[label] -= scale;
    (scale * slack, grad)
}

fn margin_of<F: Real>(margins: Margins<'_, F>, label: usize) -> F {
    match margins {
        Margins::Uniform(margin) => margin,
        Margins::PerClass(margins) => margins[label],
    }
}

/// The uncalibrated top-K hinges, each as its formula says, from a sorted list of the violations m_y + sⱼ − s_y.
///
/// **Ties and NaN.** Ties go to the lowest index; NaN panics.
///
/// **Cost.** A sort.
///
/// ```
/// use topk_loss::Margins;
/// use topk_loss::loss::TopKSvmForm;
/// use topk_loss_laws::reference::top_k_svm;
/// let (value, _) = top_k_svm(&[0.5, 0.0, 0.25], 0, 1, TopKSvmForm::KthOther, Margins::Uniform(1.0), 1.0);
/// assert_eq!(value, 0.75);
/// ```
pub fn top_k_svm<F: Real>(scores: &[F], label: usize, k: usize, form: TopKSvmForm, margins: Margins<'_, F>, scale: F) -> ValueAndGrad<F> {
    let violation = |class: usize| match class == label {
        true => F::zero(),
        false => margin_of(margins, label) + (scores[class] - scores[label]),
    };
    let mut ranked: Vec<usize> = ranking(scores).into_iter().filter(|&class| class != label).collect();
    if form == TopKSvmForm::MeanWithLabel {
        let behind = |&class: &usize| violation(class) < F::zero() || (violation(class) == F::zero() && class > label);
        ranked.insert(ranked.iter().position(behind).unwrap_or(ranked.len()), label);
    }
    ranked.truncate(k);
    match form {
        TopKSvmForm::KthOther => ranked = vec![ranked[k - 1]],
        TopKSvmForm::MeanOutside => ranked.retain(|&class| violation(class) > F::zero()),
        TopKSvmForm::MeanInside | TopKSvmForm::MeanWithLabel => {}
    }
    let share = if form == TopKSvmForm::KthOther { F::one() } else { F::from_usize(k).recip() };
    let value = scale * (ranked.iter().fold(F::zero(), |sum, &class| sum + share * violation(class)));
    let mut grad = vec![F::zero(); scores.len()];
    if value <= F::zero() {
        return (F::zero(), grad);
    }
    for class in ranked {
        grad[class] += scale * share;
        grad[label] -= scale * share;
    }
    (value, grad)
}

/// −(1 − p)^γ ln p and its derivative by the chain rule through p, always in `f64`.
///
/// **Ties and NaN.** Smooth, so ties do not matter; NaN is not looked for.
///
/// **Cost.** O(L).
///
/// ```
/// use topk_loss_laws::reference::focal;
/// assert!((focal(&[0.0, 0.0], 1, 2.0).0 - 0.25 * 2.0_f64.ln()).abs() < 1e-15);
/// ```
pub fn focal<F: Real>(scores: &[F], label: usize, gamma: f64) -> ValueAndGrad<f64> {
    let (mut surprise, mut grad) = cross_entropy(scores, label);
    let score = to_f64(scores[label]);
    let odds: f64 = (0..scores.len()).filter(|&class| class != label).map(|class| (to_f64(scores[class]) - score).exp()).sum();
    let miss = if odds.is_finite() { odds / (1.0 + odds) } else { 1.0 };
    if odds < 1.0 {
        surprise = odds.ln_1p();
        grad[label] = -miss;
    }
    // −dℓ/dp · p, and dp is −p times the gradient of −ln p.
    let weight = miss.powf(gamma) + gamma * miss.powf(gamma - 1.0) * (1.0 - miss) * surprise;
    (miss.powf(gamma) * surprise, grad.iter().map(|g| weight * g).collect())
}

/// The cross-entropy of scale · (s − m_y e_y), always in `f64`.
///
/// **Ties and NaN.** Smooth, so ties do not matter; NaN is not looked for.
///
/// **Cost.** O(L).
///
/// ```
/// use topk_loss::Margins;
/// use topk_loss_laws::reference::ldam;
/// assert!((ldam(&[1.0, 0.0], 0, Margins::Uniform(1.0), 30.0).0 - 2.0_f64.ln()).abs() < 1e-15);
/// ```
pub fn ldam<F: Real>(scores: &[F], label: usize, margins: Margins<'_, F>, scale: f64) -> ValueAndGrad<f64> {
    let mut scaled: Vec<f64> = scores.iter().map(|&s| scale * to_f64(s)).collect();
    scaled[label] -= scale * to_f64(margin_of(margins, label));
    let (value, grad) = cross_entropy(&scaled, label);
    (value, grad.iter().map(|g| scale * g).collect())
}

/// −Σ qⱼ ln pⱼ and softmax minus q, always in `f64`.
///
/// **Ties and NaN.** Smooth, so ties do not matter; NaN is not looked for.
///
/// **Cost.** O(L²): a cross-entropy a class.
///
/// ```
/// use topk_loss_laws::reference::soft_cross_entropy;
/// assert!((soft_cross_entropy(&[0.0, 0.0], &[0.75, 0.25]).0 - 2.0_f64.ln()).abs() < 1e-15);
/// ```
pub fn soft_cross_entropy<F: Real>(scores: &[F], target: &[F]) -> ValueAndGrad<f64> {
    let (mut value, mut grad) = (0.0, vec![0.0; scores.len()]);
    for (label, &share) in target.iter().enumerate().filter(|(_, share)| **share > F::zero()) {
        let (part, part_grad) = cross_entropy(scores, label);
        value += to_f64(share) * part;
        grad.iter_mut().zip(part_grad).for_each(|(sum, g)| *sum += to_f64(share) * g);
    }
    (value, grad)
}

/// ln Σ exp(sⱼ) − s_y and softmax minus one-hot, always in `f64`.
///
/// **Ties and NaN.** Smooth, so ties do not matter; NaN is not looked for.
///
/// **Cost.** O(L).
///
/// ```
/// use topk_loss_laws::reference::cross_entropy;
/// assert_eq!(cross_entropy(&[0.0, 0.0], 1), (2.0_f64.ln(), vec![0.5, -0.5]));
/// ```
pub fn cross_entropy<F: Real>(scores: &[F], label: usize) -> ValueAndGrad<f64> {
    let scores: Vec<f64> = scores.iter().map(|&s| to_f64(s)).collect();
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = scores.iter().map(|s| (s - largest).exp()).collect();
    let total: f64 = exponentials.iter().sum();
    let mut grad: Vec<f64> = exponentials.iter().map(|e| e / total).collect();
    grad[label] -= 1.0;
    (total.ln() + (largest - scores[label]), grad)
}

/// Any float as the `f64` of the same value.
///
/// ```
/// assert_eq!(topk_loss_laws::reference::to_f64(0.5_f32), 0.5);
/// ```
///
/// # Panics
/// A float that `f64` cannot hold.
pub fn to_f64<F: Real>(x: F) -> f64 {
    x.to_f64().expect("a float has an f64")
}
