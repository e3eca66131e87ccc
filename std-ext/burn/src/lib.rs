//! The losses of `topk-loss` on [burn]'s tensors: [`TopKLossConfig`] describes any of them, [`TopKLoss`] is a module like burn's own losses.
//!
//! ```
//! use burn::tensor::{Device, Int, Tensor};
//! use topk_loss::config::BaseConfig;
//! use topk_loss_burn::TopKLossConfig;
//!
//! let device = Device::flex().autodiff();
//! let logits = Tensor::<2>::from_data([[0.5, 0.0, 0.25], [2.0, 1.0, 0.0]], &device).require_grad();
//! let targets = Tensor::<1, Int>::from_data([0, 2], &device);
//!
//! let criterion = TopKLossConfig::new(BaseConfig::PolyhedralHinge { k: 1, margin: 1.0 }).init(&device);
//! let loss = criterion.forward(logits.clone(), targets);
//! let grads = loss.backward();
//!
//! assert_eq!(loss.into_scalar::<f32>(), 1.375); // the mean of 0.75 and 2
//! let grad = logits.grad(&grads).unwrap().into_data();
//! assert_eq!(grad.as_slice::<f32>().unwrap(), [-0.5, 0.0, 0.5, 0.0, 0.5, -0.5]);
//! ```
mod config;
mod error;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "head")]
mod head;
mod module;
mod node;

pub use burn::nn::loss::Reduction;
pub use config::TopKLossConfig;
pub use error::{Error, Result};
pub use module::TopKLoss;
pub use node::{Precision, losses, soft_losses};
