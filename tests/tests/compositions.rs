//! The numbers that the page on the two compositions prints.

use topk_loss::{Exact, FoldIn, Hinge, Key, KthLargest, Loss, Margins, MeanOfHinge, MonteCarlo, Normal, Oracle, Pathwise, Sampler};
use topk_loss_laws::smoothed::mean_excess_of_kth_largest;
use topk_loss_laws::statistics::{Moments, reject};
use topk_loss_laws::tolerances::DETECTABLE_BIAS;

const PAGE: &str = include_str!("../../core/src/compositions.rs");

const CLASSES: usize = 1000;
const GUESSES: usize = 5;
const EPSILON: f64 = 0.01;
const MARGIN: f64 = 1.0;
/// m + top_ε − s_y: a little inside the kink.
const SLACK: f64 = 0.0002;
const LABEL: usize = 0;

fn missed() -> KthLargest {
    KthLargest::new(GUESSES + 1).unwrap()
}

fn sampler(num_samples: usize) -> MonteCarlo<Normal> {
    MonteCarlo::new(Normal, num_samples).unwrap()
}

fn exact(scores: &[f64]) -> f64 {
    let oracle = Exact::new(missed(), Normal, EPSILON).unwrap();
    oracle.value(scores, &mut vec![0.0; Oracle::<f64>::scratch_len(&oracle, scores.len())]).unwrap()
}

/// Standard normal scores, the label's such that the exact loss is [`SLACK`].
fn scores() -> Vec<f64> {
    let mut scores = vec![0.0; CLASSES];
    sampler(1).sample(Key::new(2022), 0, &mut scores).unwrap();
    scores[LABEL] = 10.0;
    scores[LABEL] = MARGIN + exact(&scores) - SLACK;
    scores
}

fn estimates<L: Loss<f64> + FoldIn>(loss: &L, scores: &[f64], repetitions: u64) -> Moments {
    let mut scratch = vec![0.0; loss.scratch_len(scores.len())];
    (0..repetitions).map(|step| loss.fold_in(step).value(scores, LABEL, &mut scratch).unwrap()).collect()
}

fn hinge_of_the_mean(num_samples: usize, scores: &[f64], repetitions: u64) -> Moments {
    let smoothed = Pathwise::new(missed(), sampler(num_samples), EPSILON, Key::new(1)).unwrap();
    estimates(&Hinge::new(smoothed, Margins::Uniform(MARGIN), 1.0).unwrap(), scores, repetitions)
}

fn mean_of_the_hinge(num_samples: usize, scores: &[f64], repetitions: u64) -> Moments {
    let loss = MeanOfHinge::new(missed(), sampler(num_samples), EPSILON, Key::new(2), Margins::Uniform(MARGIN), 1.0).unwrap();
    estimates(&loss, scores, repetitions)
}

#[test]
fn probe() {
    let s = scores();
    let start = std::time::Instant::now();
    println!("exact {} quadrature {}", MARGIN + exact(&s) - s[LABEL], mean_excess_of_kth_largest(&s, 6, Normal, EPSILON, s[LABEL] - MARGIN));
    for (b, r) in [(1, 10_000), (5, 4000), (50, 400)] {
        let (h, m) = (hinge_of_the_mean(b, &s, r), mean_of_the_hinge(b, &s, r));
        println!("{b} {:.6} ± {:.6}   {:.6} ± {:.6}", h.mean(), h.standard_error(), m.mean(), m.standard_error());
    }
    println!("{:?}", start.elapsed());
}
