//! A loss in the caller's memory, and what it makes of one example.

use core::marker::PhantomData;
use core::mem::{MaybeUninit, align_of, size_of};

use topk_loss::config::LossConfig;
use topk_loss::{FoldIn, Loss, Real};

#[cfg(not(feature = "integrals"))]
use crate::drawn_or_closed::AnyLoss;

use crate::error::{Failure, Result};
use crate::memory::{check_apart, read, read_one, region, write, write_one};
use crate::settings::TopkSettings;

/// A loss of one float, wherever the caller puts it: on the stack, in static memory. It is a value: it may be copied and moved, and needs no
/// freeing. The lists of its settings are not copied, and must stay where and as they are while it is used.
#[repr(C)]
pub struct TopkLoss<F> {
    /// Set by `topk_…_init`: what was not initialised is seldom taken for a loss.
    mark: u64,
    words: [MaybeUninit<u64>; 26],
    float: PhantomData<F>,
}

/// What is in the words. The lists' lifetime is the caller's promise.
#[cfg(feature = "integrals")]
type Inside<F> = topk_loss::config::AnyLoss<F, &'static [F]>;
#[cfg(not(feature = "integrals"))]
type Inside<F> = AnyLoss<F>;

#[cfg(feature = "integrals")]
fn build<F: Real>(config: LossConfig<F, &'static [F]>) -> Result<Inside<F>> {
    Ok(config.build()?)
}

#[cfg(not(feature = "integrals"))]
fn build<F: Real>(config: LossConfig<F, &'static [F]>) -> Result<Inside<F>> {
    AnyLoss::new(config)
}

const WORDS: usize = 26;

/// Another for each float.
const fn mark<F>() -> u64 {
    0x746f_706b_6c6f_7300 + size_of::<F>() as u64
}

const fn check_fits<F: 'static>() {
    assert!(size_of::<Inside<F>>() <= WORDS * size_of::<u64>() && align_of::<Inside<F>>() <= align_of::<u64>());
}

const _: () = {
    check_fits::<f32>();
    check_fits::<f64>();
};

impl<F> core::fmt::Debug for TopkLoss<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TopkLoss").finish_non_exhaustive()
    }
}

impl<F: Real> TopkLoss<F> {
    fn new(loss: Inside<F>) -> Self {
        let mut words = [MaybeUninit::zeroed(); WORDS];
        // SAFETY: the words are as large and as aligned as what is written, see above; it is `Copy`, so nothing is to be dropped.
        unsafe { words.as_mut_ptr().cast::<Inside<F>>().write(loss) };
        Self { mark: mark::<F>(), words, float: PhantomData }
    }

    fn get(&self) -> Result<&Inside<F>> {
        if self.mark != mark::<F>() {
            return Err(Failure::Uninitialized);
        }
        // SAFETY: the mark is written by `new` alone, with a loss of this float in the words.
        Ok(unsafe { &*self.words.as_ptr().cast::<Inside<F>>() })
    }
}

/// # Safety
/// Pointers lead to what they are of; the settings' lists stay as they are while the loss is used.
pub(crate) unsafe fn init<F: Real>(loss: *mut TopkLoss<F>, settings: *const TopkSettings<F>) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let config = read_one("settings", settings)?.describe(|float| float, |list| list)?;
        write_one("loss", loss, TopkLoss::new(build(config)?))
    }
}

/// # Safety
/// Pointers lead to what they are of.
pub(crate) unsafe fn fold_in<F: Real>(loss: *const TopkLoss<F>, number: u64, into: *mut TopkLoss<F>) -> Result<()> {
    // SAFETY: the caller's promise. What is read is copied before anything is written, so that both may be the same.
    unsafe {
        let folded = TopkLoss::new(read_one("loss", loss)?.get()?.fold_in(number));
        write_one("into", into, folded)
    }
}

/// # Safety
/// As [`fold_in`].
pub(crate) unsafe fn scratch_len<F: Real>(loss: *const TopkLoss<F>, num_classes: usize) -> usize {
    // SAFETY: the caller's promise.
    let loss = unsafe { read_one("loss", loss) }.and_then(TopkLoss::get);
    loss.map_or(usize::MAX, |loss| loss.scratch_len(num_classes))
}

/// An example as a caller has it.
pub(crate) struct Example<F> {
    pub scores: *const F,
    pub num_classes: usize,
    pub label: usize,
    pub scratch: *mut F,
    pub scratch_len: usize,
    pub value: *mut F,
}

/// The value, and the gradient unless that is `None`.
///
/// # Safety
/// Pointers lead to as many numbers as the example says, which nobody else uses meanwhile.
pub(crate) unsafe fn evaluate<F: Real>(loss: *const TopkLoss<F>, example: &Example<F>, grad: Option<*mut F>) -> Result<()> {
    let &Example { scores, num_classes, label, scratch, scratch_len, value } = example;
    let grad_region = grad.map_or(("grad", 0..0), |grad| region("grad", grad, num_classes));
    let written = [grad_region, region("scratch", scratch, scratch_len), region("value", value, 1)];
    check_apart(&written, &[region("scores", scores, num_classes), region("loss", loss, 1)])?;
    // SAFETY: the caller's promise; what is written was found to be apart from all else.
    unsafe {
        let loss = read_one("loss", loss)?.get()?;
        let scores = read("scores", scores, num_classes)?;
        let place = write("value", value, 1)?;
        // A loss that needs no scratch takes NULL for it.
        let scratch = if scratch_len == 0 { &mut [] } else { write("scratch", scratch, scratch_len)? };
        let computed = match grad {
            None => loss.value(scores, label, scratch)?,
            Some(grad) => loss.value_and_grad(scores, label, write("grad", grad, num_classes)?, scratch)?,
        };
        place.copy_from_slice(&[computed]);
    }
    Ok(())
}
