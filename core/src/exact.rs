//! How a smoothed order statistic is computed without a random number: the steps, one file each.
//!
//! N(t), the number of noised scores above t, is a sum of independent trials with p_i(t) = P(Z > t − u_i), u_i = (s_i − center)/ε, and
//! top_{k,ε} is an integral of P(N(t) ≥ k) over t. One file a step, each calling only those above it but for `partition` and `summary`,
//! which hand out what the next step starts from:
//!
//! | step | file |
//! |---|---|
//! | what is wanted, and how exactly | `ranks`, `precision`, `problem` |
//! | coarse histogram of the scores, certified window of t | `histogram`, `bounds` with `divisible`, `chernoff`, `search` |
//! | the same of classes that are elsewhere, and sums over them | `census`, `reproducible` |
//! | which classes need individual care | `partition` with `places` |
//! | the others by Chebyshev moments, as a few weighted classes | `chebyshev`, `summary` with `pass`, `classes` |
//! | distributions of N(t) and of N(t) without one class, at 16 nodes | `tails`, `counts`, `leave_one_out`, `nodes`; one by one, `plain` |
//! | trapezoid rule over t, error bound | `rule` |
//! | what the integrals are for | `mean`, `inclusion` with `few` and `label` |
//! | values and gradients | `solution` with `gradient`, and of a whole row, `row`; what is asked of it, `task`, `competitors` |
//!
//! The hot loops are written for 16 [lanes](crate::lanes): functions that a caller inlines, so that they take its instruction set.

mod bounds;
pub(crate) mod census;
mod chebyshev;
mod chernoff;
mod classes;
mod competitors;
mod counts;
mod histogram;
mod inclusion;
mod leave_one_out;
mod mean;
mod nodes;
mod partition;
mod plain;
mod precision;
mod problem;
mod ranks;
mod reproducible;
mod row;
mod rule;
mod search;
mod solution;
mod summary;
mod tails;
mod task;

pub use histogram::Histogram;
pub use partition::Partition;
pub use ranks::{AsRanks, Ranks};
pub use solution::Solution;
pub use summary::{Part, Summary};

pub(crate) use competitors::Competitors;
pub(crate) use precision::{Precision, is_double, most_terms};
pub(crate) use problem::{Problem, never};
pub(crate) use ranks::Run;
pub(crate) use reproducible::Grid;
pub(crate) use row::{most_told, scratch_len, shard_scratch_len};
pub(crate) use task::{Output, Question};
// Of hidden methods.
pub use inclusion::Label;
pub use task::{Outcome, Task};
