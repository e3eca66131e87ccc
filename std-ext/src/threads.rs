//! How many threads a call may use; no number depends on it.

use core::num::NonZeroUsize;

/// How many threads a call may use, at most. No number that is computed depends on it, to the last bit.
///
/// ```
/// use topk_loss_batch::Threads;
/// assert_eq!(Threads::ONE.count(), 1);
/// assert_eq!(Threads::new(4).count(), 4);
/// assert!(Threads::all().count() >= 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads(NonZeroUsize);

impl Threads {
    /// One thread: the calling one. See [`Threads`] for an example of it and of the methods.
    pub const ONE: Self = Self(NonZeroUsize::MIN);

    /// At most so many threads; one where `count` is 0.
    #[must_use]
    pub const fn new(count: usize) -> Self {
        match NonZeroUsize::new(count) {
            Some(count) => Self(count),
            None => Self::ONE,
        }
    }

    /// As many as `rayon`'s pool of the calling thread has.
    #[must_use]
    pub fn all() -> Self {
        Self::new(rayon::current_num_threads())
    }

    /// The number of threads, at least 1.
    #[must_use]
    pub const fn count(self) -> usize {
        self.0.get()
    }
}

#[cfg(feature = "faer")]
impl From<faer::Par> for Threads {
    fn from(par: faer::Par) -> Self {
        Self::new(par.degree())
    }
}
