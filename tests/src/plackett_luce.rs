//! The Plackett–Luce model by enumeration: classes are drawn one after the other, each by a softmax over those that are left.
//!
//! ```
//! use topk_loss_laws::plackett_luce::label_among_the_first;
//! // One draw is a softmax, whose −ln is the cross-entropy.
//! assert!((label_among_the_first(&[0.0; 4], 2, 1).0 - 4.0_f64.ln()).abs() < 1e-15);
//! ```

use crate::reference::ValueAndGrad;

/// −ln P(the label is among the first k drawn) and its gradient, in `f64`. Cost O(L!/(L − k)!·L).
///
/// **References.** Plackett, "The analysis of permutations", Applied Statistics 24, 1975.
///
/// **Ties and NaN.** Smooth, so ties do not matter. NaN is not looked for.
///
/// ```
/// use topk_loss_laws::plackett_luce::label_among_the_first;
/// // Of three equal classes two are drawn.
/// let (loss, grad) = label_among_the_first(&[0.0; 3], 0, 2);
/// assert!((loss - 1.5_f64.ln()).abs() < 1e-15 && grad.iter().sum::<f64>().abs() < 1e-15);
/// ```
#[must_use]
pub fn label_among_the_first(scores: &[f64], label: usize, k: usize) -> ValueAndGrad<f64> {
    let mut left: Vec<usize> = (0..scores.len()).collect();
    let Drawn { hit, missed, slope } = draw(scores, &mut left, label, k);
    let loss = if missed < hit { -(-missed).ln_1p() } else { -hit.ln() };
    (loss, slope.iter().map(|slope| -slope / hit).collect())
}

/// P(the label is among the next k), P(it is not), and the gradient of the first.
struct Drawn {
    hit: f64,
    missed: f64,
    slope: Vec<f64>,
}

fn draw(scores: &[f64], left: &mut Vec<usize>, label: usize, k: usize) -> Drawn {
    let mut sum = Drawn { hit: 0.0, missed: 0.0, slope: vec![0.0; scores.len()] };
    if k == 0 {
        return Drawn { missed: 1.0, ..sum };
    }
    let largest = left.iter().map(|&j| scores[j]).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = left.iter().map(|&j| (scores[j] - largest).exp()).sum();
    let shares: Vec<(usize, f64)> = left.iter().map(|&j| (j, (scores[j] - largest).exp() / total)).collect();
    for (place, &(class, share)) in shares.iter().enumerate() {
        let next = if class == label {
            Drawn { hit: 1.0, missed: 0.0, slope: vec![0.0; scores.len()] }
        } else {
            left.remove(place);
            let next = draw(scores, left, label, k - 1);
            left.insert(place, class);
            next
        };
        sum.hit += share * next.hit;
        sum.missed += share * next.missed;
        sum.slope.iter_mut().zip(&next.slope).for_each(|(sum, slope)| *sum += share * slope);
        sum.slope[class] += share * next.hit;
        shares.iter().for_each(|&(other, other_share)| sum.slope[other] -= share * other_share * next.hit);
    }
    sum
}
