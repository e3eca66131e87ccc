//! What the kernels without a random number share. One file a step:
//!
//! | step | file |
//! |---|---|
//! | bounds on a count from its mean | `chernoff` |
//! | the classes that need individual care | `candidates` |
//! | Chebyshev moments of the others, as a few weighted classes | `moments`, `chebyshev` |
//! | both, of the pieces of a row | `summary` |
//! | the nodes of the trapezoid rule | `rule` |
//! | distributions of the count above t at 16 nodes at once, each class's share | `nodes`, `counts`, `leave_one_out`, `lanes` |

pub mod candidates;
pub mod chebyshev;
pub mod chernoff;
pub mod counts;
pub mod lanes;
pub mod leave_one_out;
pub mod moments;
pub mod nodes;
pub mod rule;
pub mod summary;
