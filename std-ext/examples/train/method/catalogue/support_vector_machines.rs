//! The multi-class support vector machines: Crammer and Singer's, the top-K ones and the smooth one.

use super::*;

pub const CRAMMER_SINGER: Method = Method {
    flag: "crammer-singer",
    name: "Crammer–Singer",
    about: "Hinge of the largest other score: one guess, whatever K",
    similarity: Inner,
    generated: Settings::rate(1.0),
    text: Settings::rate(1.0),
    unsmoothed: None,
    config: |setup| top_k_svm(setup, 1, TopKSvmForm::KthOther),
};

pub const TOP_K_SVM_KTH: Method = Method {
    flag: "top-k-svm-kth",
    name: "top-K SVM, K-th other",
    about: "Hinge of the K-th largest other score",
    similarity: Inner,
    generated: Settings::rate(3.0),
    text: Settings::rate(10.0),
    unsmoothed: None,
    config: |setup| top_k_svm(setup, setup.k, TopKSvmForm::KthOther),
};

pub const TOP_K_SVM_MEAN: Method = Method {
    flag: "top-k-svm-mean",
    name: "top-K SVM, mean inside",
    about: "Hinge of the mean of the K largest other scores",
    similarity: Inner,
    generated: Settings::rate(1.0),
    text: Settings::rate(1.0),
    unsmoothed: None,
    config: |setup| top_k_svm(setup, setup.k, TopKSvmForm::MeanInside),
};

pub const TOP_K_SVM_ALPHA: Method = Method {
    flag: "top-k-svm-alpha",
    name: "top-K SVM, α",
    about: "The same, and the label competes for a place among the K: top-K hinge α",
    similarity: Inner,
    generated: Settings::rate(1.0),
    text: Settings::rate(1.0),
    unsmoothed: None,
    config: |setup| top_k_svm(setup, setup.k, TopKSvmForm::MeanWithLabel),
};

pub const TOP_K_SVM_BETA: Method = Method {
    flag: "top-k-svm-beta",
    name: "top-K SVM, β",
    about: "Mean of the hinges of the K largest other scores: top-K hinge β",
    similarity: Inner,
    generated: Settings::rate(1.0),
    text: Settings::rate(1.0),
    unsmoothed: None,
    config: |setup| top_k_svm(setup, setup.k, TopKSvmForm::MeanOutside),
};

pub const SMOOTH_TOP_K_SVM: Method = Method {
    flag: "smooth-top-k-svm",
    name: "smooth top-K SVM",
    about: "Top-K SVM with soft maxima over sets of K classes",
    similarity: Inner,
    generated: Settings { temperature: 0.03, ..Settings::rate(30.0) },
    text: Settings { temperature: 0.1, ..Settings::rate(30.0) },
    unsmoothed: None,
    config: |setup| SmoothTopKSvm { k: setup.k, temperature: setup.settings.temperature, margin: setup.settings.margin }.into(),
};

fn top_k_svm(setup: &Setup, k: usize, form: TopKSvmForm) -> Config<'_> {
    TopKSvm { k, form, margins: MarginConfig::Uniform(setup.settings.margin), scale: 1.0 }.into()
}
