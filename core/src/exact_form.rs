//! A page on how the exact form works, step by step.
//!
//! It has the mathematics behind [`Smoothing::Exact`](crate::Smoothing::Exact) and [`Exact`](crate::estimator::Exact).
//!
//! # What is computed
//!
//! L scores sᵢ, noise Zᵢ of one law, a scale ε, a rank k. Wanted are the mean of the k-th largest of s + εZ and its gradient. Let N(t) be
//! how many noised scores are above t: a sum of independent trials with probabilities pᵢ(t) = P(Z > (t − sᵢ)/ε). The k-th largest is above
//! t if N(t) ≥ k, so
//!
//! top_{k,ε} = ∫ (P(N(t) ≥ k) − 1(t < 0)) dt, ∂top_{k,ε}/∂sᵢ = ∫ P(N(t) without trial i = k − 1) · f((t − sᵢ)/ε)/ε dt, f the law's density.
//!
//! The second says: class i learns as often as it is the one that has rank k. The shares are positive and sum to 1.
//!
#![doc = include_str!("../figures/window.svg")]
//!
//! # Why that is cheap
//!
//! 1. **A window.** P(N(t) ≥ k) goes from 1 to 0 within a few ε: the yellow part. A histogram of the scores and Chernoff's bounds say
//!    where, and how little is lost outside: those bounds go into the certificate. All later work is for t in the window.
//! 2. **Few classes are near.** A class whose noise carries it into the window hardly ever needs no care of its own. All such classes,
//!    usually nearly all, enter by their Chebyshev moments: a smooth function summed over a thousand classes is that function summed over
//!    some twenty weighted points.
//! 3. **Few nodes.** The integrands are analytic and vanish at both ends, where the trapezoid rule converges exponentially. Nodes are taken
//!    sixteen at a time, side by side, one a lane of the processor, and the step is halved until the difference of two steps says that it
//!    is small enough.
//! 4. **Counts.** At a node the distribution of N(t) up to k is one multiplication and addition a class and count. Its gradient needs the
//!    distribution
//!    *without* each class; likely ones are left out by halves, never by subtraction, so that the rarest events keep their digits.
//! 5. **A certificate.** What the window, the moments, the rule and rounding may cost is added up and returned with the result
//!    ([`certified`](crate::estimator::Exact::certified)). Where it is above the tolerance the row is computed class by class, and where
//!    that does not do either, the call is an [`Error::Accuracy`](crate::Error::Accuracy).
//!
//! So the cost is linear in L whatever k, and for long rows two passes of some thirty to fifty multiplications and additions a class.
//!
//! ```
//! use topk_loss::estimator::Exact;
//! use topk_loss::noise::Normal;
//! use topk_loss::oracle::{KthLargest, Oracle};
//!
//! // The picture's row, shorter: ten classes a tenth apart, the third largest, ε = 0.25.
//! let scores: [f64; 10] = core::array::from_fn(|class| 0.1 * class as f64);
//! let exact = Exact::new(KthLargest::new(3)?, Normal, 0.25)?;
//! let (mut grad, mut scratch) = ([0.0; 10], [0.0; 1500]);
//! let certified = exact.certified(&scores, 1.0, &mut grad, &mut scratch)?;
//! assert!(certified.error_bound < 1e-7);
//! assert!((grad.iter().sum::<f64>() - 1.0).abs() < 1e-9);
//! // Every class learns, those near the third largest most.
//! assert!(grad.iter().all(|&share| share > 0.0) && grad[8] > 4.0 * grad[0]);
//!
//! // The plain form is another computation of the same integrals, slow and independent.
//! let (mut plain, mut room) = ([0.0; 10], [0.0; 1500]);
//! let value = exact.plain().value_and_add_grad(&scores, 1.0, &mut plain, &mut room)?;
//! assert!((certified.value - value).abs() < 1e-8);
//! assert!(grad.iter().zip(plain).map(|(a, b)| (a - b).abs()).sum::<f64>() <= certified.error_bound);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! # How exact
//!
#![doc = include_str!("../figures/accuracy.svg")]
//!
//! Errors against a quadrature of the example's own (`cargo run --release -p topk-loss --example accuracy`); those of draws are means over
//! eight keys.
//!
//! The default tolerance is on the L1 error of the gradient: 1e−7 in `f64`, 1e−4 in `f32`. Held against a slow
//! quadrature of its own in 28 620 cases, over all shapes of scores, L up to 10 000 and six decades of ε, no error was ever above its
//! bound; the worst ones seen were 1.2·10⁻⁸ in `f64` and 7·10⁻⁶ in `f32` at the tolerances that were the defaults then (`tests/ACCURACY.md`
//! has the table and the command).
//!
//! # What else is made of it
//!
//! Several ranks from one pass ([`RankSum`](crate::oracle::RankSum), the soft mask of [`TopKSum`](crate::oracle::TopKSum)); the chance that
//! a label is among the k largest, under the same integrals ([`TopKCrossEntropy`](crate::loss::TopKCrossEntropy)); products with the
//! Jacobian by dual numbers ([`jacobian_product`](crate::estimator::Exact::jacobian_product)); a row whose classes are on several machines
//! ([`sharded`](crate::sharded)).
//!
//! **References.** The Poisson-binomial form is classical (David, Nagaraja, "Order Statistics", 3rd ed., 2003), and so is the trapezoid
//! rule's convergence (Trefethen, Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 56, 2014). Window, moments and
//! certificate are this library's own.
