//! Sets of K guesses: what choosing one costs, and which scores allow it.

use crate::reference;

/// Whether scores rank the classes as the shares η do, as far as K guesses can tell: s is *top-K preserving* for η when for every class j,
/// η_j > η₍K+1₎ implies s_j > s₍K+1₎, and η_j < η₍K₎ implies s_j < s₍K₎.
///
/// Of tied scores any may be chosen; scores are preserving if and only if whatever they allow to choose are K classes of the largest total
/// share.
///
/// **Cost.** O(L) sorts of the L scores.
///
/// ```
/// use topk_loss_laws::calibration::is_preserving;
/// let shares = [0.5, 0.3, 0.2];
/// assert!(is_preserving(&[1.0, 2.0, 0.0], &shares, 2));
/// assert!(!is_preserving(&[1.0, 0.0, 0.0], &shares, 2));
/// ```
///
/// **References.** Yang, Koyejo, "On the consistency of top-k surrogate losses", ICML 2020.
///
/// # Panics
/// Not as many scores as shares, K that is not below their number, NaN.
#[must_use]
pub fn is_preserving(scores: &[f64], shares: &[f64], k: usize) -> bool {
    assert_eq!(scores.len(), shares.len(), "a score for every share");
    let kth = |numbers: &[f64], k: usize| reference::kth_largest(numbers, k).0;
    scores.iter().zip(shares).all(|(&score, &share)| {
        (share <= kth(shares, k + 1) || score > kth(scores, k + 1)) && (share >= kth(shares, k) || score < kth(scores, k))
    })
}

/// K of the classes, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selection(u32);

impl Selection {
    /// Every set of K of so many classes.
    pub fn all(k: usize, num_classes: usize) -> Vec<Self> {
        (0..1_u32 << num_classes).filter(|bits| bits.count_ones() as usize == k).map(Self).collect()
    }

    pub fn contains(self, class: usize) -> bool {
        self.0 >> class & 1 == 1
    }

    /// The share of the labels that these guesses miss beyond what the best ones miss.
    pub fn regret(self, shares: &[f64]) -> f64 {
        let k = self.0.count_ones() as usize;
        let chosen: f64 = shares.iter().enumerate().filter(|&(class, _)| self.contains(class)).map(|(_, share)| share).sum();
        reference::top_k_sum(shares, k).0 - chosen
    }

    /// Whether these are K largest scores.
    pub fn is_allowed_by(self, scores: &[f64]) -> bool {
        let leader = scores[self.leading_other(scores)];
        scores.iter().enumerate().all(|(class, &score)| !self.contains(class) || score >= leader)
    }

    /// Raises the selected classes to the highest of the others where they are below it: every point that allows the selection stays, every
    /// other point becomes one that does. Returns that other class.
    pub fn impose(self, scores: &mut [f64]) -> usize {
        let leader = self.leading_other(scores);
        let least = scores[leader];
        for (_, score) in scores.iter_mut().enumerate().filter(|&(class, _)| self.contains(class)) {
            *score = score.max(least);
        }
        leader
    }

    fn leading_other(self, scores: &[f64]) -> usize {
        let others = (0..scores.len()).filter(|&class| !self.contains(class));
        others.reduce(|leader, class| if scores[class] > scores[leader] { class } else { leader }).expect("fewer guesses than classes")
    }
}
