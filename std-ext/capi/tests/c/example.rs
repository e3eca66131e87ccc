//! What `example.c` prints, by the Rust interface.

use std::fmt::Write;

use topk_loss::config::{BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::TopKSvmForm;
use topk_loss::{FoldIn, Key, Loss, Real, Smoothing};

const CLASSES: usize = 12;
const LABEL: usize = 4;

pub fn expected() -> String {
    of_float::<f32>("f32", |number| format!("{:08x}", number.to_bits()))
        + &of_float::<f64>("f64", |number| format!("{:016x}", number.to_bits()))
}

fn of_float<F: Real>(float: &str, bits: impl Fn(F) -> String) -> String {
    let scores: [F; CLASSES] = core::array::from_fn(|class| F::from_f64((class * 37 % 61) as f64 / 16.0 - 2.0));
    let mut printed = String::new();
    for (name, config) in configs::<F>() {
        let loss = config.build().unwrap().fold_in(3);
        let (mut grad, mut scratch) = ([F::zero(); CLASSES], vec![F::zero(); loss.scratch_len(CLASSES)]);
        let value = loss.value_and_grad(&scores, LABEL, &mut grad, &mut scratch).unwrap();
        write!(printed, "{float} {name} {}", bits(value)).unwrap();
        grad.into_iter().for_each(|entry| write!(printed, " {}", bits(entry)).unwrap());
        printed.push('\n');
    }
    printed
}

/// By the numbers of the kind and of the smoothing.
fn configs<F: Real>() -> Vec<(&'static str, LossConfig<F, Vec<F>>)> {
    let (k, scale, epsilon, key) = (2, F::from_f64(1.5), F::from_f64(0.5), Key::new(7));
    let uniform = || MarginConfig::Uniform(F::one());
    let per_class: Vec<F> = (0..CLASSES).map(|class| F::from_f64((1 + class % 3) as f64 / 2.0)).collect();
    let shares = vec![F::from_f64(0.25), F::from_f64(0.75)];
    let hinge = |smoothing| BaseConfig::TopKHinge { k, margins: uniform(), scale, smoothing, tolerance: None };
    let base: [(_, BaseConfig<F, Vec<F>>); 13] = [
        ("0-0", BaseConfig::CrossEntropy),
        ("1-0", BaseConfig::Focal { gamma: F::from_f64(2.0) }),
        ("2-0", BaseConfig::Ldam { margins: uniform(), scale }),
        ("3-0", hinge(Smoothing::None)),
        ("3-1", hinge(Smoothing::Exact { epsilon })),
        ("3-2", hinge(Smoothing::Pathwise { epsilon, num_samples: 5, key })),
        ("3-3", hinge(Smoothing::Conditional { epsilon, num_samples: 5, key })),
        ("4-0", BaseConfig::TopKHinges { shares: shares.clone(), margins: uniform(), scale, epsilon: None }),
        ("5-0", BaseConfig::TopKSvm { k, form: TopKSvmForm::MeanInside, margins: uniform(), scale }),
        ("6-0", BaseConfig::SmoothTopKSvm { k, temperature: F::one(), margin: F::one() }),
        ("7-0", BaseConfig::PolyhedralHinge { k, margins: MarginConfig::PerClass(per_class.clone()), scale }),
        ("8-0", BaseConfig::TopKMarginCrossEntropy { k, margins: uniform(), scale }),
        ("9-0", BaseConfig::TopKCrossEntropy { guesses: Guesses::Mixture(shares), law: Law::Gumbel, epsilon }),
    ];
    let around = |(name, loss)| {
        let adjustments = (name == "1-0").then(|| per_class.clone());
        let class_weights = (name == "0-0").then(|| per_class.clone());
        (name, LossConfig { loss, adjustments, class_weights })
    };
    base.into_iter().map(around).collect()
}
