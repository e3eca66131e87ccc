//! A loss as a plain struct of settings, and its values to start from.

use topk_loss::config::{BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::TopKSvmForm;
use topk_loss::{Key, Real, Smoothing};

use crate::error::{Failure, Result};
use crate::memory::TopkList;

/// Numbers that come from C, where an enum may hold any.
pub(crate) trait Enum: Copy + 'static {
    const NAME: &str;
    const ALL: &[Self];

    fn number(self) -> u32;

    fn from_number(number: u32) -> Result<Self> {
        Self::ALL.iter().copied().find(|value| value.number() == number).ok_or(Failure::Enum(Self::NAME, number))
    }
}

/// The losses. Each says which fields of its settings it reads beside `kind`, `adjustments` and `class_weights`; it ignores the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum TopkKind {
    /// The cross-entropy: no field.
    CrossEntropy = 0,
    /// The focal loss: `gamma`.
    Focal = 1,
    /// LDAM: `margin` or `margins`, `scale`.
    Ldam = 2,
    /// The calibrated top-K hinge: `k`, `margin` or `margins`, `scale`, `smoothing` with `epsilon`, `num_samples` and `seed`, `tolerance`.
    TopKHinge = 3,
    /// The hinges of several K at once: `shares`, `margin` or `margins`, `scale`; `epsilon` if `smoothing` is exact.
    TopKHinges = 4,
    /// The top-K hinges over the other classes: `k`, `form`, `margin` or `margins`, `scale`.
    TopKSvm = 5,
    /// The smooth top-K SVM: `k`, `temperature`, `margin`.
    SmoothTopKSvm = 6,
    /// The polyhedral top-K hinge: `k`, `margin` or `margins`, `scale`.
    PolyhedralHinge = 7,
    /// The cross-entropy with a top-K margin: `k`, `margin` or `margins`, `scale`.
    TopKMarginCrossEntropy = 8,
    /// The top-K cross-entropy: `k` or `shares`, `law`, `epsilon`.
    TopKCrossEntropy = 9,
}

impl Enum for TopkKind {
    const NAME: &str = "TopkKind";
    const ALL: &[Self] = &[
        Self::CrossEntropy,
        Self::Focal,
        Self::Ldam,
        Self::TopKHinge,
        Self::TopKHinges,
        Self::TopKSvm,
        Self::SmoothTopKSvm,
        Self::PolyhedralHinge,
        Self::TopKMarginCrossEntropy,
        Self::TopKCrossEntropy,
    ];

    fn number(self) -> u32 {
        self as u32
    }
}

/// How the (K+1)-th largest score is smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum TopkSmoothing {
    /// Not at all.
    None = 0,
    /// Exactly, with no random number.
    Exact = 1,
    /// By draws: the paper's estimator.
    Pathwise = 2,
    /// By draws, with the variance of each class's own noise taken out.
    Conditional = 3,
}

impl Enum for TopkSmoothing {
    const NAME: &str = "TopkSmoothing";
    const ALL: &[Self] = &[Self::None, Self::Exact, Self::Pathwise, Self::Conditional];

    fn number(self) -> u32 {
        self as u32
    }
}

/// The law of a top-K cross-entropy's noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum TopkLaw {
    /// Standard normal.
    Normal = 0,
    /// Gumbel.
    Gumbel = 1,
    /// Logistic.
    Logistic = 2,
}

impl Enum for TopkLaw {
    const NAME: &str = "TopkLaw";
    const ALL: &[Self] = &[Self::Normal, Self::Gumbel, Self::Logistic];

    fn number(self) -> u32 {
        self as u32
    }
}

/// Which of the top-K hinges over the other classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum TopkForm {
    /// The hinge of the K-th largest other.
    KthOther = 0,
    /// The hinge of the mean of the K largest others.
    MeanInside = 1,
    /// The hinge of the mean of the K largest, the label competing: the top-K hinge α of Lapin et al.
    MeanWithLabel = 2,
    /// The mean of the hinges of the K largest others: the top-K hinge β of Lapin et al.
    MeanOutside = 3,
}

impl Enum for TopkForm {
    const NAME: &str = "TopkForm";
    const ALL: &[Self] = &[Self::KthOther, Self::MeanInside, Self::MeanWithLabel, Self::MeanOutside];

    fn number(self) -> u32 {
        self as u32
    }
}

/// A loss as data, see `TopkKind` for what is read. `topk_f32_settings` and `topk_f64_settings` give it values to start from.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct TopkSettings<F> {
    /// A `TopkKind`.
    pub kind: u32,
    /// A `TopkSmoothing`; none to start from.
    pub smoothing: u32,
    /// A `TopkLaw`; normal to start from.
    pub law: u32,
    /// A `TopkForm`; the K-th other to start from.
    pub form: u32,
    /// The number of guesses; 1 to start from.
    pub k: usize,
    /// How many draws are averaged; 5 to start from.
    pub num_samples: usize,
    /// What draws are made from; 0 to start from.
    pub seed: u64,
    /// By how much a label must lead, in all classes; 1 to start from.
    pub margin: F,
    /// What multiplies the loss, or the scores of LDAM and the margin cross-entropy; 1 to start from.
    pub scale: F,
    /// The scale of the noise; 1 to start from.
    pub epsilon: F,
    /// The focusing parameter; 2 to start from.
    pub gamma: F,
    /// How soft the smooth SVM's maxima are; 1 to start from.
    pub temperature: F,
    /// The bound on an exactly smoothed gradient's error; 0, from which it starts, takes the float's own.
    pub tolerance: F,
    /// By how much a label must lead, one a class, in place of `margin`.
    pub margins: TopkList<F>,
    /// The shares of 1, 2, … guesses.
    pub shares: TopkList<F>,
    /// What is added to the scores, one a class: logarithms of priors.
    pub adjustments: TopkList<F>,
    /// What the loss of a class counts, one a class.
    pub class_weights: TopkList<F>,
}

impl<F: Real> TopkSettings<F> {
    /// Those of a loss to start from.
    pub(crate) fn of(kind: u32) -> Self {
        let one = F::one();
        Self {
            kind,
            smoothing: TopkSmoothing::None as u32,
            law: TopkLaw::Normal as u32,
            form: TopkForm::KthOther as u32,
            k: 1,
            num_samples: 5,
            seed: 0,
            margin: one,
            scale: one,
            epsilon: one,
            gamma: one + one,
            temperature: one,
            tolerance: F::zero(),
            margins: TopkList::ABSENT,
            shares: TopkList::ABSENT,
            adjustments: TopkList::ABSENT,
            class_weights: TopkList::ABSENT,
        }
    }

    /// The description of the loss, of floats and lists of another kind.
    ///
    /// # Safety
    /// The lists are as they say, and stay so for `'a`.
    pub(crate) unsafe fn describe<'a, G: Real, T>(&self, float: impl Fn(F) -> G, list: impl Fn(&'a [F]) -> T) -> Result<LossConfig<G, T>> {
        // SAFETY: the caller's promise.
        let given = |what, given: &TopkList<F>| unsafe { given.get(what) }.map(|given| given.map(&list));
        let (k, scale, epsilon) = (self.k, float(self.scale), float(self.epsilon));
        let uniform = || MarginConfig::Uniform(float(self.margin));
        let margins = || given("margins", &self.margins).map(|margins| margins.map_or_else(uniform, MarginConfig::PerClass));
        let shares = || given("shares", &self.shares);
        let loss = match TopkKind::from_number(self.kind)? {
            TopkKind::CrossEntropy => BaseConfig::CrossEntropy,
            TopkKind::Focal => BaseConfig::Focal { gamma: float(self.gamma) },
            TopkKind::Ldam => BaseConfig::Ldam { margins: margins()?, scale },
            TopkKind::TopKHinge => {
                let tolerance = (self.tolerance != F::zero()).then(|| float(self.tolerance));
                BaseConfig::TopKHinge { k, margins: margins()?, scale, smoothing: self.smoothing(epsilon)?, tolerance }
            }
            TopkKind::TopKHinges => {
                let epsilon = match TopkSmoothing::from_number(self.smoothing)? {
                    TopkSmoothing::None => None,
                    TopkSmoothing::Exact => Some(epsilon),
                    other => return Err(Failure::Enum("the smoothing of hinges of several K", other.number())),
                };
                BaseConfig::TopKHinges { shares: shares()?.ok_or(Failure::Null("shares"))?, margins: margins()?, scale, epsilon }
            }
            TopkKind::TopKSvm => BaseConfig::TopKSvm { k, form: self.form()?, margins: margins()?, scale },
            TopkKind::SmoothTopKSvm => BaseConfig::SmoothTopKSvm { k, temperature: float(self.temperature), margin: float(self.margin) },
            TopkKind::PolyhedralHinge => BaseConfig::PolyhedralHinge { k, margins: margins()?, scale },
            TopkKind::TopKMarginCrossEntropy => BaseConfig::TopKMarginCrossEntropy { k, margins: margins()?, scale },
            TopkKind::TopKCrossEntropy => {
                BaseConfig::TopKCrossEntropy { guesses: shares()?.map_or(Guesses::K(k), Guesses::Mixture), law: self.law()?, epsilon }
            }
        };
        let (adjustments, class_weights) = (given("adjustments", &self.adjustments)?, given("class_weights", &self.class_weights)?);
        Ok(LossConfig { loss, adjustments, class_weights })
    }

    fn smoothing<G: Real>(&self, epsilon: G) -> Result<Smoothing<G>> {
        let (num_samples, key) = (self.num_samples, Key::new(self.seed));
        Ok(match TopkSmoothing::from_number(self.smoothing)? {
            TopkSmoothing::None => Smoothing::None,
            TopkSmoothing::Exact => Smoothing::Exact { epsilon },
            TopkSmoothing::Pathwise => Smoothing::Pathwise { epsilon, num_samples, key },
            TopkSmoothing::Conditional => Smoothing::Conditional { epsilon, num_samples, key },
        })
    }

    fn law(&self) -> Result<Law> {
        Ok(match TopkLaw::from_number(self.law)? {
            TopkLaw::Normal => Law::Normal,
            TopkLaw::Gumbel => Law::Gumbel,
            TopkLaw::Logistic => Law::Logistic,
        })
    }

    fn form(&self) -> Result<TopKSvmForm> {
        Ok(match TopkForm::from_number(self.form)? {
            TopkForm::KthOther => TopKSvmForm::KthOther,
            TopkForm::MeanInside => TopKSvmForm::MeanInside,
            TopkForm::MeanWithLabel => TopKSvmForm::MeanWithLabel,
            TopkForm::MeanOutside => TopKSvmForm::MeanOutside,
        })
    }
}
