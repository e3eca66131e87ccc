//! Every loss of the catalogue, with what may be around it.
#![no_main]

use topk_loss::Loss;
use topk_loss_fuzz::{Float, Input, promises, target};

fn losses<F: Float>(input: &Input) {
    let scores: Vec<F> = input.scores();
    let Ok(loss) = input.config::<F>(scores.len()).build() else { return };
    // Any number of classes may be asked for.
    let _ = Loss::<F>::scratch_len(&loss, input.label.rank(scores.len()));
    if let Ok((value, grad)) = promises::loss(&loss, &scores, input.label.label(scores.len())) {
        assert!(value >= F::zero(), "{value} is negative");
        promises::assert_finite("gradient", &grad);
    }
}

target!(losses);
