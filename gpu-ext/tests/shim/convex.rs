//! The convex losses against core in `f64`.

use half::{bf16, f16};
use topk_loss::loss::{PolyhedralHinge, TopKMarginCrossEntropy};
use topk_loss::{FoldIn, Loss};
use topk_loss_cuda::Score;
use topk_loss_cuda::plan::Compiled;

use super::batch::{Batch, Number};
use super::cases::{batches, l1, rounding};
use super::driver::{Build, Driver};
use super::families::FAMILIES;

/// Values to so many roundings of their size and the scores' range. A gradient is that of scores that are as near: where none of core's near a
/// kink is the kernel's, it is off.
fn agrees<T: Score + Number>(
    driver: &mut Driver,
    batch: &Batch<T>,
    ours: &impl Compiled<T::Float>,
    reference: &(impl Loss<f64> + FoldIn),
    (scale, smoothness): (f64, f64),
) where
    T::Float: Number,
{
    let outputs = batch.run(driver, ours, (2, 64));
    for (example, grad) in outputs.grads.chunks(batch.num_classes).enumerate() {
        let case = format!("L = {}, {:?}", batch.num_classes, FAMILIES[example]);
        assert_eq!(outputs.codes[example], 0, "{case}");
        let (value, expected) = batch.expected::<f64>(reference, example).unwrap();
        let row = batch.row(example).iter().map(|s| s.to_f64());
        let range = 1.0 + row.clone().fold(f64::NEG_INFINITY, f64::max) - row.fold(f64::INFINITY, f64::min);
        let allowed = 64.0 * rounding::<T::Float>() * (scale * range + value);
        let error = (outputs.values[example].to_f64() - value).abs();
        assert!(error <= allowed, "value off by {error:e} > {allowed:e}, {case}");
        let allowed = 2.0 * scale * rounding::<T>() + 64.0 * rounding::<T::Float>() * (scale + smoothness * range);
        let error = l1(grad, &expected);
        assert!(error <= allowed, "gradient off by {error:e} > {allowed:e}, {case}");
    }
}

fn all_agree<T: Score + Number>(driver: &mut Driver)
where
    T::Float: Number,
{
    let float = <T::Float as Number>::of_f64;
    for (batch, k) in batches::<T>(23) {
        // No margin is a multiple of a difference of scores, so none is at a kink.
        for (scale, margin) in [(1.0, 0.7182818), (2.5, 0.0718), (0.5, 31.4)] {
            let margins: Vec<f64> = (0..batch.num_classes).map(|class| margin + (class % 3) as f64 * 0.0137).collect();
            let margins: Vec<f64> = margins.iter().map(|&m| float(m).to_f64()).collect();
            let ours: Vec<_> = margins.iter().map(|&m| float(m)).collect();
            let hinge = PolyhedralHinge::new(k).unwrap().with_margins(&ours).unwrap().with_scale(float(scale)).unwrap();
            let reference = PolyhedralHinge::new(k).unwrap().with_margins(&margins).unwrap().with_scale(scale).unwrap();
            agrees(driver, &batch, &hinge, &reference, (scale, 0.0));
            let softmax =
                TopKMarginCrossEntropy::new(k, float(1.0)).unwrap().with_margins(&ours).unwrap().with_scale(float(scale)).unwrap();
            let reference = TopKMarginCrossEntropy::new(k, 1.0).unwrap().with_margins(&margins).unwrap().with_scale(scale).unwrap();
            agrees(driver, &batch, &softmax, &reference, (scale, scale * scale * (1.0 + k as f64)));
        }
    }
}

#[test]
fn convex_losses() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    all_agree::<f32>(&mut driver);
    all_agree::<f64>(&mut driver);
    all_agree::<f16>(&mut driver);
    all_agree::<bf16>(&mut driver);
}
