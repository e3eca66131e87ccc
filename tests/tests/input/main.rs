//! What is refused, by which error, and what is left as it was: bad input, the end of a float's range, more than a memory holds.

mod bad_input;
mod bad_parameters;
mod bad_wrappers;
mod coarse_float;
mod end_of_range;
mod error;
mod perturbed_bad_input;
mod scratch_len;
