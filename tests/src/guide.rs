//! A page for authors of losses: test your own loss.
//!
//! # The loss
//!
//! It may come from any framework: two closures, one for the value and one for value and gradient, become a [`Loss`](topk_loss::Loss) by
//! [`loss_fn`](crate::loss_fn). A loss that implements the trait itself needs no closure, and is tested for what the trait promises too: no panic, no
//! NaN in silence, nothing written on an error, buffers whose contents do not matter. Here is a top-K hinge from scratch:
//!
//! ```
//! /// (1 + the (K+1)-th largest score − the label's)₊
//! fn hinge(scores: &[f64], label: usize, k: usize) -> (f64, Vec<f64>) {
//!     let mut order: Vec<usize> = (0..scores.len()).collect();
//!     order.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).unwrap());
//!     let missed = order[k];
//!     let value = 1.0 + scores[missed] - scores[label];
//!     let mut grad = vec![0.0; scores.len()];
//!     if value > 0.0 {
//!         grad[missed] += 1.0;
//!         grad[label] -= 1.0;
//!     }
//!     (value.max(0.0), grad)
//! }
//! # let _ = hinge(&[0.0, 0.0], 0, 1);
//! ```
//!
//! # The test
//!
//! Three lines say what the loss is and what it claims; [`loss_laws!`](crate::loss_laws) makes a test of each claim, and of the promises of the
//! trait.
//!
//! ```
//! use topk_loss_laws::{loss_fn, loss_laws, tolerances::ROUNDING};
//! # fn hinge(scores: &[f64], label: usize, k: usize) -> (f64, Vec<f64>) { (0.0, vec![]) }
//!
//! loss_laws! {
//!     my_hinge: f64 = |example| { let k = example.k; loss_fn(move |s: &[f64], y| hinge(s, y, k).0, move |s: &[f64], y| hinge(s, y, k)) };
//!     gradient_is_the_slope(ROUNDING), gradient_sums_to(0.0, ROUNDING), vanishes_with_the_lead(1.0, ROUNDING),
//! }
//! ```
//!
//! Which laws there are is listed in [`laws`](crate::laws). What rounding is allowed is an argument:
//! [`ROUNDING`](crate::tolerances::ROUNDING) for a loss that is computed in the float itself,
//! [`quadrature`](crate::tolerances::quadrature) where its value is only as good as one. A test prints the smallest input that was found, with
//! what is wrong there. [`check`](crate::check) and [`check_loss`](crate::check_loss) return the same as a value.
//!
//! # Three faults, and what is said of them
//!
//! The hinge with each of its lines broken in turn. Inputs shrink towards few classes and round numbers, so that the counter-example can be
//! followed by hand.
//!
//! ```
//! use topk_loss::Loss;
//! use topk_loss_laws::laws::{gradient_is_the_slope, gradient_sums_to, vanishes_with_the_lead};
//! use topk_loss_laws::{Example, Violation, check_loss, loss_fn, tolerances::ROUNDING};
//!
//! /// The hinge over the class at `rank`, counted from 0, with gradient 1 for it and `pull` for the label.
//! fn hinge(scores: &[f64], label: usize, rank: usize, pull: f64) -> (f64, Vec<f64>) {
//!     let mut order: Vec<usize> = (0..scores.len()).collect();
//!     order.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).unwrap());
//!     let missed = order[rank];
//!     let value = 1.0 + scores[missed] - scores[label];
//!     let mut grad = vec![0.0; scores.len()];
//!     if value > 0.0 {
//!         grad[missed] += 1.0;
//!         grad[label] += pull;
//!     }
//!     (value.max(0.0), grad)
//! }
//! fn loss(rank: usize, pull: f64) -> impl Loss<f64> {
//!     loss_fn(move |s: &[f64], y| hinge(s, y, rank, pull).0, move |s: &[f64], y| hinge(s, y, rank, pull))
//! }
//!
//! let slope = |loss: &dyn Loss<f64>, example: &_| gradient_is_the_slope(loss, example, ROUNDING);
//! let sum = |loss: &dyn Loss<f64>, example: &_| gradient_sums_to(loss, example, 0.0, ROUNDING);
//! let lead = |loss: &dyn Loss<f64>, example: &_| vanishes_with_the_lead(loss, example, 1.0, ROUNDING);
//! let correct = |example: &Example<f64>| loss(example.k, -1.0);
//! assert!(check_loss(correct, slope).is_ok() && check_loss(correct, sum).is_ok() && check_loss(correct, lead).is_ok());
//!
//! // The K-th largest in place of the (K+1)-th: too much is asked of a label that is among the K.
//! let refuted = check_loss(|example| loss(example.k - 1, -1.0), lead).unwrap_err();
//! assert_eq!(refuted.violation.law, "vanishes_with_the_lead");
//! let example = Example { scores: vec![2.0, 0.0], label: 0, k: 1 };
//! assert_eq!(
//!     lead(&loss(0, -1.0), &example).unwrap_err().to_string(),
//!     "vanishes_with_the_lead: the value at a lead of 2 is 1 instead of 0, off by 1 where 0 is allowed"
//! );
//!
//! // The label is not pulled up.
//! let refuted = check_loss(|example| loss(example.k, 0.0), sum).unwrap_err();
//! assert_eq!(refuted.violation.law, "gradient_sums_to");
//! let example = Example { scores: vec![0.0, 0.0], label: 0, k: 1 };
//! assert_eq!(
//!     sum(&loss(1, 0.0), &example).unwrap_err().to_string(),
//!     "gradient_sums_to: the sum of the gradient is 1 instead of 0, off by 1 where 1.4210854715202004e-14 is allowed"
//! );
//!
//! // It is pulled twice as much as the value says.
//! let refuted = check_loss(|example| loss(example.k, -2.0), slope).unwrap_err();
//! assert_eq!(refuted.violation.law, "gradient_is_the_slope");
//! assert!(refuted.violation.place.ends_with("of the gradient"));
//! assert!((refuted.violation.fault.distance().unwrap() - 1.0).abs() < 1e-6);
//! # Ok::<(), Violation>(())
//! ```
//!
//! # More
//!
//! * Oracles, noise laws and estimators have macros of their own: [`oracle_laws!`](crate::oracle_laws), [`noise_laws!`](crate::noise_laws),
//!   [`estimator_laws!`](crate::estimator_laws).
//! * A law that is yours alone is a function that returns a [`Violation`](crate::Violation); [`laws`](crate::laws) shows one.
//! * Inputs are the same on every run. `PROPTEST_CASES=10000 cargo test --release` looks longer, `PROPTEST_RNG_SEED=1` elsewhere.
