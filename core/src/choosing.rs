//! A page on what to choose: which loss, which smoothing, which ε.
//!
//! Everything here was seen in trainings of one linear classifier on a generated long tail, the same with noisy labels, ambiguous classes,
//! and the texts of Banking77; the tables are in `std-ext/examples/train/RESULTS.md`, and `cargo run --release --example train -- --help`
//! says how to make them of your own rows.
//!
//! # Which loss?
//!
//! | the classes | the loss | in code |
//! |---|---|---|
//! | balanced, one guess | cross-entropy | [`CrossEntropy`] |
//! | a long tail that the features tell apart, such as intents | adjusted cross-entropy | [`LogitAdjusted`] around it |
//! | a long tail easily confused, or noisy labels, and K guesses | adjusted margin cross-entropy, convex and cheap; adjusted top-K cross-entropy, the best and the dearest | [`LogitAdjusted`] around [`TopKMarginCrossEntropy`], [`TopKCrossEntropy`] |
//! | the same, from cosines of features and classes | the paper's imbalanced loss | [`TopKHinge`] with [`ldam_margins`](crate::imbalance::ldam_margins) and a scale |
//! | a hinge that must not be smoothed | the polyhedral hinge, with class weights on a tail | [`PolyhedralHinge`], [`ClassWeighted`] |
//! | several K at once, or top-1 too | a mixture | [`TopKHinges`], [`TopKCrossEntropy::mixture`] |
//!
//! On a tail, adjusting for the classes' frequencies decides more than the loss: it gave cross-entropy 13.6 points of macro top-5 accuracy,
//! and no margin or smoothing came near. The hard calibrated hinge ([`Smoothing::None`]) is for comparison: its gradient reaches one class
//! a row, and a few classes end in every top K.
//!
//! ```
//! use topk_loss::imbalance::log_priors;
//! use topk_loss::loss::{LogitAdjusted, TopKMarginCrossEntropy};
//! use topk_loss::Loss;
//! // Three classes of 900, 90 and 10 training rows, two guesses.
//! let mut priors = [0.0_f64; 3];
//! log_priors(&[900, 90, 10], 1.0, &mut priors)?;
//! let loss = LogitAdjusted::new(TopKMarginCrossEntropy::new(2, 1.0)?, priors)?.shift_invariant();
//! // Without a lead of its own the rare class costs more than the frequent one.
//! let mut scratch = [0.0; 100];
//! assert!(loss.value(&[0.0; 3], 2, &mut scratch)? > 4.0 + loss.value(&[0.0; 3], 0, &mut scratch)?);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! # Which smoothing?
//!
//! [`Smoothing::Exact`], unless draws are what you study. It has no variance, so it learns as with 50 draws at the price of five, and
//! nothing has to be replayed in a backward pass. [`Smoothing::Pathwise`] is the paper's: one to ten draws, whose gradient touches one
//! class a draw. [`Smoothing::Conditional`] with one draw is worth about five of these. The estimators of any function, with standard
//! errors, are in [`estimator`](crate::estimator); [`compositions`](crate::compositions) says what few draws do to a hinge.
//!
//! # Which ε?
//!
//! ε is in units of the scores. Two bounds, and a rule between them:
//!
//! - **Not so large that tied classes cost nothing.** K + 1 tied classes lead their own smoothed (K+1)-th score by ε·E max(Z₁, …, Z_K+1).
//!   Above margin/E max, the critical ε, the smoothed hinge is no longer calibrated: 1.77 for K = 1, 1.18 for K = 2, 0.97 for K = 3 at
//!   margin 1. So the published ε = 1 is too large for three guesses or more.
//! - **Not so small that one class learns alone.** At ε far below the gaps between the scores the smoothed gradient is the hard one.
//! - **As many classes as should learn**: [`epsilon_for_effective_classes`](crate::epsilon::epsilon_for_effective_classes) finds the ε at
//!   which the gradient of the order statistic is spread over so many. [`bias_interval`](crate::epsilon::bias_interval) says how far the
//!   statistic moves.
//!
//! ```
//! use topk_loss::epsilon::{effective_classes, epsilon_for_effective_classes};
//! use topk_loss::noise::Normal;
//! use topk_loss::oracle::KthLargest;
//! use topk_loss::{Loss, TopKHinge};
//!
//! // Three guesses and four tied classes: one is missed, and at ε = 1 that costs nothing.
//! let mut scratch = [0.0_f64; 1500];
//! assert_eq!(TopKHinge::smoothed(3, 1.0)?.value(&[0.0; 4], 0, &mut scratch)?, 0.0);
//! assert!(TopKHinge::smoothed(3, 0.9)?.value(&[0.0; 4], 0, &mut scratch)? > 0.07);
//!
//! // The fourth of these ten scores, shared by five classes.
//! let scores: [f64; 10] = core::array::from_fn(|class| -0.3 * class as f64);
//! let mut grad = [0.0; 10];
//! let epsilon = epsilon_for_effective_classes(KthLargest::new(4)?, Normal, &scores, 5.0, &mut grad, &mut scratch)?;
//! assert!((0.3..0.7).contains(&epsilon) && (effective_classes(&grad) - 5.0).abs() < 0.01);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! Published settings: ε = 0.2 to 1 on logits, 0.01 to 0.1 on cosines with a scale of 40 to 60 (Garcin, Servajean, Joly, Salmon,
//! "Stochastic smoothing of the top-K calibrated hinge loss for deep imbalanced classification", ICML 2022).
//!
//! [`CrossEntropy`]: crate::CrossEntropy
//! [`ClassWeighted`]: crate::loss::ClassWeighted
//! [`LogitAdjusted`]: crate::loss::LogitAdjusted
//! [`PolyhedralHinge`]: crate::loss::PolyhedralHinge
//! [`Smoothing::Conditional`]: crate::Smoothing::Conditional
//! [`Smoothing::Exact`]: crate::Smoothing::Exact
//! [`Smoothing::None`]: crate::Smoothing::None
//! [`Smoothing::Pathwise`]: crate::Smoothing::Pathwise
//! [`TopKCrossEntropy`]: crate::loss::TopKCrossEntropy
//! [`TopKCrossEntropy::mixture`]: crate::loss::TopKCrossEntropy::mixture
//! [`TopKHinge`]: crate::TopKHinge
//! [`TopKHinges`]: crate::loss::TopKHinges
//! [`TopKMarginCrossEntropy`]: crate::loss::TopKMarginCrossEntropy
