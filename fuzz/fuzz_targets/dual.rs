//! Losses of dual numbers: their value is the loss, their derivative the gradient along a direction.
#![no_main]

use libfuzzer_sys::fuzz_target;
use topk_loss::dual::Dual;
use topk_loss_fuzz::{Input, promises};

/// Where a derivative is not lost to a rounding: far from the ends of the range.
fn is_moderate(x: f64) -> bool {
    x == 0.0 || (1e-2..1e2).contains(&x.abs())
}

fuzz_target!(|input: Input| {
    let scores: Vec<f64> = input.scores();
    let (len, label) = (scores.len(), input.label.label(scores.len()));
    let (Ok(loss), Ok(dual)) = (input.config::<f64>(len).build(), input.config::<Dual<f64>>(len).build()) else { return };
    let direction: Vec<f64> = input.others::<f64>(len).into_iter().map(|x| if is_moderate(x) { x } else { 0.0 }).collect();
    let directed = |(&score, &slope): (&f64, &f64)| Dual::new(score, slope);
    let point: Vec<Dual<f64>> = scores.iter().zip(direction.iter().chain(core::iter::repeat(&1.0))).map(directed).collect();
    let parameters = [input.epsilon(), input.factor::<f64>()];
    let others = input.others::<f64>(len);
    let forward = promises::loss(&dual, &point, label);
    if !scores.iter().chain(&parameters).chain(&others).all(|&x| is_moderate(x)) || parameters.contains(&0.0) {
        return;
    }
    let (Ok((forward, _)), Ok((value, grad))) = (forward, promises::loss(&loss, &scores, label)) else { return };
    let slope: f64 = grad.iter().zip(&point).map(|(g, at)| g * at.derivative).sum();
    let size: f64 = 1.0 + value.abs() + grad.iter().zip(&point).map(|(g, at)| (g * at.derivative).abs()).sum::<f64>();
    assert!((forward.value - value).abs() <= 1e-5 * size, "{} instead of {value}", forward.value);
    assert!((forward.derivative - slope).abs() <= 1e-4 * size, "a derivative of {} instead of {slope}", forward.derivative);
});
