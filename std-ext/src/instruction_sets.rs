//! The instruction sets of this machine, for tests that hold kernels against themselves.

use pulp::Arch;

/// From none to the widest.
pub(crate) fn available() -> Vec<Arch> {
    let mut available = vec![Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    {
        available.extend(pulp::x86::V3::try_new().map(Arch::V3));
        available.extend(pulp::x86::V4::try_new().map(Arch::V4));
    }
    available
}
