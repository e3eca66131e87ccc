//! What a library without `std` must say about panics. Core reaches none: `.ci/no_std` links it without a
//! panic's code; what is left here waits for a watchdog.

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
