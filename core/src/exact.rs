//! The smoothed order statistic without a random number.
//!
//! N(t), the number of noised scores above t, is a sum of independent trials with p_i(t) = P(Z > t − u_i), u_i = (s_i − center)/ε, and
//! top_{k,ε} is an integral of P(N(t) ≥ k) over t. One file a step:
//!
//! | step | file |
//! |---|---|
//! | coarse histogram of the scores, certified window of t | `profile` |
//! | which classes need individual care | `division` |
//! | the others by Chebyshev moments, as a few weighted classes | `chebyshev`, `summary`, `classes` |
//! | distributions of N(t) and of N(t) without one class | `counts`, `node` |
//! | trapezoid rule over t, error bound | `trapezoid`, `quadrature` |

mod chebyshev;
mod classes;
pub(crate) mod contest;
mod counts;
mod division;
mod node;
mod precision;
mod problem;
mod profile;
mod quadrature;
mod ranks;
mod summary;
mod trapezoid;

pub use division::Division;
pub use profile::Profile;
pub use quadrature::Solution;
pub use ranks::Ranks;
pub use summary::{Part, Summary};

pub(crate) use precision::Precision;
pub(crate) use problem::Problem;
pub(crate) use profile::tail;
pub(crate) use quadrature::scratch_len;
pub(crate) use trapezoid::MAX_INTERVALS;
