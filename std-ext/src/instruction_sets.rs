//! The instruction sets of this machine: kernels take the best, tests hold what each computes against what the others do.

use core::cell::Cell;

use pulp::Arch;

thread_local! {
    static FORCED: Cell<Option<Arch>> = const { Cell::new(None) };
}

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

/// What a kernel that is made on this thread runs by.
pub(crate) fn best() -> Arch {
    FORCED.get().unwrap_or_default()
}

/// Runs `test` once under each, which it is told by name. Other threads go on by the best: what it computes is for [`Threads::ONE`](crate::Threads::ONE).
pub fn under_each(mut test: impl FnMut(&str)) {
    for arch in available() {
        FORCED.set(Some(arch));
        // The features that it comes with are in brackets.
        test(format!("{arch:?}").split('(').next().unwrap_or_default());
    }
    FORCED.set(None);
}
