//! Estimators of a smoothed function f_ε(θ) = E f(θ + εZ): what is averaged over the draws, one file each.
//!
//! Every estimator is an [`Oracle`](crate::Oracle) of f_ε, so whatever takes an oracle takes a smoothed one.

mod exact;
mod pathwise;

pub use exact::{Certified, Exact};
pub use pathwise::Pathwise;

use crate::{Error, Real, Result};

/// Turns noise into perturbed scores in place: z ← (θ − center) + εz.
fn perturb<F: Real>(theta: &[F], center: F, epsilon: F, z: &mut [F]) -> Result<()> {
    if let Some(index) = z.iter().position(|z| !z.is_finite()) {
        return Err(Error::NotFinite { what: "noise", index });
    }
    z.iter_mut().zip(theta).for_each(|(z, &t)| *z = (t - center) + epsilon * *z);
    if z.iter().any(|z| !z.is_finite()) {
        return Err(Error::Overflow { what: "perturbed scores" });
    }
    Ok(())
}
