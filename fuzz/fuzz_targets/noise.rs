//! What a law says of itself: probabilities, densities, quantiles, anywhere.
#![no_main]

use topk_loss::noise::Noise;
use topk_loss_fuzz::{Float, Input, target};
use topk_loss_laws::reference::to_f64;

fn noise<F: Float>(input: &Input) {
    let law = input.law();
    let mut places: Vec<F> = input.scores().into_iter().filter(|z: &F| z.is_finite()).collect();
    places.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
    let (zero, one, epsilon) = (F::zero(), F::one(), to_f64(F::epsilon()));
    let mut before = (zero, one);
    for z in places {
        let (cdf, survival, pdf) = (law.cdf(z), law.survival(z), law.pdf(z));
        assert!(zero <= cdf && cdf <= one && zero <= survival && survival <= one, "{law:?} at {z}: {cdf}, {survival}");
        assert!((to_f64(cdf) + to_f64(survival) - 1.0).abs() <= 4.0 * epsilon, "{law:?} at {z}: {cdf} + {survival}");
        assert!(pdf >= zero && pdf.is_finite(), "{law:?} at {z}: {pdf}");
        // A distribution function falls nowhere, but for rounding.
        let slack = F::from_f64(8.0 * epsilon) * one.max(z * z).min(F::from_f64(1e4));
        assert!(cdf >= before.0 * (one - slack) && survival <= before.1 * (one + slack), "{law:?} at {z}: {cdf} after {before:?}");
        before = (cdf, survival);
        let logs = [law.ln_pdf(z), law.ln_cdf(z), law.ln_survival(z), law.score(z)];
        assert!(!logs.iter().any(|log| log.is_nan()), "{law:?} at {z}: {logs:?}");
        assert!(logs[1] <= zero && logs[2] <= zero, "{law:?} at {z}: {logs:?}");
        let together = [(law.cdf_and_pdf(z).0, cdf), (law.survival_and_pdf(z).0, survival)];
        let is_same = |(a, b): (F, F)| {
            (to_f64(a) - to_f64(b)).abs() <= 64.0 * epsilon * (1.0 + to_f64(z.abs())) * to_f64(b) + to_f64(F::min_positive_value())
        };
        assert!(together.into_iter().all(is_same), "{law:?} at {z}: {together:?}");
    }
    let (high, low) = ((input.seed >> 32) as u32, input.seed as u32);
    let p = F::open_uniform([high, low]);
    let z = law.quantile(p);
    assert!(z.is_finite(), "{law:?}: quantile {z} of {p}");
    let condition = to_f64(one + z.abs()).powi(2);
    let error = (to_f64(law.cdf(z)) - to_f64(p)).abs();
    assert!(error <= 64.0 * epsilon * condition * to_f64(p).max(epsilon), "{law:?}: {p} became {} by {z}", law.cdf(z));
}

target!(noise);
