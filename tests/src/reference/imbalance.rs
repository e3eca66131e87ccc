//! Margins and adjustments from the number of examples of each class.

/// max_margin · n^(−1/4) / max n^(−1/4), a class without examples taken as the rarest.
///
/// **Cost.** O(L).
///
/// ```
/// use topk_loss_laws::reference::ldam_margins;
/// assert_eq!(ldam_margins(&[1, 16, 0], 0.5), [0.5, 0.25, 0.5]);
/// ```
pub fn ldam_margins(counts: &[usize], max_margin: f64) -> Vec<f64> {
    let weights: Vec<f64> = counts.iter().map(|&n| (n as f64).sqrt().sqrt().recip()).collect();
    let largest = weights.iter().copied().filter(|w| w.is_finite()).fold(0.0, f64::max);
    weights.iter().map(|w| max_margin * (w / largest).min(1.0)).collect()
}

/// τ ln(n / Σ n).
///
/// **Cost.** O(L).
///
/// ```
/// use topk_loss_laws::reference::log_priors;
/// assert_eq!(log_priors(&[1, 3], 1.0), [0.25_f64.ln(), 0.75_f64.ln()]);
/// ```
pub fn log_priors(counts: &[usize], temperature: f64) -> Vec<f64> {
    let total: f64 = counts.iter().map(|&n| n as f64).sum();
    counts.iter().map(|&n| temperature * (n as f64 / total).ln()).collect()
}
