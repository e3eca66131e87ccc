//! What a library without `std` must say about panics. None is reachable: `.ci/no_std` links core without a panic's code.

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
