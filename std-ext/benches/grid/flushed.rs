//! The processor's flags that take subnormal numbers for zero.
//!
//! Where a call is faster with them, it computes with subnormal numbers. The library itself never sets them.

/// Whether this is written for the processor.
pub const KNOWN: bool = cfg!(target_arch = "x86_64");

/// Runs with both flags set, where that is known.
#[cfg(target_arch = "x86_64")]
pub fn flushed(run: impl FnOnce()) {
    /// Restores the flags, after a panic too.
    struct Restore(u32);

    impl Drop for Restore {
        fn drop(&mut self) {
            load(self.0);
        }
    }

    const FLUSH_TO_ZERO: u32 = 1 << 15;
    const DENORMALS_ARE_ZERO: u32 = 1 << 6;
    let restore = Restore(stored());
    load(restore.0 | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
    run();
}

#[cfg(target_arch = "x86_64")]
fn stored() -> u32 {
    let mut register = 0_u32;
    // SAFETY: the instruction writes the 4 bytes that the pointer is valid for.
    unsafe { core::arch::asm!("stmxcsr [{}]", in(reg) &raw mut register, options(nostack, preserves_flags)) };
    register
}

/// Rust asks that code runs with the default flags, and promises no result without them: the bench looks at none.
#[cfg(target_arch = "x86_64")]
fn load(register: u32) {
    // SAFETY: the instruction reads the 4 bytes that the pointer is valid for; no bit is set that the processor reserves.
    unsafe { core::arch::asm!("ldmxcsr [{}]", in(reg) &raw const register, options(nostack, preserves_flags)) };
}

#[cfg(not(target_arch = "x86_64"))]
pub fn flushed(run: impl FnOnce()) {
    run();
}
