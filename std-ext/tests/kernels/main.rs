//! The kernels with quadratures against core's code in double precision.

mod exact;
mod rows;
mod top_k_cross_entropy;
mod top_k_hinges;
