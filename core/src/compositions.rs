//! A page on what noise is averaged over, the order statistic or the loss: *hinge of the mean*, *mean of the hinge*, and what few draws do
//! to each.
//!
//! A hinge and an expectation do not commute. With X = (s + εZ)₍K+1₎, the noised order statistic, and its mean top_ε = E X:
//!
//! | name | loss | type | estimated by B draws |
//! |---|---|---|---|
//! | hinge of the mean (the paper's) | (m_y + E X − s_y)₊ | [`Hinge`](crate::loss::Hinge) over [`Pathwise`](crate::estimator::Pathwise), [`TopKHinge`](crate::TopKHinge) | biased upwards near the kink, unbiased for its own B-draw objective |
//! | hinge of the mean, exact | the same | [`Hinge`](crate::loss::Hinge) over [`Exact`](crate::estimator::Exact) | no draws, no bias |
//! | mean of the hinge | E (m_y + X − s_y)₊ | [`MeanOfHinge`](crate::loss::MeanOfHinge) | unbiased for every B |
//! | smoothed loss | E ℓ(s + εZ, y) | [`SmoothedLoss`](crate::loss::SmoothedLoss) of any ℓ | unbiased for every B |
//!
//! The last two differ by the label: a smoothed hinge perturbs s_y too, the mean of the hinge only the scores inside the order statistic.
//! By Jensen's inequality the mean of the hinge is the larger loss: at the kink by 0.4 standard deviations of X where X is
//! near normal, a few of them away from it by nothing.
//!
//! # What few draws do
//!
//! The hinge of the mean of B draws has the expectation E (m_y + X̄ − s_y)₊ with X̄ the mean of B copies of X, which is above
//! (m_y + E X − s_y)₊ by the same inequality: it goes over from the mean of the hinge, at B = 1, to the exact loss, at B = ∞.
//!
//! Measured with standard normal scores of L = 1000 classes, K = 5, ε = 0.01, a margin of 1 and a label whose exact loss is 0.0002, that is
//! 0.02 ε inside the kink. The columns are means over many keys, with their standard errors, of the loss and of minus its derivative in
//! the label's score; a test of this workspace produces every number.
//!
//! | B | hinge of the mean | label | mean of the hinge | label |
//! |---|---|---|---|---|
//! | 1 | 0.00408 ± 0.00004 | 0.512 ± 0.004 | 0.00403 ± 0.00004 | 0.510 ± 0.004 |
//! | 5 | 0.00186 ± 0.00003 | 0.518 ± 0.006 | 0.00406 ± 0.00003 | 0.510 ± 0.002 |
//! | 50 | 0.00063 ± 0.00003 | 0.519 ± 0.018 | 0.00404 ± 0.00003 | 0.508 ± 0.002 |
//! | exact | 0.00020 | 1 | 0.00406 | 0.510 |
//!
//! At B = 5 the paper's composition reports nine times the loss it stands for, and pulls at the label half as hard: in half of its
//! estimates the example counts as solved. The mean of the hinge reports the same at every B, its own loss, which is another one. The exact
//! form reports what the formula says. Five ε inside the kink no estimate reaches it, and all agree.
//!
//! For fixed draws each of these gradients is that of the value it comes with: training by the hinge of the mean of B draws
//! follows an unbiased gradient, of the B-draw objective.
//!
//! **References.** Garcin, Servajean, Joly, Salmon, "Stochastic smoothing of the top-K calibrated hinge loss for deep imbalanced
//! classification", ICML 2022 (the hinge of the mean).
//!
//! ```
//! use topk_loss::estimator::Pathwise;
//! use topk_loss::loss::{Hinge, MeanOfHinge};
//! use topk_loss::noise::Normal;
//! use topk_loss::oracle::KthLargest;
//! use topk_loss::sampler::GivenDraws;
//! use topk_loss::{Key, Loss, Margins};
//! // Two draws, by which the second largest score is 1 and 1.5, a margin of 1, the label's score between 2 and 2.5.
//! let (scores, draws) = ([2.25, 1.0, 0.5], [0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
//! let (second, sampler) = (KthLargest::new(2)?, GivenDraws::new(Normal, &draws, 3)?);
//! let of_the_mean = Hinge::new(Pathwise::new(second, sampler, 0.5, Key::new(0))?, Margins::Uniform(1.0), 1.0)?;
//! let mean_of = MeanOfHinge::new(second, sampler, 0.5, Key::new(0))?;
//! assert_eq!(of_the_mean.value(&scores, 0, &mut [0.0; 9])?, 0.0);
//! assert_eq!(mean_of.value(&scores, 0, &mut [0.0; 9])?, 0.125);
//! # Ok::<(), topk_loss::Error>(())
//! ```
