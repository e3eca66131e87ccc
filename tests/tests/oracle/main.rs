//! Oracles, order statistics, maximizers, metrics, dual numbers.

mod dual;
mod maximizer;
mod metrics;
mod oracle;
mod perturbed_argmax;
mod select;
