//! Groups of classes by how frequent they are in the training set.

use crate::{Error, Result};

/// How frequent a class is in the training set.
///
/// ```
/// use topk_loss::metrics::{Frequency, FrequencyGroups};
/// assert_eq!(FrequencyGroups::default().of(50), Frequency::Medium);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// More examples than the upper limit.
    Many,
    /// In between, limits included.
    Medium,
    /// Fewer examples than the lower limit.
    Few,
}

/// The limits between [`Frequency`] groups; by default the 100 and 20 examples of Liu et al.
///
/// ```
/// use topk_loss::metrics::{Frequency, FrequencyGroups};
/// let groups = FrequencyGroups::default();
/// assert_eq!([101, 100, 20, 19].map(|n| groups.of(n)), [Frequency::Many, Frequency::Medium, Frequency::Medium, Frequency::Few]);
/// ```
///
/// **References.** Liu, Miao, Zhan, Wang, Gong, Yu, "Large-scale long-tailed recognition in an open world", CVPR 2019.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrequencyGroups {
    many_above: usize,
    few_below: usize,
}

impl FrequencyGroups {
    /// Many: more than `many_above` examples; few: fewer than `few_below`.
    ///
    /// ```
    /// use topk_loss::metrics::{Frequency, FrequencyGroups};
    /// assert_eq!(FrequencyGroups::new(1000, 10)?.of(500), Frequency::Medium);
    /// assert!(FrequencyGroups::new(10, 1000).is_err());
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Limits that leave no room between them, `few_below` > `many_above`.
    pub fn new(many_above: usize, few_below: usize) -> Result<Self> {
        if few_below > many_above {
            return Err(Error::Parameter { name: "few_below", must: "at most many_above" });
        }
        Ok(Self { many_above, few_below })
    }

    /// The group of a class with `count` training examples.
    ///
    /// ```
    /// use topk_loss::metrics::{Frequency, FrequencyGroups};
    /// let groups = FrequencyGroups::default();
    /// assert_eq!([500, 5].map(|count| groups.of(count)), [Frequency::Many, Frequency::Few]);
    /// ```
    #[must_use]
    pub const fn of(self, count: usize) -> Frequency {
        if count > self.many_above {
            Frequency::Many
        } else if count < self.few_below {
            Frequency::Few
        } else {
            Frequency::Medium
        }
    }
}

impl Default for FrequencyGroups {
    fn default() -> Self {
        Self { many_above: 100, few_below: 20 }
    }
}
