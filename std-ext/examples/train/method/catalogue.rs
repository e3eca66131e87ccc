//! Every loss, with settings that were chosen by the validation rows: learning rates in steps of about 3.

use Similarity::{Cosine, Inner};
use anyhow::Result;
use topk_loss::{
    ClassWeighted, CrossEntropy, Focal, Gumbel, Ldam, LogitAdjusted, Margins, SmoothTopKSvm, TopKCrossEntropy, TopKHinge, TopKSvm,
    TopKSvmForm,
};
use topk_loss_batch::Similarity;

use super::Method;
use crate::objective::Objective;
use crate::settings::Settings;
use crate::setup::Setup;

/// What `--compare all` compares.
pub static ALL: [Method; 19] = [
    HINGE,
    CRAMMER_SINGER,
    TOP_K_SVM_KTH,
    TOP_K_SVM_MEAN,
    TOP_K_SVM_ALPHA,
    TOP_K_SVM_BETA,
    SMOOTH_TOP_K_SVM,
    CROSS_ENTROPY,
    FOCAL,
    CLASS_WEIGHTED,
    LDAM,
    ADJUSTED,
    TOP_K,
    ADJUSTED_TOP_K,
    ADJUSTED_MIXTURE,
    NOISED_BALANCED,
    ADJUSTED_NOISED,
    IMBALANCED,
    NOISED_IMBALANCED,
];
/// What is compared unless told otherwise.
pub const USUAL: [Method; 4] = [HINGE, CROSS_ENTROPY, NOISED_BALANCED, NOISED_IMBALANCED];
/// What has estimators to compare.
pub const NOISED: [Method; 2] = [NOISED_BALANCED, NOISED_IMBALANCED];

const HINGE: Method = Method {
    flag: "hinge",
    name: "hinge",
    about: "Calibrated top-K hinge, not smoothed",
    similarity: Inner,
    // Two or three classes become squatters, 43 % macro top-5; at 1 it is one class, and 60 %.
    generated: Settings::rate(0.3),
    text: Settings::rate(1.0),
    unsmoothed: None,
    build: |setup| Ok(Box::new(TopKHinge::new(setup.k)?.with_margins(Margins::Uniform(setup.settings.margin))?)),
};

const CRAMMER_SINGER: Method = Method {
    flag: "crammer-singer",
    name: "Crammer–Singer",
    about: "Hinge of the largest other score: one guess, whatever K",
    similarity: Inner,
    generated: Settings::rate(1.0),
    text: Settings::rate(1.0),
    unsmoothed: None,
    build: |setup| top_k_svm(setup, 1, TopKSvmForm::KthOther),
};

const TOP_K_SVM_KTH: Method = Method {
    flag: "top-k-svm-kth",
    name: "top-K SVM, K-th other",
    about: "Hinge of the K-th largest other score",
    similarity: Inner,
    generated: Settings::rate(3.0),
    text: Settings::rate(10.0),
    unsmoothed: None,
    build: |setup| top_k_svm(setup, setup.k, TopKSvmForm::KthOther),
};

const TOP_K_SVM_MEAN: Method = Method {
    flag: "top-k-svm-mean",
    name: "top-K SVM, mean inside",
    about: "Hinge of the mean of the K largest other scores",
    similarity: Inner,
    generated: Settings::rate(1.0),
    text: Settings::rate(1.0),
    unsmoothed: None,
    build: |setup| top_k_svm(setup, setup.k, TopKSvmForm::MeanInside),
};

const TOP_K_SVM_ALPHA: Method = Method {
    flag: "top-k-svm-alpha",
    name: "top-K SVM, α",
    about: "The same, and the label competes for a place among the K: top-K hinge α",
    similarity: Inner,
    generated: Settings::rate(1.0),
    text: Settings::rate(1.0),
    unsmoothed: None,
    build: |setup| top_k_svm(setup, setup.k, TopKSvmForm::MeanWithLabel),
};

const TOP_K_SVM_BETA: Method = Method {
    flag: "top-k-svm-beta",
    name: "top-K SVM, β",
    about: "Mean of the hinges of the K largest other scores: top-K hinge β",
    similarity: Inner,
    generated: Settings::rate(1.0),
    text: Settings::rate(1.0),
    unsmoothed: None,
    build: |setup| top_k_svm(setup, setup.k, TopKSvmForm::MeanOutside),
};

fn top_k_svm(setup: &Setup, k: usize, form: TopKSvmForm) -> Result<Box<dyn Objective + '_>> {
    Ok(Box::new(TopKSvm::new(k, form)?.with_margins(Margins::Uniform(setup.settings.margin))?))
}

const SMOOTH_TOP_K_SVM: Method = Method {
    flag: "smooth-top-k-svm",
    name: "smooth top-K SVM",
    about: "Top-K SVM with soft maxima over sets of K classes",
    similarity: Inner,
    generated: Settings { temperature: 0.03, ..Settings::rate(30.0) },
    text: Settings { temperature: 0.1, ..Settings::rate(30.0) },
    unsmoothed: None,
    build: |setup| Ok(Box::new(SmoothTopKSvm::new(setup.k, setup.settings.temperature, setup.settings.margin)?)),
};

pub const CROSS_ENTROPY: Method = Method {
    flag: "cross-entropy",
    name: "cross-entropy",
    about: "Cross-entropy of the softmax",
    similarity: Inner,
    generated: Settings::rate(10.0),
    text: Settings::rate(30.0),
    unsmoothed: None,
    build: |_| Ok(Box::new(CrossEntropy)),
};

const FOCAL: Method = Method {
    flag: "focal",
    name: "focal",
    about: "Cross-entropy in which rows that are already learnt count less",
    similarity: Inner,
    generated: Settings::rate(10.0),
    text: Settings::rate(30.0),
    unsmoothed: None,
    build: |setup| Ok(Box::new(Focal::new(setup.settings.gamma)?)),
};

const CLASS_WEIGHTED: Method = Method {
    flag: "class-weighted",
    name: "class-weighted cross-entropy",
    about: "Cross-entropy in which rows of rarer classes count more",
    similarity: Inner,
    generated: Settings { rarity: 1.0, ..Settings::rate(0.1) },
    text: Settings { rarity: 1.0, ..Settings::rate(0.1) },
    unsmoothed: None,
    build: |setup| Ok(Box::new(ClassWeighted::new(CrossEntropy, &setup.class_weights)?)),
};

const LDAM: Method = Method {
    flag: "ldam",
    name: "LDAM",
    about: "Cross-entropy of cosine scores, margins larger for rarer classes",
    similarity: Cosine,
    generated: Settings { max_margin: 0.2, scale: 20.0, ..Settings::rate(0.01) },
    text: Settings { max_margin: 0.5, scale: 80.0, ..Settings::rate(0.01) },
    unsmoothed: None,
    build: |setup| Ok(Box::new(Ldam::new(Margins::PerClass(&setup.margins), setup.settings.scale)?)),
};

const ADJUSTED: Method = Method {
    flag: "adjusted",
    name: "adjusted cross-entropy",
    about: "Logit-adjusted cross-entropy: of the scores plus the log frequencies",
    similarity: Inner,
    generated: Settings::rate(2.0),
    text: Settings::rate(10.0),
    unsmoothed: None,
    build: |setup| Ok(Box::new(LogitAdjusted::new(CrossEntropy, &setup.adjustments)?)),
};

const TOP_K: Method = Method {
    flag: "top-k-cross-entropy",
    name: "top-K cross-entropy",
    about: "Logarithm of the probability that the label is among K guesses, under Gumbel noise",
    similarity: Inner,
    generated: Settings::rate(3.0),
    text: Settings::rate(10.0),
    unsmoothed: None,
    build: |setup| Ok(Box::new(TopKCrossEntropy::new(setup.k, Gumbel, 1.0)?)),
};

const ADJUSTED_TOP_K: Method = Method {
    flag: "adjusted-top-k",
    name: "adjusted top-K cross-entropy",
    about: "The same, logit-adjusted",
    similarity: Inner,
    generated: Settings::rate(2.0),
    text: Settings::rate(10.0),
    unsmoothed: None,
    build: |setup| Ok(Box::new(LogitAdjusted::new(TopKCrossEntropy::new(setup.k, Gumbel, 1.0)?, &setup.adjustments)?)),
};

const ADJUSTED_MIXTURE: Method = Method {
    flag: "adjusted-mixture",
    name: "adjusted mixture",
    about: "Half of it with one guess, half with K, logit-adjusted",
    similarity: Inner,
    generated: Settings::rate(2.0),
    text: Settings::rate(30.0),
    unsmoothed: None,
    build: |setup| Ok(Box::new(LogitAdjusted::new(TopKCrossEntropy::mixture(&setup.halves, Gumbel, 1.0)?, &setup.adjustments)?)),
};

const NOISED_BALANCED: Method = Method {
    flag: "noised-balanced",
    name: "noised balanced",
    about: "Smoothed top-K hinge, one margin for all classes",
    similarity: Inner,
    generated: Settings { epsilon: 0.2, ..Settings::rate(1.0) },
    text: Settings { epsilon: 0.5, ..Settings::rate(1.0) },
    unsmoothed: Some(&HINGE),
    build: |setup| {
        Ok(Box::new(TopKHinge::new(setup.k)?.with_margins(Margins::Uniform(setup.settings.margin))?.with_smoothing(setup.smoothing)?))
    },
};

const ADJUSTED_NOISED: Method = Method {
    flag: "adjusted-noised-balanced",
    name: "adjusted noised balanced",
    about: "Logit-adjusted smoothed top-K hinge",
    similarity: Inner,
    generated: Settings { epsilon: 0.5, adjustment: 0.5, ..Settings::rate(0.3) },
    text: Settings { epsilon: 0.5, adjustment: 0.2, ..Settings::rate(1.0) },
    unsmoothed: None,
    build: |setup| {
        let loss = TopKHinge::new(setup.k)?.with_margins(Margins::Uniform(setup.settings.margin))?.with_smoothing(setup.smoothing)?;
        Ok(Box::new(LogitAdjusted::new(loss, &setup.adjustments)?))
    },
};

const IMBALANCED: Method = Method {
    flag: "imbalanced",
    name: "imbalanced",
    about: "Top-K hinge of cosine scores, margins larger for rarer classes, not smoothed",
    similarity: Cosine,
    generated: Settings { max_margin: 0.4, ..Settings::rate(0.01) },
    text: Settings { max_margin: 0.5, ..Settings::rate(0.01) },
    unsmoothed: None,
    build: |setup| {
        Ok(Box::new(TopKHinge::new(setup.k)?.with_margins(Margins::PerClass(&setup.margins))?.with_scale(setup.settings.scale)?))
    },
};

pub const NOISED_IMBALANCED: Method = Method {
    flag: "noised-imbalanced",
    name: "noised imbalanced",
    about: "Smoothed top-K hinge of cosine scores, margins larger for rarer classes",
    similarity: Cosine,
    generated: Settings { epsilon: 0.1, max_margin: 0.4, ..Settings::rate(0.01) },
    text: Settings { epsilon: 0.01, max_margin: 0.5, ..Settings::rate(0.01) },
    unsmoothed: Some(&IMBALANCED),
    build: |setup| {
        Ok(Box::new(
            TopKHinge::new(setup.k)?
                .with_margins(Margins::PerClass(&setup.margins))?
                .with_scale(setup.settings.scale)?
                .with_smoothing(setup.smoothing)?,
        ))
    },
};
