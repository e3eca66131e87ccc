//! In your framework: how a loss of this crate becomes a part of a graph that is differentiated automatically.
//!
//! For [candle](https://crates.io/crates/candle-core) and [burn](https://crates.io/crates/burn) it is done: `topk-loss-candle`, `topk-loss-burn`.
//! For any other the pattern is the same, and short.
//!
//! # The pattern
//!
//! The framework hands over the logits and takes back a value with a gradient. Both are computed in one call, in the forward pass; the
//! backward pass multiplies by what comes for the value. The smallest node is that of the examples' losses, neither weighted nor reduced:
//! what reduces them are the framework's own operations, on as many numbers as there are examples.
//!
//! ```
//! use topk_loss::TopKHinge;
//! use topk_loss_batch::{Reduction, Rows, RowsMut, Targets, Threads, coefficients, objective_and_grads, values_and_grads};
//!
//! /// What a framework keeps of a node: the gradients, a row an example.
//! struct Node {
//!     grads: Vec<f32>,
//! }
//!
//! impl Node {
//!     /// What a framework calls, with the gradient that comes for every loss.
//!     fn backward(&self, num_classes: usize, incoming: &[f32]) -> Vec<f32> {
//!         let rows = self.grads.chunks(num_classes).zip(incoming);
//!         rows.flat_map(|(row, factor)| row.iter().map(move |entry| entry * factor)).collect()
//!     }
//! }
//!
//! let (logits, labels, loss) = ([0.5_f32, 0.0, 0.25, 2.0, 1.0, 0.0], [0_i64, 2], TopKHinge::new(1)?);
//! let (mut losses, mut grads, targets) = ([0.0; 2], vec![0.0; 6], Targets::new(&labels));
//! values_and_grads(&loss, Rows::new(&logits, 3)?, &targets, &mut losses, RowsMut::new(&mut grads, 3)?, Threads::all())?;
//! let node = Node { grads };
//!
//! // The framework's: a weighted sum, whose derivatives are the coefficients.
//! let coefficients = coefficients(&loss, &targets, Reduction::Mean)?;
//! let mean = losses.iter().zip(&coefficients).map(|(loss, c)| c * loss).sum::<f32>();
//! let grad = node.backward(3, &coefficients);
//!
//! let mut expected = [0.0; 6];
//! let into = RowsMut::new(&mut expected, 3)?;
//! let objective = objective_and_grads(&loss, Rows::new(&logits, 3)?, &targets, Reduction::Mean, into, Threads::ONE)?;
//! assert_eq!((mean, &grad[..]), (objective, &expected[..]));
//! # Ok::<(), topk_loss_batch::BatchError>(())
//! ```
//!
//! # Three ways
//!
//! | way | the backward pass | needs | costs beside the loss |
//! |---|---|---|---|
//! | a node of its own | multiplies the kept gradient, a row by a number | the framework's interface for operations of one's own | a gradient's memory while the graph lives, one pass over it |
//! | a surrogate, ℓ + Σ_j g_j·(s_j − s̄_j) with constants g and s̄ = s | the framework's own | nothing: two subtractions and a product of tensors | three passes forward, one backward, and their memory |
//! | a replay | computes value and gradient again, by the same key | an operation of one's own that holds the loss | the value a second time, no memory |
//!
//! The surrogate's difference is exactly 0, so that its value is ℓ to the last bit; Σ g·s less a constant copy of itself saves a pass and loses
//! that. A replay draws what the forward pass drew, because the key says what is drawn; it is worth its time where memory is scarce.
//!
//! Measured on logits of 256 × 1000, forward and backward, on one thread of an AMD EPYC (`benches/step.rs` of the two crates, whose READMEs have the tables): in
//! burn a step of the cross-entropy took 0.24 times what burn's own did as a node, 0.46 times as a surrogate. A replay took 0.84 to 0.98
//! times what keeping the gradient did for the cross-entropy, and 1.68 to 2.05 times for the exact top-5 hinge.
//!
//! # Pitfalls
//!
//! **Kinks.** A hinge has no derivative where two scores tie or the margin is just met; the gradient is one-sided there, by the lowest
//! index. Checking it by differences fails at such points for every framework. Logits that are all equal, as those of weights that start
//! at zero, are one.
//!
//! **Reductions.** Means divide by the examples that count. A weighted mean divides by their weights, those of classes included, as torch's
//! and burn's; candle's cross-entropy has no weights. Where all are ignored a mean is an error here, and NaN in torch and burn.
//!
//! **Mixed precision.** Rows of half precision are widened one at a time. A gradient that is multiplied by 1/B before it is rounded to `f16`
//! loses what is below 6·10⁻⁸, and a loss scale that follows cannot bring it back: keep the gradient unweighted, as above.
//! Not in the kernel but in the framework: the sum of the losses, which belongs in `f32`.
//!
//! **Micro-batches.** Examples draw by their number: [`Targets::from_example`](crate::Targets::from_example) numbers those of a micro-batch
//! on, and a step has [`fold_in`](topk_loss::FoldIn::fold_in) of its own. Without the latter every step draws the same noise.
//!
//! **Threads.** All of rayon's unless told otherwise; a framework that has a pool of its own beside it runs both.
//!
//! # Recipes
//!
//! The surrogate in frameworks that are not built with this workspace.
//!
//! dfdx 0.13, with `logits` traced and `scores = logits.as_vec()`; it was compiled and run, and gave the numbers above:
//!
//! ```text
//! let objective = objective_and_grads(&loss, Rows::new(&scores, classes)?, &targets, Reduction::Mean, RowsMut::new(&mut grads, classes)?, Threads::all())?;
//! let constant = dev.tensor_from_vec(scores.clone(), *logits.shape());
//! let grads = dev.tensor_from_vec(grads, *logits.shape());
//! let loss = ((logits - constant) * grads).sum() + objective;
//! let gradients = loss.backward();
//! ```
//!
//! tch (PyTorch), with `scores: &[f32]` from `logits.detach()` on the CPU; it was not compiled:
//!
//! ```text
//! values_and_grads(&loss, Rows::new(scores, classes)?, &Targets::new(labels), &mut losses, RowsMut::new(&mut grads, classes)?, Threads::all())?;
//! let grads = Tensor::from_slice(&grads).view_as(&logits).to_device(logits.device());
//! let zero = ((&logits - logits.detach()) * grads).sum_dim_intlist(-1, false, Kind::Float);
//! let loss = (zero + Tensor::from_slice(&losses).to_device(logits.device())).mean(Kind::Float);
//! loss.backward();
//! ```
