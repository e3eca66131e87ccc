//! What a loss tells of a row, and what it makes of what all tell.

use core::fmt::Debug;

use super::shard::{Piece, Shard};
use crate::{Real, Result};

/// A loss of rows whose classes are on several shards, each of which tells the others a little, in rounds.
///
/// A message is as long on every shard, and what all hear is the sum. What a shard does next depends on what was heard alone, so that all
/// do the same.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss::sharded::{Piece, Shard, ShardedLoss};
/// // One shard that has all classes: what it tells is what it hears.
/// let shard = Shard::even(0, 1, 2)?;
/// let (piece, mut message) = (Piece { shard: &shard, scores: &[0.0_f64, 0.0], label: 1 }, [0.0; 4]);
/// let mut row = ShardedLoss::<f64>::row(&CrossEntropy, &shard, 1)?;
/// CrossEntropy.tell(&row, piece, &mut message, &mut [])?;
/// let mut grad = [0.0; 2];
/// assert_eq!(CrossEntropy.hear(&mut row, piece, &mut message, Some(&mut grad), &mut [])?, Some(2.0_f64.ln()));
/// assert_eq!(grad, [0.5, -0.5]);
/// # Ok::<(), topk_loss::Error>(())
/// ```
pub trait ShardedLoss<F: Real> {
    /// What is known of a row between two rounds.
    type Row: Copy + Debug;

    /// What is known of a row before the first round, given its label.
    ///
    /// ```
    /// use topk_loss::TopKHinge;
    /// use topk_loss::sharded::{Shard, ShardedLoss};
    /// let (hinge, shard) = (TopKHinge::<f64>::new(2)?, Shard::even(0, 2, 100)?);
    /// assert!(hinge.row(&shard, 99).is_ok());
    /// assert_eq!(hinge.row(&shard, 100).unwrap_err().code(), 3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A label that is no class, a loss that is none of so many classes.
    fn row(&self, shard: &Shard, label: usize) -> Result<Self::Row>;

    /// The length of the longest message of a row, in numbers.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::sharded::{Shard, ShardedLoss};
    /// let shard = Shard::even(0, 2, 100)?;
    /// // The label's score, and three numbers a shard.
    /// assert_eq!(ShardedLoss::<f64>::max_message_len(&CrossEntropy, &shard), 7);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn max_message_len(&self, shard: &Shard) -> usize;

    /// How much scratch a row needs.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::sharded::{Shard, ShardedLoss};
    /// assert_eq!(ShardedLoss::<f64>::scratch_len(&CrossEntropy, &Shard::even(0, 2, 100)?), 0);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn scratch_len(&self, shard: &Shard) -> usize;

    /// The length of the row's next message, in numbers.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::sharded::{Shard, ShardedLoss};
    /// let shard = Shard::even(0, 2, 100)?;
    /// // The label's score, and three numbers a shard.
    /// assert_eq!(ShardedLoss::<f64>::message_len(&CrossEntropy, &(), &shard), 7);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    fn message_len(&self, row: &Self::Row, shard: &Shard) -> usize;

    /// Writes this shard's part of the row's next message over zeros.
    ///
    /// **Ties and NaN.** The loss's. NaN is an error, by the first message.
    ///
    /// **Cost.** The loss's own, on the classes of this shard.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::sharded::{Piece, Shard, ShardedLoss};
    /// // One shard that has all classes: what it tells is what it hears.
    /// let shard = Shard::even(0, 1, 2)?;
    /// let (piece, mut message) = (Piece { shard: &shard, scores: &[0.0_f64, 0.0], label: 1 }, [0.0; 4]);
    /// let mut row = ShardedLoss::<f64>::row(&CrossEntropy, &shard, 1)?;
    /// CrossEntropy.tell(&row, piece, &mut message, &mut [])?;
    /// // The label's score, then the number of classes, the largest score and the sum of the others' exponentials.
    /// assert_eq!(message, [0.0, 2.0, 0.0, 1.0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Scores that are NaN or infinite.
    fn tell(&self, row: &Self::Row, piece: Piece<'_, F>, message: &mut [F], scratch: &mut [F]) -> Result<()>;

    /// Takes in the sum, which may be overwritten; nothing as long as another round is needed, else the loss, and the gradient of the
    /// piece's classes where one is wanted.
    ///
    /// **Cost.** The loss's own, on the classes of this shard, and a pass over the message.
    ///
    /// ```
    /// use topk_loss::CrossEntropy;
    /// use topk_loss::sharded::{Piece, Shard, ShardedLoss};
    /// // One shard that has all classes: what it tells is what it hears.
    /// let shard = Shard::even(0, 1, 2)?;
    /// let (piece, mut message) = (Piece { shard: &shard, scores: &[0.0_f64, 0.0], label: 1 }, [0.0; 4]);
    /// let mut row = ShardedLoss::<f64>::row(&CrossEntropy, &shard, 1)?;
    /// CrossEntropy.tell(&row, piece, &mut message, &mut [])?;
    /// let mut grad = [0.0; 2];
    /// assert_eq!(CrossEntropy.hear(&mut row, piece, &mut message, Some(&mut grad), &mut [])?, Some(2.0_f64.ln()));
    /// assert_eq!(grad, [0.5, -0.5]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever is wrong with the row, on all shards alike.
    fn hear(
        &self,
        row: &mut Self::Row,
        piece: Piece<'_, F>,
        message: &mut [F],
        grad: Option<&mut [F]>,
        scratch: &mut [F],
    ) -> Result<Option<F>>;
}
