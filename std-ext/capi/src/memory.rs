//! The caller's memory as slices, with every check of a pointer that can be made.

use core::mem::size_of;
use core::ops::Range;
use core::slice;

use crate::error::{Failure, Result};

/// A list that the caller keeps: as many numbers as it says, none where `data` is NULL.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct TopkList<F> {
    /// The first number.
    pub data: *const F,
    /// How many there are.
    pub len: usize,
}

impl<F> TopkList<F> {
    /// No list.
    pub(crate) const ABSENT: Self = Self { data: core::ptr::null(), len: 0 };

    /// The numbers, if there is a list.
    ///
    /// # Safety
    /// As [`read`].
    pub(crate) unsafe fn get<'a>(&self, what: &'static str) -> Result<Option<&'a [F]>> {
        if self.data.is_null() {
            return Ok(None);
        }
        // SAFETY: the caller's promise.
        unsafe { read(what, self.data, self.len) }.map(Some)
    }
}

/// That a pointer leads to `len` values, as far as it can be told.
fn check<T>(what: &'static str, data: *const T, len: usize) -> Result<()> {
    if data.is_null() {
        Err(Failure::Null(what))
    } else if !data.is_aligned() {
        Err(Failure::Misaligned(what))
    } else if len.checked_mul(size_of::<T>()).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        Err(Failure::Size(what))
    } else {
        Ok(())
    }
}

/// What a pointer leads to, to read.
///
/// # Safety
/// If `data` is neither NULL nor misaligned, it leads to `len` values that stay as they are for `'a`.
pub(crate) unsafe fn read<'a, T>(what: &'static str, data: *const T, len: usize) -> Result<&'a [T]> {
    check(what, data, len)?;
    // SAFETY: checked, and the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

/// What a pointer leads to, to write: contents that another language left there are numbers of some kind to this one.
///
/// # Safety
/// If `data` is neither NULL nor misaligned, it leads to memory of `len` numbers, which nobody else uses for `'a`.
pub(crate) unsafe fn write<'a, T>(what: &'static str, data: *mut T, len: usize) -> Result<&'a mut [T]> {
    check(what, data, len)?;
    // SAFETY: checked, and the caller's promise.
    Ok(unsafe { slice::from_raw_parts_mut(data, len) })
}

/// What a pointer leads to, to read.
///
/// # Safety
/// As [`read`] of one value.
pub(crate) unsafe fn read_one<'a, T>(what: &'static str, data: *const T) -> Result<&'a T> {
    check(what, data, 1)?;
    // SAFETY: checked, and the caller's promise.
    Ok(unsafe { &*data })
}

/// Writes where a pointer leads to, over whatever is there.
///
/// # Safety
/// As [`write`] of one value.
pub(crate) unsafe fn write_one<T>(what: &'static str, data: *mut T, value: T) -> Result<()> {
    check(what, data, 1)?;
    // SAFETY: checked, and the caller's promise.
    unsafe { data.write(value) };
    Ok(())
}

/// Puts a value on the heap and a pointer to it where a pointer leads to; after an error that place is as it was.
///
/// # Safety
/// As [`write`] of one pointer.
#[cfg(feature = "std")]
pub(crate) unsafe fn hand_out<T>(what: &'static str, place: *mut *mut T, value: T) -> Result<()> {
    // A place that is none is found before anything is put on the heap.
    check(what, place, 1)?;
    // SAFETY: checked, and the caller's promise.
    unsafe { place.write(std::boxed::Box::into_raw(std::boxed::Box::new(value))) };
    Ok(())
}

/// A name and addresses.
pub(crate) type Region = (&'static str, Range<usize>);

/// A name and the addresses of `len` values; those of NULL or of sizes beyond the address space are left to the other checks.
pub(crate) fn region<T>(what: &'static str, data: *const T, len: usize) -> Region {
    let (start, bytes) = (data.addr(), len.saturating_mul(size_of::<T>()));
    (what, start..start.saturating_add(if data.is_null() { 0 } else { bytes }))
}

/// That nothing that is written overlaps anything else that is written or read.
pub(crate) fn check_apart(written: &[Region], read: &[Region]) -> Result<()> {
    let overlap = |a: &Range<usize>, b: &Range<usize>| a.start.max(b.start) < a.end.min(b.end);
    for (index, (what, bytes)) in written.iter().enumerate() {
        if let Some((other, _)) = written.iter().skip(index + 1).chain(read).find(|(_, others)| overlap(bytes, others)) {
            return Err(Failure::Overlap(what, other));
        }
    }
    Ok(())
}
