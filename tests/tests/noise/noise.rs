//! The standard normal law against its series and against itself. (`statrs` is no judge here: its cdf has 13 digits.)

use proptest::prelude::*;
use topk_loss::Real;
use topk_loss::noise::{Noise, Normal};
use topk_loss_laws::property::config;
use topk_loss_laws::reference::{normal_pdf, normal_survival, to_f64};
use topk_loss_laws::{both_floats, tolerances};

fn uniform<F: Real>() -> impl Strategy<Value = F> {
    // Uniform, or spread over the magnitudes of the tail.
    prop_oneof![1e-6..1.0 - 1e-6, (-30.0..-1.0_f64).prop_map(f64::exp)].prop_map(F::from_f64)
}

fn point<F: Real>() -> impl Strategy<Value = F> {
    (-8.0..8.0).prop_map(F::from_f64)
}

fn condition<F: Real>(z: F) -> F {
    F::one() + z * z
}

fn quantile_inverts_the_cdf<F: Real>(p: F) -> Result<(), TestCaseError> {
    let z = Normal.quantile(p);
    let back = normal_survival(to_f64(-z));
    let magnitude = p * condition(z);
    prop_assert!(tolerances::QUANTILE.allows(F::from_f64(back), p, magnitude), "quantile({}) = {} has probability {}", p, z, back);
    Ok(())
}

fn cdf_survival_and_pdf_are_the_series<F: Real>(z: F) -> Result<(), TestCaseError> {
    let x = to_f64(z);
    let pairs = [(Normal.cdf(z), normal_survival(-x)), (Normal.survival(z), normal_survival(x)), (Normal.pdf(z), normal_pdf(x))];
    for (actual, expected) in pairs {
        let expected = F::from_f64(expected);
        prop_assert!(
            tolerances::PROBABILITY.allows(actual, expected, expected * condition(z)),
            "{} instead of {} at {}",
            actual,
            expected,
            z
        );
    }
    Ok(())
}

fn the_law_is_symmetric<F: Real>(z: F) -> Result<(), TestCaseError> {
    prop_assert_eq!(Normal.cdf(z), Normal.survival(-z));
    prop_assert_eq!(Normal.pdf(z), Normal.pdf(-z));
    prop_assert_eq!(Normal.score(z), -Normal.score(-z));
    // p and 1 − p are both on the grid for uniforms of the samplers, so there the mirror is exact.
    let p = F::open_uniform([to_f64(z).to_bits() as u32, 0]);
    prop_assert_eq!(Normal.quantile(p), -Normal.quantile(F::one() - p));
    Ok(())
}

both_floats! {
    quantile_inverts_the_cdf in uniform;
    cdf_survival_and_pdf_are_the_series in point;
    the_law_is_symmetric in point;
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pdf_is_the_derivative_of_cdf_and_score_of_its_logarithm(z in -6.0..6.0_f64) {
        let step = tolerances::SMOOTH_STEP;
        let difference = |f: &dyn Fn(f64) -> f64| (f(z + step) - f(z - step)) / (2.0 * step);
        let slope = difference(&|z| Normal.cdf(z));
        prop_assert!(tolerances::SMOOTH_DIFFERENCE.allows(slope, Normal.pdf(z), 1.0));
        let decline = -difference(&|z| Normal.pdf(z).ln());
        prop_assert!(tolerances::SMOOTH_DIFFERENCE.allows(decline, Normal.score(z), 1.0 + z * z));
    }

    #[test]
    fn quantile_increases(p in 1e-9..1.0 - 1e-9_f64, q in 1e-9..1.0 - 1e-9_f64) {
        prop_assert_eq!(p < q, Normal.quantile(p) < Normal.quantile(q));
    }
}

/// The branches of AS 241 meet at |p − ½| = 0.425 and √(−ln p) = 5.
#[test]
fn the_branches_of_the_quantile_meet() {
    for p in [0.075, (-25.0_f64).exp()] {
        let (below, above) = (Normal.quantile(p * (1.0 - 1e-14)), Normal.quantile(p * (1.0 + 1e-14)));
        assert!(below <= above && above - below < 1e-13, "{below} and {above}");
    }
}
