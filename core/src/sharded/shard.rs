//! Which classes of a row a shard has.

use core::ops::Range;

use crate::{Error, Real, Result, check, select};

/// One of several shards, each with a run of neighbouring classes, which together have all of them: the machines, processes, devices or
/// threads that classes are spread over. A shard may be without a class.
///
/// ```
/// use topk_loss::sharded::Shard;
/// let second = Shard::even(1, 3, 10)?; // of 4, 3 and 3 classes
/// assert_eq!((second.classes(), second.num_classes()), (4..7, 10));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
    classes: Range<usize>,
    num_classes: usize,
}

impl Shard {
    /// Shard number `index`, from 0, of `count`: those of `num_classes` classes from `classes.start` up to `classes.end`.
    ///
    /// ```
    /// use topk_loss::sharded::Shard;
    /// assert_eq!(Shard::new(1, 2, 6..10, 10)?.len(), 4);
    /// assert_eq!(Shard::new(2, 2, 6..10, 10).unwrap_err().code(), 4);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// An index that is not below the count, classes that are no range of them all.
    pub fn new(index: usize, count: usize, classes: Range<usize>, num_classes: usize) -> Result<Self> {
        if index >= count {
            return Err(Error::Parameter { name: "index of the shard", must: "below the number of shards" });
        }
        if classes.start > classes.end || classes.end > num_classes {
            return Err(Error::Parameter { name: "classes of the shard", must: "a range of all classes" });
        }
        Ok(Self { index, count, classes, num_classes })
    }

    /// The same where no two shards differ by more than one class, larger ones first.
    ///
    /// ```
    /// use topk_loss::sharded::Shard;
    /// let lens = [0, 1, 2].map(|index| Shard::even(index, 3, 10).map(|shard| shard.len()));
    /// assert_eq!(lens, [Ok(4), Ok(3), Ok(3)]);
    /// ```
    ///
    /// # Errors
    /// An index that is not below the count.
    pub fn even(index: usize, count: usize, num_classes: usize) -> Result<Self> {
        let (each, left) = (num_classes / count.max(1), num_classes % count.max(1));
        let first = |index: usize| index.saturating_mul(each) + index.min(left);
        Self::new(index, count, first(index)..first(index.saturating_add(1)), num_classes)
    }

    /// Its number, from 0.
    ///
    /// ```
    /// use topk_loss::sharded::Shard;
    /// let second = Shard::even(1, 3, 10)?; // of 4, 3 and 3 classes
    /// assert_eq!(second.index(), 1);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// How many shards there are.
    ///
    /// ```
    /// use topk_loss::sharded::Shard;
    /// let second = Shard::even(1, 3, 10)?; // of 4, 3 and 3 classes
    /// assert_eq!(second.count(), 3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Its classes, by their numbers among all.
    ///
    /// ```
    /// use topk_loss::sharded::Shard;
    /// let second = Shard::even(1, 3, 10)?; // of 4, 3 and 3 classes
    /// assert_eq!(second.classes(), 4..7);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn classes(&self) -> Range<usize> {
        self.classes.start..self.classes.end
    }

    /// How many classes it has.
    ///
    /// ```
    /// use topk_loss::sharded::Shard;
    /// let second = Shard::even(1, 3, 10)?; // of 4, 3 and 3 classes
    /// assert_eq!(second.len(), 3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn len(&self) -> usize {
        self.classes.end - self.classes.start
    }

    /// Whether it has no class.
    ///
    /// ```
    /// use topk_loss::sharded::Shard;
    /// let second = Shard::even(1, 3, 10)?; // of 4, 3 and 3 classes
    /// assert!(!second.is_empty() && Shard::even(1, 2, 1)?.is_empty());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many classes all shards have together.
    ///
    /// ```
    /// use topk_loss::sharded::Shard;
    /// let second = Shard::even(1, 3, 10)?; // of 4, 3 and 3 classes
    /// assert_eq!(second.num_classes(), 10);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn num_classes(&self) -> usize {
        self.num_classes
    }

    /// Where a class stands among its own; nothing if another shard has it.
    ///
    /// ```
    /// use topk_loss::sharded::Shard;
    /// let second = Shard::even(1, 3, 10)?; // of 4, 3 and 3 classes
    /// assert_eq!((second.place(5), second.place(0)), (Some(1), None));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub const fn place(&self, class: usize) -> Option<usize> {
        if self.classes.start <= class && class < self.classes.end { Some(class - self.classes.start) } else { None }
    }

    /// Its slot among those of equal length that a message ends with.
    pub(super) fn slot<'m, F>(&self, slots: &'m mut [F]) -> &'m mut [F] {
        let len = slots.len() / self.count.max(1);
        slots.get_mut(self.index * len..(self.index + 1) * len).unwrap_or_default()
    }

    /// That there are as many classes as the shards say they have, and that a float counts them.
    pub(super) fn check_count<F: Real>(&self, counted: F) -> Result<()> {
        let actual = counted.to_usize().unwrap_or(usize::MAX);
        if actual == self.num_classes {
            return Ok(());
        }
        Err(Error::Length { what: "classes of all shards", expected: self.num_classes, actual })
    }

    /// That a float tells so many classes from one fewer.
    pub(super) fn check_countable<F: Real>(&self) -> Result<()> {
        if F::from_usize(self.num_classes) * F::epsilon() <= F::one() + F::one() {
            return Ok(());
        }
        Err(Error::Accuracy { what: "number of classes" })
    }

    /// That there are more classes than guesses, few enough to be counted, and the label among them.
    pub(super) fn check_guesses<F: Real>(&self, k: usize, label: usize) -> Result<()> {
        self.check_countable::<F>()?;
        select::first_missed(k, self.num_classes)?;
        self.check_label(label)
    }

    /// That the label is a class.
    pub(super) fn check_label(&self, label: usize) -> Result<()> {
        let num_classes = self.num_classes;
        if label < num_classes { Ok(()) } else { Err(Error::Label { label, num_classes }) }
    }
}

/// What a shard has of a row: the scores of its classes, and the label.
///
/// ```
/// use topk_loss::sharded::{Piece, Shard};
/// let shard = Shard::even(1, 2, 4)?;
/// let piece = Piece { shard: &shard, scores: &[0.5, -0.5], label: 3 };
/// assert_eq!((piece.own(), piece.scores[1]), (Some(1), -0.5));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a, F> {
    /// Of which classes.
    pub shard: &'a Shard,
    /// Their scores.
    pub scores: &'a [F],
    /// Among all classes.
    pub label: usize,
}

impl<F: Real> Piece<'_, F> {
    /// The place of the label, if this shard has it.
    ///
    /// ```
    /// use topk_loss::sharded::{Piece, Shard};
    /// let shard = Shard::even(1, 2, 4)?;
    /// let piece = Piece { shard: &shard, scores: &[0.5, -0.5], label: 3 };
    /// assert_eq!((piece.own(), Piece { label: 0, ..piece }.own()), (Some(1), None));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn own(&self) -> Option<usize> {
        self.shard.place(self.label)
    }

    /// Writes the label's score, if this shard has it.
    pub(super) fn tell_own(&self, own: &mut F) {
        if let Some(&score) = self.own().and_then(|place| self.scores.get(place)) {
            *own = score;
        }
    }

    /// Adds to the label's entry of a gradient, if this shard has it.
    pub(super) fn add_own(&self, grad: &mut [F], entry: F) {
        if let Some(own) = self.own().and_then(|place| grad.get_mut(place)) {
            *own += entry;
        }
    }

    /// The scores, each finite.
    pub(super) fn check(&self) -> Result<()> {
        check::finite("scores", self.scores)
    }
}
