//! What the operating system and libc would have brought: an entry, an exit, and the four memory functions that compiled code calls.

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

// The kernel enters with an aligned stack; a function expects to be called, one word later.
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "call {start}", "ud2", start = sym start);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "bl {start}", "brk #1", start = sym start);

extern "C" fn start() -> ! {
    let code = crate::main();
    // SAFETY: exit_group takes a number and does not return.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("syscall", in("rax") 231, in("rdi") code, options(noreturn, nostack));
        #[cfg(target_arch = "aarch64")]
        asm!("svc #0", in("x8") 94, in("x0") code, options(noreturn, nostack));
    }
}

unsafe extern "C" {
    /// Defined nowhere.
    fn a_panic_is_reachable() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: a program that contains this call does not link.
    unsafe { a_panic_is_reachable() }
}

// Volatile accesses keep the compiler from turning these loops into calls of the functions they are.

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    for i in 0..len {
        // SAFETY: both ranges are valid by the contract.
        unsafe { to.add(i).write_volatile(from.add(i).read_volatile()) };
    }
    to
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    if to.cast_const() <= from {
        // SAFETY: copying upwards reads every byte before it is overwritten.
        return unsafe { memcpy(to, from, len) };
    }
    for i in (0..len).rev() {
        // SAFETY: both ranges are valid by the contract.
        unsafe { to.add(i).write_volatile(from.add(i).read_volatile()) };
    }
    to
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    for i in 0..len {
        // SAFETY: the range is valid by the contract.
        unsafe { to.add(i).write_volatile(byte as u8) };
    }
    to
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    for i in 0..len {
        // SAFETY: both ranges are valid by the contract.
        let (a, b) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}
