//! Dual numbers against differences, and through a loss against its gradient.

use proptest::prelude::*;
use topk_loss::dual::Dual;
use topk_loss::{CrossEntropy, Loss, Real};
use topk_loss_laws::Example;
use topk_loss_laws::property::config;
use topk_loss_laws::strategies::moderate_example;

fn assert_slope(name: &str, function: impl Fn(Dual<f64>) -> Dual<f64>, x: f64) {
    let step = 1e-6;
    let value = |x: f64| function(Dual::constant(x)).value;
    let slope = (value(x + step) - value(x - step)) / (2.0 * step);
    let derivative = function(Dual::new(x, 1.0)).derivative;
    assert!((derivative - slope).abs() <= 1e-7 * (1.0 + slope.abs()), "{name} at {x}: {derivative} for {slope}");
}

#[test]
fn derivatives_are_differences() {
    for x in [0.3, 1.1, 2.7] {
        let c = Dual::constant;
        assert_slope("sqrt", Dual::sqrt, x);
        assert_slope("exp", Real::exp, x);
        assert_slope("exp_m1", Real::exp_m1, x);
        assert_slope("ln", Real::ln, x);
        assert_slope("ln_1p", Real::ln_1p, x);
        assert_slope("cos", Real::cos, x);
        assert_slope("erfc", Real::erfc, x);
        assert_slope("x^1.7", |x| x.powf(c(1.7)), x);
        assert_slope("1.7^x", |x| c(1.7).powf(x), x);
        assert_slope("x^x", |x| x.powf(x), x);
        assert_slope("x (x + 2) - 1/x", |x| x * (x + c(2.0)) - c(1.0) / x, x);
        assert_slope("-x / (1 + x)", |x| -x / (c(1.0) + x), x);
        assert_slope("7 % x", |x| c(7.0) % x, x);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_loss_differentiates_itself(Example { scores, label, .. } in moderate_example::<f64>(), class in any::<prop::sample::Index>()) {
        let class = class.index(scores.len());
        let direction = |i: usize| if i == class { 1.0 } else { 0.0 };
        let duals: Vec<Dual<f64>> = scores.iter().enumerate().map(|(i, &s)| Dual::new(s, direction(i))).collect();
        let mut grad = vec![0.0; scores.len()];
        let value = CrossEntropy.value_and_grad(&scores, label, &mut grad, &mut []).unwrap();
        let dual = CrossEntropy.value(&duals, label, &mut []).unwrap();
        prop_assert!((dual.value - value).abs() <= 1e-14 * value.abs());
        prop_assert!((dual.derivative - grad[class]).abs() <= 1e-14);
    }
}
