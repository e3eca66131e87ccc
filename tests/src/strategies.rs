//! Drawn inputs for property tests: scores from the families where selection and smoothing go wrong, labels, ranks, distributions.
//!
//! Each function makes a strategy of proptest, which costs nothing; a draw takes as long as its numbers take to write.
//!
//! Everything shrinks towards few classes, few distinct values and [round numbers](round).
//!
//! ```
//! use proptest::strategy::{Strategy, ValueTree};
//! use proptest::test_runner::TestRunner;
//! use topk_loss_laws::strategies;
//! let drawn = strategies::example::<f64>().new_tree(&mut TestRunner::deterministic()).unwrap().current();
//! assert!(drawn.label < drawn.scores.len() && drawn.k < drawn.scores.len());
//! ```

mod families;
mod rounding;

use proptest::arbitrary::Arbitrary;
use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use topk_loss::Real;

use crate::reference::to_f64;
pub use families::{clustered, decided, extreme, normal, offset, separated, tied};
use families::{clustered_score, float, normal_score, separated_score, tied_score};
pub use rounding::{Round, round};

/// Enough classes to go beyond the short-list selection (12), few enough to shrink well.
const MAX_CLASSES: usize = 40;

/// Scores, a label and a number of guesses K with 1 ≤ K < L.
///
/// ```
/// use topk_loss::TopKHinge;
/// use topk_loss_laws::{Example, laws::is_never_negative};
/// let example = Example { scores: vec![0.5, 0.0, 0.25], label: 2, k: 1 };
/// assert_eq!(is_never_negative(&TopKHinge::new(example.k)?, &example), Ok(()));
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Example<F> {
    /// The scores of L ≥ 2 classes.
    pub scores: Vec<F>,
    /// A class.
    pub label: usize,
    /// How many guesses are allowed.
    pub k: usize,
}

impl<F> AsRef<Self> for Example<F> {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Two points of score space: an example, and other scores of the same classes.
///
/// ```
/// use topk_loss_laws::{Example, Segment};
/// let segment = Segment { example: Example { scores: vec![0.0, 0.0], label: 0, k: 1 }, to: vec![3.0, 4.0] };
/// assert_eq!((segment.at(0.5), segment.length()), (vec![1.5, 2.0], 5.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Segment<F> {
    /// One end, with label and rank.
    pub example: Example<F>,
    /// The other.
    pub to: Vec<F>,
}

impl<F: Real> Segment<F> {
    /// The point some share of the way from one end to the other, (1 − share)·s + share·t. See [`Segment`] for an example.
    pub fn at(&self, share: f64) -> Vec<F> {
        let ends = self.example.scores.iter().zip(&self.to);
        ends.map(|(&from, &to)| F::from_f64((1.0 - share) * to_f64(from) + share * to_f64(to))).collect()
    }

    /// The distance of the two ends, ‖t − s‖₂. See [`Segment`] for an example.
    pub fn length(&self) -> f64 {
        let ends = self.example.scores.iter().zip(&self.to);
        ends.map(|(&from, &to)| (to_f64(to) - to_f64(from)).powi(2)).sum::<f64>().sqrt()
    }
}

impl<F> AsRef<Example<F>> for Segment<F> {
    fn as_ref(&self) -> &Example<F> {
        &self.example
    }
}

/// A [`moderate_example`].
impl<F: Real> Arbitrary for Example<F> {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> BoxedStrategy<Self> {
        moderate_example().boxed()
    }
}

/// A [`segment`].
impl<F: Real> Arbitrary for Segment<F> {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> BoxedStrategy<Self> {
        segment().boxed()
    }
}

/// An example with scores from any [family](scores).
///
/// ```
/// use topk_loss_laws::strategies::example;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(example::<f32>(), |example| {
///     prop_assert!(example.scores.len() >= 2 && example.label < example.scores.len() && example.k < example.scores.len());
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn example<F: Real>() -> impl Strategy<Value = Example<F>> {
    with_label_and_rank(scores()).prop_map(|(scores, label, k)| Example { scores, label, k })
}

/// An example with scores of moderate size, for laws in which digits must survive: differences, draws, exponentials.
///
/// ```
/// use topk_loss_laws::strategies::moderate_example;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(moderate_example::<f64>(), |example| {
///     prop_assert!(example.scores.iter().all(|score| score.abs() < 100.0));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn moderate_example<F: Real>() -> impl Strategy<Value = Example<F>> {
    with_label_and_rank(of_sizes(moderate)).prop_map(|(scores, label, k)| Example { scores, label, k })
}

/// Two vectors of moderate scores, mostly from the same family.
///
/// ```
/// use topk_loss_laws::strategies::segment;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(segment::<f64>(), |segment| {
///     prop_assert!(segment.to.len() == segment.example.scores.len());
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn segment<F: Real>() -> impl Strategy<Value = Segment<F>> {
    fn ends<F: Real>(len: SizeRange) -> BoxedStrategy<Vec<(F, F)>> {
        let pairs = |from, to| vec((float(from), float(to)), len.clone());
        let alike = |entry: BoxedStrategy<f64>| pairs(entry.clone(), entry);
        prop_oneof![
            alike(tied_score()),
            // From a tie upwards, where a subgradient that counts the tied twice shows.
            pairs(tied_score(), separated_score()),
            alike(normal_score()),
            alike(separated_score()),
            alike(clustered_score())
        ]
        .boxed()
    }
    with_label_and_rank(of_sizes(ends::<F>)).prop_map(|(ends, label, k)| {
        let (scores, to) = ends.into_iter().unzip();
        Segment { example: Example { scores, label, k }, to }
    })
}

fn with_label_and_rank<T: core::fmt::Debug>(classes: impl Strategy<Value = Vec<T>>) -> impl Strategy<Value = (Vec<T>, usize, usize)> {
    (classes, any::<Index>(), any::<Index>()).prop_map(|(classes, label, k)| {
        let len = classes.len();
        (classes, label.index(len), 1 + k.index(len - 1))
    })
}

/// Scores of 2 to 40 classes from one of the families below.
///
/// ```
/// use topk_loss_laws::strategies::scores;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(scores::<f64>(), |scores| {
///     prop_assert!((2..=40).contains(&scores.len()));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn scores<F: Real>() -> impl Strategy<Value = Vec<F>> {
    of_sizes(|len| prop_oneof![4 => moderate(len.clone()), 1 => extreme(len.clone()), 1 => offset(len)].boxed())
}

fn moderate<F: Real>(len: SizeRange) -> BoxedStrategy<Vec<F>> {
    prop_oneof![tied(len.clone()), normal(len.clone()), separated(len.clone()), clustered(len.clone()), decided(len)].boxed()
}

/// Half the time only a few.
fn of_sizes<T: core::fmt::Debug>(family: impl Fn(SizeRange) -> BoxedStrategy<Vec<T>>) -> impl Strategy<Value = Vec<T>> {
    prop_oneof![family((2..8).into()), family((2..=MAX_CLASSES).into())]
}

/// Training examples a class: heavy-tailed, some classes without any, but not all.
///
/// ```
/// use topk_loss_laws::strategies::class_counts;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(class_counts(), |counts| {
///     prop_assert!(counts.iter().any(|&count| count > 0));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn class_counts() -> impl Strategy<Value = Vec<usize>> {
    let count = prop_oneof![1 => Just(0), 4 => 1..10_usize, 2 => 10..100_000_usize];
    (vec(count, 1..MAX_CLASSES), any::<Index>(), 1..1000_usize).prop_map(|(mut counts, place, some)| {
        let place = place.index(counts.len());
        counts[place] = counts[place].max(some);
        counts
    })
}

/// A distribution over `len` classes: zeros and ties are likely, and so is a class that has nearly all.
///
/// ```
/// use proptest::prelude::*;
/// use topk_loss_laws::holds;
/// use topk_loss_laws::strategies::distribution;
/// holds(distribution(5), |shares: Vec<f64>| {
///     prop_assert!(shares.len() == 5 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-15);
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn distribution<F: Real>(len: usize) -> impl Strategy<Value = Vec<F>> {
    let weight = prop_oneof![3 => Just(1.0), 1 => Just(0.0), 2 => (1..4).prop_map(f64::from), 2 => (1e-3..10.0_f64).prop_map(f64::exp)];
    (vec(weight, len), any::<Index>()).prop_map(|(mut weights, place)| {
        if weights.iter().all(|&w| w == 0.0) {
            let place = place.index(weights.len());
            weights[place] = 1.0;
        }
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|w| F::from_f64(w / total)).collect()
    })
}

/// The classes 0 to `len` − 1 in any order; shrinks towards the usual one.
///
/// ```
/// use topk_loss_laws::strategies::permutation;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(permutation(4), |order| {
///     prop_assert!((0..4).all(|class| order.contains(&class)));
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn permutation(len: usize) -> impl Strategy<Value = Vec<usize>> {
    Just((0..len).collect::<Vec<_>>()).prop_shuffle()
}

/// A probability strictly between 0 and 1, from both tails as likely as from the middle; shrinks to ½.
///
/// ```
/// use topk_loss_laws::strategies::probability;
/// use proptest::prelude::*;
/// topk_loss_laws::holds(probability::<f32>(), |p| {
///     prop_assert!(0.0 < p && p < 1.0);
///     Ok::<(), TestCaseError>(())
/// });
/// ```
pub fn probability<F: Real>() -> impl Strategy<Value = F> {
    let tail = (-27.0..-1.0_f64).prop_map(f64::exp);
    prop_oneof![Just(0.5), 1e-3..1.0 - 1e-3, tail.clone(), tail.prop_map(|p| 1.0 - p)]
        .prop_map(|p| F::from_f64(p).min(F::one() - F::epsilon()))
}
