//! A page on microcontrollers: a loss without `std`, allocator or file system, what it takes of flash and stack, and what fits.
//!
//! # What is needed
//!
//! Nothing but the crate, for any target that `rustup target add` knows: `cargo build --release --target thumbv7em-none-eabihf`. All memory
//! is the caller's, so arrays on the stack or `static`s serve, and [`scratch_len`](crate::Loss::scratch_len) says how large. A wrong
//! argument is an [`Error`](crate::Error), a `Copy` of some words; no code path panics, so no formatting is linked. With the feature `defmt`
//! the host that reads the log formats it: `defmt::error!("{}", error)`.
//!
//! ```
//! use topk_loss::{Loss, TopKHinge};
//! const CLASSES: usize = 4;
//! const RATE: f32 = 0.5;
//!
//! /// One step of descent on the bias of a classifier with four classes and two guesses.
//! fn step(bias: &mut [f32; CLASSES], label: usize) -> topk_loss::Result<f32> {
//!     let (mut grad, mut scratch) = ([0.0; CLASSES], [0.0; 2 * CLASSES]);
//!     let loss = TopKHinge::new(2)?.value_and_grad(bias, label, &mut grad, &mut scratch)?;
//!     bias.iter_mut().zip(grad).for_each(|(bias, grad)| *bias -= RATE * grad);
//!     Ok(loss)
//! }
//!
//! let mut bias = [0.0; CLASSES];
//! assert_eq!([step(&mut bias, 3)?, step(&mut bias, 3)?, step(&mut bias, 3)?], [1.0, 0.5, 0.0]);
//! # Ok::<(), topk_loss::Error>(())
//! ```
//!
//! # What a loss takes
//!
//! Bytes, and one call of value and gradient in `f32`, K = 5, of 100 classes, on a Cortex-M4 in QEMU at opt-level z. Flash and stack are
//! what an image has above one without a loss (`tests/embedded/measure` makes the table of all losses, lengths and levels
//! in `tests/embedded/README.md`):
//!
//! | loss | flash | stack | scratch | thousands of instructions |
//! |---|---|---|---|---|
//! | hard hinge | 1796 | 156 | 800 | 12 |
//! | polyhedral hinge | 3760 | 1712 | 400 | 57 |
//! | pathwise hinge | 4248 | 364 | 1200 | 366 |
//! | conditional hinge | 6784 | 372 | 1200 | 578 |
//! | cross-entropy | 4468 | 2032 | 0 | 19 |
//! | exact hinge | 132480 | 8312 | 23728 | 1534 |
//! | top-K cross-entropy, normal | 124712 | 8256 | 23280 | 7316 |
//!
//! So the losses without an integral fit small machines: with ten classes all of them ran on a Cortex-M0 with 256 KB of flash and 16 KB of
//! RAM. The exact hinge fits there too and leaves 2 KB; the others that integrate take more flash together than that machine has.
//!
//! # Saving flash
//!
//! [`TopKHinge`](crate::TopKHinge) chooses its smoothing when it runs, so an image with it holds all four. [`Hinge`](crate::loss::Hinge)
//! over [`KthLargest`](crate::oracle::KthLargest) or [`Pathwise`](crate::estimator::Pathwise) is the same loss and links nothing else; the
//! table's rows of hinges are of these.
//!
//! # The same numbers as on the host
//!
//! Exponentials, logarithms and the error function are `libm`'s, sums have one order, and draws come from a counter-based generator. A
//! linear head that is trained for 200 steps on a Cortex-M4F in QEMU, with five losses, prints the bits that a host prints
//! (`.ci/run qemu`).
