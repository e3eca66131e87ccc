//! The noise laws, in both floats.

use topk_loss::noise::{Gumbel, Laplace, Logistic, Normal, Uniform};
use topk_loss_laws::noise_laws;

noise_laws!(normal: f64 = Normal);
noise_laws!(normal_in_f32: f32 = Normal);
noise_laws!(gumbel: f64 = Gumbel);
noise_laws!(gumbel_in_f32: f32 = Gumbel);
noise_laws!(logistic: f64 = Logistic);
noise_laws!(logistic_in_f32: f32 = Logistic);
noise_laws!(laplace: f64 = Laplace);
noise_laws!(laplace_in_f32: f32 = Laplace);
noise_laws!(uniform: f64 = Uniform);
noise_laws!(uniform_in_f32: f32 = Uniform);
