//! WIP
use std::time::Instant;
use topk_loss::*;
use topk_loss_laws::calibration::*;

fn show(name: &str, make: impl Fn(usize) -> Box<dyn Loss<f64>>) {
    for k in 1..=3 {
        for l in 3.max(k + 1)..=6 {
            let t = Instant::now();
            let v = top_k_calibrated(&&*make(k), k, l, &Search::default()).unwrap();
            println!("{name} K={k} L={l} {:.2?} {v}", t.elapsed());
        }
    }
}
const M: Margins<'static, f64> = Margins::Uniform(1.0);

#[test]
fn hinges() {
    show("calibrated", |k| Box::new(TopKHinge::new(k, M, 1.0, Smoothing::None).unwrap()));
    for form in [TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside] {
        show(&format!("{form:?}"), |k| Box::new(TopKSvm::new(k, form, M, 1.0).unwrap()));
    }
}
#[test]
fn smooth() {
    show("CE", |_| Box::new(CrossEntropy));
    show("SVM1", |k| Box::new(SmoothTopKSvm::new(k, 1.0, 1.0).unwrap()));
}
#[test]
fn exact() {
    show("Gumbel", |k| Box::new(TopKCrossEntropy::new(k, Gumbel, 1.0).unwrap()));
    show("noised 1", |k| Box::new(TopKHinge::smoothed(k, 1.0).unwrap()));
    show("noised .2", |k| Box::new(TopKHinge::smoothed(k, 0.2).unwrap()));
}
