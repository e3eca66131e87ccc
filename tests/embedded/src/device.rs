//! What a Cortex-M needs to run a report: output and exit by semihosting.

use cortex_m_semihosting::{debug, hprintln};
use panic_semihosting as _;
use topk_loss::Result;

use crate::Print;

/// Runs the report and tells the debugger, here QEMU, how it went.
pub fn run(report: fn(&mut Print<'_>) -> Result<()>) -> ! {
    let result = report(&mut |line| hprintln!("{}", line));
    if let Err(error) = result {
        hprintln!("{}", error);
    }
    #[cfg(feature = "measure")]
    hprintln!("{} bytes of stack", stack_peak());
    debug::exit(result.map_err(drop));
    loop {
        cortex_m::asm::wfi();
    }
}

/// How deep the stack has been: from its start down to the lowest word that is no longer as the reset painted it.
#[cfg(feature = "measure")]
pub fn stack_peak() -> usize {
    unsafe extern "C" {
        static _stack_start: u32;
        static _stack_end: u32;
    }
    let (start, mut lowest) = (&raw const _stack_start, &raw const _stack_end);
    // SAFETY: the linker script gives the words from end to start to the stack.
    while lowest < start && unsafe { lowest.read_volatile() } == cortex_m_rt::STACK_PAINT_VALUE {
        lowest = lowest.wrapping_add(1);
    }
    start as usize - lowest as usize
}

/// Of the timer, when QEMU is told to let an instruction take a nanosecond: the machine's clock has 25 MHz.
#[cfg(feature = "measure")]
pub const INSTRUCTIONS_OF_A_TICK: u32 = 40;

#[cfg(feature = "measure")]
const LONGEST: u32 = 0x00ff_ffff;

/// The timer, which counts down; started by the first call.
#[cfg(feature = "measure")]
pub fn timer() -> u32 {
    if let Some(mut timer) = cortex_m::Peripherals::take().map(|peripherals| peripherals.SYST) {
        timer.set_clock_source(cortex_m::peripheral::syst::SystClkSource::Core);
        timer.set_reload(LONGEST);
        timer.clear_current();
        timer.enable_counter();
    }
    cortex_m::peripheral::SYST::get_current()
}

/// At most 2²⁴, so that no more than half a second may pass.
#[cfg(feature = "measure")]
pub fn ticks_since(start: u32) -> u32 {
    start.wrapping_sub(timer()) & LONGEST
}
