//! The numbers that the page on the two compositions prints.

use std::fs;

use topk_loss::estimator::{Exact, Pathwise};
use topk_loss::loss::{Hinge, MeanOfHinge};
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{FoldIn, Key, Loss, Margins};
use topk_loss_laws::smoothed::mean_excess_of_kth_largest;
use topk_loss_laws::statistics::{Moments, reject};
use topk_loss_laws::tolerances::DETECTABLE_BIAS;

/// Read when it runs: the page is not in this crate's package.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/src/compositions.rs");

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

/// Standard normal scores, the label's such that the exact loss is `slack`.
fn scores(slack: f64) -> Vec<f64> {
    let mut scores = vec![0.0; CLASSES];
    sampler(1).sample(Key::new(2022), 0, &mut scores).unwrap();
    scores[LABEL] = 10.0;
    scores[LABEL] = MARGIN + exact(&scores) - slack;
    scores
}

/// Moments of the loss and of minus its derivative in the label's score, over keys.
fn estimates<L: Loss<f64> + FoldIn>(loss: &L, scores: &[f64], repetitions: u64) -> [Moments; 2] {
    let (mut grad, mut scratch) = (vec![0.0; scores.len()], vec![0.0; loss.scratch_len(scores.len())]);
    let mut moments = [Moments::default(); 2];
    for step in 0..repetitions {
        let value = loss.fold_in(step).value_and_grad(scores, LABEL, &mut grad, &mut scratch).unwrap();
        moments[0].extend([value]);
        moments[1].extend([-grad[LABEL]]);
    }
    moments
}

fn hinge_of_the_mean(num_samples: usize, scores: &[f64], repetitions: u64) -> [Moments; 2] {
    let smoothed = Pathwise::new(missed(), sampler(num_samples), EPSILON, Key::new(1)).unwrap();
    estimates(&Hinge::new(smoothed, Margins::Uniform(MARGIN), 1.0).unwrap(), scores, repetitions)
}

fn mean_of_the_hinge(num_samples: usize, scores: &[f64], repetitions: u64) -> [Moments; 2] {
    let loss =
        MeanOfHinge::new(missed(), sampler(num_samples), EPSILON, Key::new(2)).unwrap().with_margins(Margins::Uniform(MARGIN)).unwrap();
    estimates(&loss, scores, repetitions)
}

/// The mean of the hinge and minus its derivative in the label's score, by quadrature.
fn mean_of_the_hinge_exactly(scores: &[f64]) -> [f64; 2] {
    let above = |threshold| mean_excess_of_kth_largest(scores, GUESSES + 1, Normal, EPSILON, threshold);
    let (threshold, step) = (scores[LABEL] - MARGIN, 1e-3 * EPSILON);
    [above(threshold), (above(threshold - step) - above(threshold + step)) / (2.0 * step)]
}

/// The loss in five decimals, the label's pull in three.
fn row(draws: &str, cells: [String; 4]) -> String {
    format!("//! | {draws} | {} |", cells.join(" | "))
}

#[test]
fn the_page_prints_what_is_measured() {
    let scores = scores(SLACK);
    let exact_loss = MARGIN + exact(&scores) - scores[LABEL];
    let [limit, pull] = mean_of_the_hinge_exactly(&scores);
    let (mut rows, mut unbiased) = (Vec::new(), Vec::new());
    for (num_samples, repetitions) in [(1, 20_000), (5, 8000), (50, 800)] {
        let (hinge, mean) = (hinge_of_the_mean(num_samples, &scores, repetitions), mean_of_the_hinge(num_samples, &scores, repetitions));
        let loss = |m: Moments| format!("{:.5} ± {:.5}", m.mean(), m.standard_error());
        let label = |m: Moments| format!("{:.3} ± {:.3}", m.mean(), m.standard_error());
        rows.push(row(&num_samples.to_string(), [loss(hinge[0]), label(hinge[1]), loss(mean[0]), label(mean[1])]));
        // The paper's composition is not what it converges to, beyond any chance; the mean of the hinge is.
        assert!(hinge[0].z_score(exact_loss) > 8.0 && hinge[1].z_score(1.0) < -8.0);
        unbiased.extend([mean[0].z_score(limit), mean[1].z_score(pull)]);
    }
    rows.push(row("exact", [format!("{exact_loss:.5}"), "1".into(), format!("{limit:.5}"), format!("{pull:.3}")]));
    assert!(!reject(&unbiased), "{unbiased:?}");
    let page = fs::read_to_string(PAGE).unwrap();
    for row in &rows {
        assert!(page.contains(row), "the page should say\n{}", rows.join("\n"));
    }
}

#[test]
fn away_from_the_kink_they_agree() {
    let scores = scores(5.0 * EPSILON);
    let exact_loss = MARGIN + exact(&scores) - scores[LABEL];
    let [limit, pull] = mean_of_the_hinge_exactly(&scores);
    assert!((limit - exact_loss).abs() < 1e-7 * exact_loss && (pull - 1.0).abs() < 1e-5, "{limit} {exact_loss} {pull}");
    let (hinge, mean) = (hinge_of_the_mean(5, &scores, 1000), mean_of_the_hinge(5, &scores, 1000));
    let z_scores = [hinge[0].z_score(exact_loss), mean[0].z_score(exact_loss)];
    assert!(!reject(&z_scores), "{z_scores:?}");
    assert!(reject(&z_scores.map(|z| z - DETECTABLE_BIAS * exact_loss / mean[0].standard_error())));
    assert!((hinge[1].mean() - 1.0).abs() < 1e-12 && (mean[1].mean() - 1.0).abs() < 1e-12);
}
