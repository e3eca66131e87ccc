//! How good a classifier's K guesses are: top-K accuracy, overall, per class and per frequency group, and top-K occupancy.
//!
//! ```
//! use topk_loss::metrics::TopKCounts;
//! // Two guesses: the label of the first example is among them, that of the second is not.
//! let (mut examples, mut correct, mut guessed) = ([0; 3], [0; 3], [0; 3]);
//! let mut counts = TopKCounts::new(2, &mut examples, &mut correct, &mut guessed)?;
//! counts.add(&[0.1, 0.8, 0.3], 2, &mut [0.0; 3])?;
//! counts.add(&[0.1, 0.8, 0.3], 0, &mut [0.0; 3])?;
//! assert_eq!(counts.metrics().accuracy(), Some(0.5));
//! # Ok::<(), topk_loss::Error>(())
//! ```

mod frequency;

pub use frequency::{Frequency, FrequencyGroups};

use crate::{Real, Result, check, select};

/// Counts, class by class, from which every metric follows; the caller owns them, so nothing is allocated and shards can be added.
///
/// Each of the three slices has one entry a class and counts examples.
///
/// **Cost.** What [`add`](Self::add) costs: O(L) an example.
///
/// ```
/// use topk_loss::metrics::{TopKCounts, TopKMetrics};
/// let (mut examples, mut correct, mut guessed) = ([0; 3], [0; 3], [0; 3]);
/// let mut counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
/// counts.add(&[0.1, 0.8, 0.3], 1, &mut [0.0; 3])?;
/// counts.add(&[0.1, 0.8, 0.3], 2, &mut [0.0; 3])?;
/// let metrics = counts.metrics();
/// assert_eq!(metrics.accuracy(), Some(0.5));
/// assert_eq!(metrics.macro_accuracy(), Some(0.5));
/// assert_eq!(metrics.occupancy(1), Some(1.0));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug)]
pub struct TopKCounts<'a> {
    k: usize,
    examples: &'a mut [u64],
    correct: &'a mut [u64],
    guessed: &'a mut [u64],
}

impl<'a> TopKCounts<'a> {
    /// Starts from what the slices hold: zeros, or the counts of earlier batches.
    ///
    /// ```
    /// use topk_loss::metrics::TopKCounts;
    /// let (mut examples, mut correct, mut guessed) = ([8, 2], [6, 1], [7, 3]);
    /// let counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
    /// assert_eq!(counts.metrics().accuracy(), Some(0.7));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Slices of different lengths, k outside 1..L.
    pub fn new(k: usize, examples: &'a mut [u64], correct: &'a mut [u64], guessed: &'a mut [u64]) -> Result<Self> {
        check::length("correct", correct, examples.len())?;
        check::length("guessed", guessed, examples.len())?;
        select::first_missed(k, examples.len())?;
        Ok(Self { k, examples, correct, guessed })
    }

    /// Counts one example. `scratch` is at least L long.
    ///
    /// **Ties and NaN.** Equal scores rank by index, lowest first. NaN is an error.
    ///
    /// **Cost.** O(L): one selection and a few passes.
    ///
    /// ```
    /// use topk_loss::metrics::TopKCounts;
    /// let (mut examples, mut correct, mut guessed) = ([0; 3], [0; 3], [0; 3]);
    /// let mut counts = TopKCounts::new(2, &mut examples, &mut correct, &mut guessed)?;
    /// counts.add(&[0.1, 0.8, 0.3], 2, &mut [0.0; 3])?;
    /// assert_eq!((examples, correct, guessed), ([0, 0, 1], [0, 0, 1], [0, 1, 1]));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A number of scores other than L, NaN or infinite scores, a label that is no class.
    pub fn add<F: Real>(&mut self, scores: &[F], label: usize, scratch: &mut [F]) -> Result<()> {
        check::length("scores", scores, self.examples.len())?;
        check::scores(scores)?;
        check::label(scores, label)?;
        let threshold = select::kth_value(scores, self.k, check::scratch(scratch, scores.len())?);
        let increment = |counts: &mut [u64], class: usize| {
            if let Some(count) = counts.get_mut(class) {
                *count = count.saturating_add(1);
            }
        };
        increment(self.examples, label);
        for class in select::indices_of_top(scores, self.k, threshold) {
            increment(self.guessed, class);
            if class == label {
                increment(self.correct, label);
            }
        }
        Ok(())
    }

    /// The metrics of what was counted so far.
    ///
    /// ```
    /// use topk_loss::metrics::TopKCounts;
    /// // Counted before: four examples of class 0, of which three were hit, two of class 1, one hit, none of class 2.
    /// let (mut examples, mut correct, mut guessed) = ([4, 2, 0], [3, 1, 0], [4, 1, 1]);
    /// let counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
    /// assert_eq!(counts.metrics().accuracy(), Some(4.0 / 6.0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> TopKMetrics<'_> {
        TopKMetrics { examples: self.examples, correct: self.correct, guessed: self.guessed }
    }
}

/// The metrics of a [`TopKCounts`]. All are shares between 0 and 1, `None` where there is no example to share.
///
/// ```
/// use topk_loss::metrics::TopKCounts;
/// // Counted before: four examples of class 0, of which three were hit, two of class 1, one hit, none of class 2.
/// let (mut examples, mut correct, mut guessed) = ([4, 2, 0], [3, 1, 0], [4, 1, 1]);
/// let counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
/// let metrics = counts.metrics();
/// assert_eq!((metrics.accuracy(), metrics.macro_accuracy()), (Some(4.0 / 6.0), Some(0.625)));
/// assert_eq!((metrics.class_accuracy(2), metrics.occupancy(2)), (None, Some(1.0 / 6.0)));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TopKMetrics<'a> {
    examples: &'a [u64],
    correct: &'a [u64],
    guessed: &'a [u64],
}

impl TopKMetrics<'_> {
    /// Top-K accuracy: the share of examples whose label is among the K guesses.
    ///
    /// **Cost.** One pass over the classes.
    ///
    /// ```
    /// use topk_loss::metrics::TopKCounts;
    /// // Counted before: four examples of class 0, of which three were hit, two of class 1, one hit, none of class 2.
    /// let (mut examples, mut correct, mut guessed) = ([4, 2, 0], [3, 1, 0], [4, 1, 1]);
    /// let counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
    /// assert_eq!(counts.metrics().accuracy(), Some(4.0 / 6.0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        share(total(self.correct), total(self.examples))
    }

    /// Top-K accuracy of the examples of one class.
    ///
    /// ```
    /// use topk_loss::metrics::TopKCounts;
    /// // Counted before: four examples of class 0, of which three were hit, two of class 1, one hit, none of class 2.
    /// let (mut examples, mut correct, mut guessed) = ([4, 2, 0], [3, 1, 0], [4, 1, 1]);
    /// let counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
    /// assert_eq!([0, 1, 2].map(|class| counts.metrics().class_accuracy(class)), [Some(0.75), Some(0.5), None]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn class_accuracy(&self, class: usize) -> Option<f64> {
        share((*self.correct.get(class)?).into(), (*self.examples.get(class)?).into())
    }

    /// Macro top-K accuracy: the mean of the class accuracies over the classes that have examples.
    ///
    /// **Cost.** One pass over the classes.
    ///
    /// ```
    /// use topk_loss::metrics::TopKCounts;
    /// // Counted before: four examples of class 0, of which three were hit, two of class 1, one hit, none of class 2.
    /// let (mut examples, mut correct, mut guessed) = ([4, 2, 0], [3, 1, 0], [4, 1, 1]);
    /// let counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
    /// assert_eq!(counts.metrics().macro_accuracy(), Some((0.75 + 0.5) / 2.0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn macro_accuracy(&self) -> Option<f64> {
        self.mean_over(|_| true)
    }

    /// Macro top-K accuracy over the classes of one frequency group.
    ///
    /// **Cost.** One pass over the classes.
    ///
    /// ```
    /// use topk_loss::metrics::{Frequency, FrequencyGroups, TopKCounts};
    /// // Counted before: four examples of class 0, of which three were hit, two of class 1, one hit, none of class 2.
    /// let (mut examples, mut correct, mut guessed) = ([4, 2, 0], [3, 1, 0], [4, 1, 1]);
    /// let counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
    /// let of = |group| counts.metrics().group_accuracy(&[500, 50, 5], FrequencyGroups::default(), group);
    /// assert_eq!((of(Frequency::Many)?, of(Frequency::Medium)?, of(Frequency::Few)?), (Some(0.75), Some(0.5), None));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// Training counts that are not one a class.
    pub fn group_accuracy(&self, training_counts: &[usize], groups: FrequencyGroups, group: Frequency) -> Result<Option<f64>> {
        check::length("training_counts", training_counts, self.examples.len())?;
        Ok(self.mean_over(|class| training_counts.get(class).is_some_and(|&n| groups.of(n) == group)))
    }

    /// Top-K occupancy: the share of examples whose K guesses hold class `class`, whatever their label.
    ///
    /// Balanced guesses give K/L; a class with occupancy 1 sits in every example's top K.
    ///
    /// **Cost.** One pass over the classes.
    ///
    /// ```
    /// use topk_loss::metrics::TopKCounts;
    /// // Counted before: four examples of class 0, of which three were hit, two of class 1, one hit, none of class 2.
    /// let (mut examples, mut correct, mut guessed) = ([4, 2, 0], [3, 1, 0], [4, 1, 1]);
    /// let counts = TopKCounts::new(1, &mut examples, &mut correct, &mut guessed)?;
    /// assert_eq!(counts.metrics().occupancy(0), Some(4.0 / 6.0));
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn occupancy(&self, class: usize) -> Option<f64> {
        share((*self.guessed.get(class)?).into(), total(self.examples))
    }

    fn mean_over(&self, included: impl Fn(usize) -> bool) -> Option<f64> {
        let classes = self.examples.iter().zip(self.correct).enumerate().filter(|&(class, _)| included(class));
        let accuracies = classes.filter_map(|(_, (&examples, &correct))| share(correct.into(), examples.into()));
        let (count, sum) = accuracies.fold((0_u64, 0.0), |(n, sum), accuracy| (n + 1, sum + accuracy));
        (count > 0).then(|| sum / count as f64)
    }
}

/// Of no more counts than memory holds, which do not come to 2¹²⁸.
fn total(counts: &[u64]) -> u128 {
    counts.iter().fold(0, |sum, &count| sum + u128::from(count))
}

fn share(part: u128, whole: u128) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
