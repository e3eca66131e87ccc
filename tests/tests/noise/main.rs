//! Noise laws, samplers, keys, and the statistical tests that judge them.

mod key;
mod laws;
mod noise;
mod sampler;
mod sampler_kinds;
mod sampler_moments;
mod statistics;
