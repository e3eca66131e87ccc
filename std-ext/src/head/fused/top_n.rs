//! Keeps the n largest scores of the strips that were read so far.

use topk_loss::Real;
use topk_loss::select::Ranked;

/// The largest of the scores that were offered, in descending order. Offered in the order of the classes, equal ones rank by class,
/// lowest first.
#[derive(Debug, Clone)]
pub(super) struct TopN<F>(Vec<Ranked<F>>);

impl<F: Real> TopN<F> {
    /// Room for so many, at least 1.
    pub fn new(count: usize) -> Self {
        Self(vec![Ranked { index: 0, value: F::neg_infinity() }; count])
    }

    /// The last of them; −∞ until there are as many as there is room for.
    pub fn last(&self) -> Ranked<F> {
        self.0[self.0.len() - 1]
    }

    /// In descending order.
    pub fn values(&self) -> impl Iterator<Item = F> {
        self.0.iter().map(|ranked| ranked.value)
    }

    /// Takes in those of some scores that are above the last one, and leaves what has no place in their stead.
    pub fn take(&mut self, first: usize, scores: &mut [F]) {
        let last = self.last().value;
        if scores.iter().fold(false, |any, &score| any | (score > last)) {
            scores.iter_mut().zip(first..).for_each(|(score, class)| *score = self.offer(class, *score));
        }
    }

    /// Takes a score in if it is above the last one, and returns the one that has no place.
    pub fn offer(&mut self, index: usize, value: F) -> F {
        let last = self.last().value;
        if value > last {
            let place = self.0.partition_point(|ranked| ranked.value >= value);
            self.0.pop();
            self.0.insert(place, Ranked { index, value });
            last
        } else {
            value
        }
    }
}
