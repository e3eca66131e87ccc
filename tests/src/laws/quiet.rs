//! Catches panics without printing them, so that a law can judge them.

use core::any::Any;
use core::cell::Cell;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread's panics are caught here.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// What `call` returns, or the message of its panic, which is not printed: while a fault is shrunk there are thousands.
///
/// Every other panic is printed by the hook that was in place before the first call.
///
/// # Errors
/// It panicked.
pub fn quietly<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !CAUGHT.get() {
                usual(panic);
            }
        }));
    });
    let before = CAUGHT.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    CAUGHT.set(before);
    outcome.map_err(|payload| message(&*payload))
}

/// What `panic!` was told.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").into()
}

#[cfg(test)]
mod tests {
    use super::quietly;

    #[test]
    fn the_message_of_a_panic_is_returned() {
        assert_eq!(quietly(|| 1), Ok(1));
        assert_eq!(quietly(|| panic!("why")), Err::<(), _>("why".into()));
        assert_eq!(quietly(|| panic!("{}", 2)), Err::<(), _>("2".into()));
        // Inside another call the outer one still catches.
        assert_eq!(quietly(|| quietly(|| panic!("inner"))), Ok(Err::<(), _>("inner".into())));
    }
}
