//! The instruction sets of this machine, for tests that hold kernels against themselves.

use pulp::Arch;

/// The best one, and the plain one.
pub(crate) fn available() -> impl Iterator<Item = Arch> {
    let widest = Arch::new();
    let narrower = [
        Arch::Scalar,
        #[cfg(target_arch = "x86_64")]
        pulp::x86::V3::try_new().map_or(Arch::Scalar, Arch::V3),
    ];
    narrower.into_iter().chain([widest])
}
