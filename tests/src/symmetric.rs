//! References of the smooth top-K SVM, in `f64`: over all subsets, and by logarithms of elementary symmetric polynomials.
//!
//! ```
//! use topk_loss_laws::reference::cross_entropy;
//! use topk_loss_laws::symmetric::smooth_top_k_svm;
//! // Of one guess, temperature 1 and no margin it is the cross-entropy.
//! let scores = [0.5, 0.0, 0.25];
//! assert!((smooth_top_k_svm(&scores, 2, 1, 1.0, 0.0).0 - cross_entropy(&scores, 2).0).abs() < 1e-14);
//! ```

use crate::reference::ValueAndGrad;

/// The loss as its formula says: every K-subset of the classes, a mean and an exponential each. Cost O(2ᴸ·L).
///
/// **Ties and NaN.** Smooth, so ties do not matter; NaN is not looked for.
///
/// ```
/// use topk_loss_laws::symmetric::{smooth_top_k_svm, smooth_top_k_svm_by_subsets};
/// let scores = [0.5, 0.0, 0.25, 1.0];
/// let (subsets, polynomials) = (smooth_top_k_svm_by_subsets(&scores, 2, 2, 0.5, 1.0), smooth_top_k_svm(&scores, 2, 2, 0.5, 1.0));
/// assert!((subsets.0 - polynomials.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn smooth_top_k_svm_by_subsets(scores: &[f64], label: usize, k: usize, temperature: f64, margin: f64) -> ValueAndGrad<f64> {
    let classes = 0..scores.len();
    let subsets = (0..1_usize << scores.len()).filter(|subset| subset.count_ones() as usize == k);
    let mean = |subset: usize| classes.clone().filter(|&j| subset >> j & 1 == 1).map(|j| scores[j]).sum::<f64>() / k as f64;
    let exponent = |subset: usize| {
        let missed = if subset >> label & 1 == 1 { 0.0 } else { margin };
        (missed + mean(subset)) / temperature
    };
    let log_sum = |subsets: &[usize]| {
        let largest = subsets.iter().map(|&a| exponent(a)).fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = subsets.iter().map(|&a| (exponent(a) - largest).exp()).collect();
        let total: f64 = shares.iter().sum();
        let with = |j: usize| subsets.iter().zip(&shares).filter(|(a, _)| **a >> j & 1 == 1).map(|(_, share)| share).sum::<f64>();
        (largest + total.ln(), classes.clone().map(|j| with(j) / total).collect::<Vec<f64>>())
    };
    let (all, hits): (Vec<usize>, Vec<usize>) = (subsets.clone().collect(), subsets.filter(|a| a >> label & 1 == 1).collect());
    let ((all, of_all), (hit, of_hits)) = (log_sum(&all), log_sum(&hits));
    (temperature * (all - hit), of_all.iter().zip(of_hits).map(|(a, b)| (a - b) / k as f64).collect())
}

/// ln(exp a + exp b).
fn log_add(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if large == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}

/// ln e_0 … ln e_k of one number more.
fn joined(logs: &[f64], number: f64) -> Vec<f64> {
    (0..logs.len()).map(|m| if m == 0 { logs[0] } else { log_add(logs[m], logs[m - 1] + number) }).collect()
}

/// The loss by ln e_K and ln e_{K−1} of the other classes, the gradient by every class's share in both. Cost O(L·K) logarithms.
///
/// Scores are taken within ±100 temperatures of the K-th largest other one: what lies beyond is in or out for certain.
///
/// **Ties and NaN.** Smooth, so ties do not matter; NaN is not looked for.
///
/// See [`smooth_top_k_svm_by_subsets`] for an example.
///
/// # Panics
/// Fewer than k + 1 classes.
#[must_use]
pub fn smooth_top_k_svm(scores: &[f64], label: usize, k: usize, temperature: f64, margin: f64) -> ValueAndGrad<f64> {
    let mut ranked: Vec<f64> = (0..scores.len()).filter(|&j| j != label).map(|j| scores[j]).collect();
    ranked.sort_by(|a, b| b.total_cmp(a));
    let (center, width) = (ranked[k - 1], k as f64 * temperature);
    let numbers: Vec<f64> = scores.iter().map(|s| ((s - center) / width).clamp(-100.0, 100.0)).collect();
    let none: Vec<f64> = (0..=k).map(|m| if m == 0 { 0.0 } else { f64::NEG_INFINITY }).collect();
    let mut suffixes = vec![none.clone()];
    for (j, &number) in numbers.iter().enumerate().rev() {
        let last = &suffixes[suffixes.len() - 1];
        suffixes.push(if j == label { last.clone() } else { joined(last, number) });
    }
    let whole = suffixes.pop().expect("at least the empty product");
    let lag = (margin + (center - scores[label]) / k as f64) / temperature + (whole[k] - whole[k - 1]);
    let loss = temperature * log_add(0.0, lag);
    let weight = (lag - log_add(0.0, lag)).exp() / k as f64;

    let mut prefix = none;
    let mut grad = vec![0.0; scores.len()];
    for (j, &number) in numbers.iter().enumerate() {
        let suffix = suffixes.pop().expect("one a class");
        if j == label {
            grad[j] = -weight;
            continue;
        }
        // ln e_m of all but this one.
        let without = |m: usize| (0..=m).fold(f64::NEG_INFINITY, |sum, i| log_add(sum, prefix[i] + suffix[m - i]));
        let fewer = if k > 1 { (number + without(k - 2) - whole[k - 1]).exp() } else { 0.0 };
        grad[j] = weight * ((number + without(k - 1) - whole[k]).exp() - fewer);
        prefix = joined(&prefix, number);
    }
    (loss, grad)
}
