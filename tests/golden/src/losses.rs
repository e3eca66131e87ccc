//! Every loss of the catalogue, as data, on rows of several shapes.

use core::array;
use core::fmt::{Display, Formatter};
use core::hint::black_box;

use topk_loss::config::{BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::TopKSvmForm;
use topk_loss::{FoldIn, Key, Loss, Real, Result, Smoothing};

use crate::{Print, bits};

/// The most classes of a row.
pub const MOST_CLASSES: usize = 1000;

/// The most guesses.
pub const MOST_GUESSES: usize = 20;

/// Room for any of them.
const SCRATCH: usize = 40_000;

/// A row of scores, and how many guesses there are.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// How many classes.
    pub num_classes: usize,
    /// How many guesses.
    pub k: usize,
    /// The label.
    pub label: usize,
    /// What the scores are multiples of.
    pub unit: f64,
}

/// Few classes and many, close together and far apart, the label ahead and not.
#[must_use]
pub fn cases() -> [Case; 6] {
    let case = |num_classes, k, label, unit| Case { num_classes, k, label, unit };
    [
        case(10, 1, 5, 0.031_25),
        case(10, 3, 4, 0.125),
        case(100, 1, 20, 0.125),
        case(100, 5, 3, 0.031_25),
        case(MOST_CLASSES, 5, 3, 0.031_25),
        case(MOST_CLASSES, MOST_GUESSES, 156, 0.125),
    ]
}

impl Display for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        let Self { num_classes, k, label, .. } = self;
        write!(f, "{num_classes} classes, K = {k}, label {label}")
    }
}

/// A score that every float has exactly, half floats too: a unit times a whole number from −125 to 125, of which neighbours differ.
#[must_use]
pub fn score(class: usize, unit: f64) -> f64 {
    ((class * 37 % 251) as f64 - 125.0) * unit
}

/// A row of them.
pub fn scores<F: Real, const L: usize>(unit: f64) -> [F; L] {
    array::from_fn(|class| F::from_f64(score(class, unit)))
}

/// What the losses have tables of.
#[derive(Debug)]
pub struct Tables<F> {
    per_class: [F; MOST_CLASSES],
    shares: [F; MOST_GUESSES],
}

impl<F: Real> Tables<F> {
    /// Weights, margins and adjustments; shares of one guess and of `k`.
    #[must_use]
    pub fn new(k: usize) -> Self {
        let mut shares = [F::zero(); MOST_GUESSES];
        shares[0] = F::from_f64(0.5);
        shares[k - 1] += F::from_f64(0.5);
        Self { per_class: array::from_fn(|class| F::from_f64((1 + class % 3) as f64 / 2.0)), shares }
    }
}

/// All of them, each with a name.
pub fn losses<'a, F: Real>(case: &Case, tables: &'a Tables<F>) -> [(&'static str, LossConfig<F, &'a [F]>); 26] {
    let (k, scale, epsilon) = (black_box(case.k), F::from_f64(2.0), F::from_f64(0.75));
    let (per_class, shares) = (&tables.per_class[..case.num_classes], &tables.shares[..case.k]);
    let (uniform, listed) = (MarginConfig::default(), MarginConfig::PerClass(per_class));
    let hinge = |smoothing| BaseConfig::TopKHinge { k, margins: listed, scale, smoothing, tolerance: None };
    let svm = |form| BaseConfig::TopKSvm { k, form, margins: uniform, scale };
    let hinges = |epsilon| BaseConfig::TopKHinges { shares, margins: uniform, scale, epsilon };
    let cross_entropy = |guesses, law| BaseConfig::TopKCrossEntropy { guesses, law, epsilon };
    let drawn = Smoothing::Pathwise { epsilon, num_samples: 5, key: Key::new(1) };
    let base = LossConfig::from;
    let around = |loss, adjustments, class_weights| LossConfig { loss, adjustments, class_weights };
    [
        ("cross-entropy", base(BaseConfig::CrossEntropy)),
        ("focal", base(BaseConfig::Focal { gamma: F::from_f64(1.5) })),
        ("LDAM", base(BaseConfig::Ldam { margins: listed, scale })),
        ("hard hinge", base(hinge(Smoothing::None))),
        ("exact hinge", base(hinge(Smoothing::Exact { epsilon }))),
        ("pathwise hinge", base(hinge(drawn))),
        ("conditional hinge", base(hinge(Smoothing::Conditional { epsilon, num_samples: 5, key: Key::new(1) }))),
        ("hard hinges", base(hinges(None))),
        ("exact hinges", base(hinges(Some(epsilon)))),
        ("SVM of the k-th other", base(svm(TopKSvmForm::KthOther))),
        ("SVM of the mean outside", base(svm(TopKSvmForm::MeanOutside))),
        ("SVM of the mean inside", base(svm(TopKSvmForm::MeanInside))),
        ("SVM of the mean with the label", base(svm(TopKSvmForm::MeanWithLabel))),
        ("smooth SVM", base(BaseConfig::SmoothTopKSvm { k, temperature: epsilon, margin: F::one() })),
        ("polyhedral hinge", base(BaseConfig::PolyhedralHinge { k, margins: listed, scale })),
        ("margin cross-entropy", base(BaseConfig::TopKMarginCrossEntropy { k, margins: listed, scale })),
        ("top-K cross-entropy, normal", base(cross_entropy(Guesses::K(k), Law::Normal))),
        ("top-K cross-entropy, Gumbel", base(cross_entropy(Guesses::K(k), Law::Gumbel))),
        ("top-K cross-entropy, logistic", base(cross_entropy(Guesses::K(k), Law::Logistic))),
        ("mixture of cross-entropies, normal", base(cross_entropy(Guesses::Mixture(shares), Law::Normal))),
        ("mixture of cross-entropies, Gumbel", base(cross_entropy(Guesses::Mixture(shares), Law::Gumbel))),
        ("mixture of cross-entropies, logistic", base(cross_entropy(Guesses::Mixture(shares), Law::Logistic))),
        ("weighted cross-entropy", around(BaseConfig::CrossEntropy, None, Some(per_class))),
        ("adjusted cross-entropy", around(BaseConfig::CrossEntropy, Some(per_class), None)),
        ("weighted and adjusted exact hinge", around(hinge(Smoothing::Exact { epsilon }), Some(per_class), Some(per_class))),
        ("adjusted pathwise hinge", around(hinge(drawn), Some(per_class), None)),
    ]
}

#[inline(never)]
pub(crate) fn print<F: Real>(print: &mut Print<'_>) -> Result<()> {
    let (mut grad, mut scratch) = ([F::zero(); MOST_CLASSES], [F::nan(); SCRATCH]);
    for case in cases() {
        let (scores, grad, tables) = (scores::<F, MOST_CLASSES>(case.unit), &mut grad[..case.num_classes], Tables::new(case.k));
        for (name, config) in losses(&case, &tables) {
            // As the first example of a batch.
            let loss = config.build()?.fold_in(0);
            let value = loss.value_and_grad(&scores[..case.num_classes], case.label, grad, &mut scratch)?;
            print(format_args!("{case}, {name}: {value}, gradient {:016x}", bits::hash(grad)));
        }
    }
    Ok(())
}
