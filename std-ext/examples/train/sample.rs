//! The training set of one seed: a long tail cut from a corpus, labels disturbed.

use core::cmp::Reverse;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Dxsm;

use crate::corpus::Corpus;
use crate::synthetic::Shape;

/// How many rows a class holds out where the corpus has no validation split.
const HELD_OUT: usize = 10;

/// How a training set is cut from a corpus.
#[derive(Clone, Copy)]
pub struct Tail {
    /// How often the most frequent class outnumbers the rarest.
    pub imbalance: f64,
    /// Rows of the most frequent class; `None`: all that it has.
    pub largest: Option<usize>,
    /// The probability that a training label is replaced by a uniform one of its group, of [`Shape::Groups`].
    pub label_noise: f64,
}

pub struct Sample {
    /// Columns of the corpus to learn from, and what they are labelled.
    pub rows: Vec<usize>,
    pub labels: Vec<usize>,
    pub valid: Vec<usize>,
    /// The classes, most frequent first.
    pub ranking: Vec<usize>,
    /// Rows to learn from, by class.
    pub counts: Vec<usize>,
}

impl Tail {
    /// Class number r from the most frequent, of C, keeps about n·IF^(−r/(C−1)) random rows of the n that the largest class has; none
    /// keeps fewer than one or more than it has. Equally frequent classes are ranked at random.
    pub fn cut(&self, corpus: &Corpus, rng: &mut Pcg64Dxsm) -> Sample {
        let mut by_class = corpus.train_by_class();
        by_class.iter_mut().for_each(|rows| rows.shuffle(rng));
        let mut ranking: Vec<usize> = (0..corpus.num_classes).collect();
        ranking.shuffle(rng);
        ranking.sort_by_key(|&class| Reverse(by_class[class].len()));

        let mut valid = corpus.valid.clone();
        if valid.is_empty() {
            for rows in &mut by_class {
                let kept = rows.len().saturating_sub(HELD_OUT).max(1);
                valid.extend(rows.drain(kept..));
            }
        }
        let largest = self.largest.unwrap_or(by_class[ranking[0]].len());
        let last = (corpus.num_classes - 1) as f64;
        for (rank, &class) in ranking.iter().enumerate() {
            let quota = largest as f64 * self.imbalance.powf(-(rank as f64) / last);
            by_class[class].truncate(quota.round().max(1.0) as usize);
        }

        let rows = by_class.concat();
        let labels: Vec<usize> = rows.iter().map(|&row| self.disturb(corpus.labels[row], rng)).collect();
        let mut counts = vec![0; corpus.num_classes];
        labels.iter().for_each(|&label| counts[label] += 1);
        Sample { rows, labels, valid, ranking, counts }
    }

    fn disturb(&self, label: usize, rng: &mut Pcg64Dxsm) -> usize {
        let (replaced, group_size) = (self.label_noise > 0.0 && rng.random_bool(self.label_noise), Shape::Groups.group_size());
        if replaced { label / group_size * group_size + rng.random_range(0..group_size) } else { label }
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;
    use topk_loss::Key;

    use super::{Sample, Tail};
    use crate::corpus::Corpus;
    use crate::synthetic::{self, Shape};

    fn cut(tail: Tail, corpus: &Corpus) -> Sample {
        tail.cut(corpus, &mut Key::new(1).rng())
    }

    #[test]
    fn the_generated_tail_has_the_published_size() {
        let sample = cut(Tail { imbalance: 100.0, largest: None, label_noise: 0.0 }, &synthetic::corpus(Shape::Groups));
        let counts: Vec<usize> = sample.ranking.iter().map(|&class| sample.counts[class]).collect();
        assert_eq!((sample.rows.len(), counts[0], counts[99]), (2180, 100, 1));
        assert!(counts.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn noise_keeps_labels_in_their_group() {
        let corpus = synthetic::corpus(Shape::Groups);
        let sample = cut(Tail { imbalance: 1.0, largest: None, label_noise: 0.5 }, &corpus);
        let group = |label: usize| label / Shape::Groups.group_size();
        let pairs = || sample.rows.iter().map(|&row| corpus.labels[row]).zip(sample.labels.iter().copied());
        assert!(pairs().all(|(clean, noisy)| group(clean) == group(noisy)));
        let changed = pairs().filter(|(clean, noisy)| clean != noisy).count() as f64 / sample.rows.len() as f64;
        assert!((changed - 0.4).abs() < 0.03, "{changed}");
    }

    #[test]
    fn rows_are_held_out_where_there_is_no_validation_split() {
        let labels = [vec![0; 15], vec![1; 4]].concat();
        let corpus = Corpus { features: Mat::zeros(1, 19), labels, num_classes: 2, train: (0..19).collect(), valid: vec![], test: vec![] };
        let sample = cut(Tail { imbalance: 1.0, largest: None, label_noise: 0.0 }, &corpus);
        assert_eq!((sample.counts, sample.ranking, sample.valid.len()), (vec![5, 1], vec![0, 1], 13));
        assert!(sample.rows.iter().all(|row| !sample.valid.contains(row)));
    }
}
