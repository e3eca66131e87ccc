//! The estimators: oracles whose mean is the smoothed function.

use topk_loss::Key;
use topk_loss::estimator::{Baseline, Conditional, ControlVariate, Exact, Pathwise, ScoreFunction};
use topk_loss::noise::{Laplace, Normal};
use topk_loss::oracle::{KthLargest, Max};
use topk_loss::sampler::{Antithetic, MonteCarlo, RandomizedLattice};
use topk_loss_laws::estimator_laws;
use topk_loss_laws::reference::ValueAndGrad;
use topk_loss_laws::smoothed::smoothed_kth_largest;
use topk_loss_laws::unbiased::midpoint_kth_largest;

const THETA: [f64; 5] = [0.0, 1.0, 0.5, -0.5, 0.25];

/// The second largest under normal noise of scale ½.
fn expected() -> ValueAndGrad<f64> {
    smoothed_kth_largest(&THETA, 2, Normal, 0.5)
}

fn of(k: usize) -> KthLargest {
    KthLargest::new(k).unwrap()
}

fn draws() -> MonteCarlo<Normal> {
    MonteCarlo::new(Normal, 16).unwrap()
}

const KEY: Key = Key::new(5);

estimator_laws! {
    pathwise = |_| Pathwise::new(of(2), draws(), 0.5, KEY).unwrap();
    mean(THETA, expected(), 2000)
}
estimator_laws! {
    antithetic = |_| Pathwise::new(of(2), Antithetic::new(Normal, 16).unwrap(), 0.5, KEY).unwrap();
    mean(THETA, expected(), 2000)
}
estimator_laws! {
    lattice = |_| Pathwise::new(of(2), RandomizedLattice::new(Normal, 16).unwrap(), 0.5, KEY).unwrap();
    mean(THETA, expected(), 2000)
}
estimator_laws! {
    conditional = |_| Conditional::new(of(2), draws(), 0.5, KEY).unwrap();
    mean(THETA, expected(), 2000)
}
estimator_laws! {
    conditional_laplace = |_| Conditional::new(of(2), MonteCarlo::new(Laplace, 16).unwrap(), 0.5, KEY).unwrap();
    mean(THETA, midpoint_kth_largest(&THETA, 2, Laplace, 0.5), 2000)
}
estimator_laws! {
    score_function = |_| ScoreFunction::new(of(2), draws(), 0.5, Baseline::LeaveOneOut, KEY).unwrap();
    mean(THETA, expected(), 2000)
}
estimator_laws! {
    score_function_about_the_mean = |_| ScoreFunction::new(of(2), draws(), 0.5, Baseline::Mean, KEY).unwrap();
    mean(THETA, expected(), 2000)
}
estimator_laws! {
    control_variate = |_| ControlVariate::new(of(2), Max, Exact::new(of(1), Normal, 0.5).unwrap(), draws(), 0.5, KEY).unwrap();
    mean(THETA, expected(), 2000)
}
