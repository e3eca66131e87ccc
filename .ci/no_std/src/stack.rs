//! How much stack a call takes: the room below is painted before it, and looked at after it.

use crate::bare::stack_pointer;

/// More than any call may take.
const ROOM: usize = 64 * 1024;
/// What the painter itself may keep below its stack pointer, twice over.
const OWN: usize = 256;
const PAINT: usize = 0x5aa5_c33c;
const WORD: usize = size_of::<usize>();

/// From the caller's end of the stack to the lowest word that the call has changed; a call that takes less than the painter reads as that.
#[inline(never)]
pub fn of(call: &mut dyn FnMut()) -> usize {
    let end = stack_pointer() & !(WORD - 1);
    paint(end);
    call();
    end - lowest_changed(end)
}

#[inline(never)]
fn paint(end: usize) {
    let mut word = end - ROOM;
    while word < stack_pointer() - OWN {
        // SAFETY: the stack is larger than what is painted, and nobody uses it below this function.
        unsafe { (word as *mut usize).write_volatile(PAINT) };
        word += WORD;
    }
}

#[inline(never)]
fn lowest_changed(end: usize) -> usize {
    let mut word = end - ROOM;
    // SAFETY: the words up to the end of the caller's stack are those that were painted or are in use.
    while word < end && unsafe { (word as *const usize).read_volatile() } == PAINT {
        word += WORD;
    }
    word
}
