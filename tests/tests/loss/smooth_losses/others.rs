//! Losses with kinks, and smooth ones that cost an integral or draws: their written gradient is the derivative that the dual numbers find.
//!
//! Two gradients are no derivative of their values and are left out: the conditional estimator's and the score function's, which are
//! expectations of their own.

use core::f64::consts::FRAC_PI_4;

use proptest::prelude::*;
use topk_loss::estimator::Pathwise;
use topk_loss::loss::{
    Hinge, MeanOfHinge, PolyhedralHinge, SmoothedLoss, TopKCrossEntropy, TopKHinges, TopKMarginCrossEntropy, TopKSvm, TopKSvmForm,
};
use topk_loss::noise::{Gumbel, Normal};
use topk_loss::oracle::{KthLargest, Max, TopKSum};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{CrossEntropy, Key, Loss, Margins, Real, TopKHinge};
use topk_loss_laws::Example;
use topk_loss_laws::property::holds;
use topk_loss_laws::strategies::moderate_example;

use super::{FORMULA, Given, INTEGRAL, follows_forward_mode, number};

/// Without ties: at a kink there is no derivative to find.
fn distinct() -> impl Strategy<Value = Example<f64>> {
    moderate_example().prop_map(|example: Example<f64>| {
        let apart = |(class, score): (usize, &f64)| score + class as f64 * 0.001;
        Example { scores: example.scores.iter().enumerate().map(apart).collect(), ..example }
    })
}

fn few_distinct() -> impl Strategy<Value = Example<f64>> {
    distinct().prop_filter("many classes", |example| example.scores.len() < 8)
}

macro_rules! other_losses {
    ($kind:ident on $examples:ident; $($name:ident: |$given:pat_param| $loss:expr;)+) => {$(
        #[test]
        fn $name() {
            fn loss<F: Real>($given: &Given<F>) -> impl Loss<F> {
                $loss
            }
            holds($examples(), |example: Example<f64>| {
                let (len, k) = (example.scores.len(), example.k);
                follows_forward_mode(&loss(&Given::new(len, k)), &loss(&Given::new(len, k)), $kind.forward_mode, &example)
            });
        }
    )+};
}

fn draws() -> MonteCarlo<Normal> {
    MonteCarlo::new(Normal, 5).unwrap()
}

fn drawn<F: Real>(k: usize) -> Pathwise<KthLargest, MonteCarlo<Normal>, F> {
    Pathwise::new(KthLargest::new(k).unwrap(), draws(), number(0.5), Key::new(1)).unwrap()
}

other_losses! {
    FORMULA on distinct;
    hard_hinge: |given| TopKHinge::new(given.k).unwrap().with_margins(Margins::PerClass(&given.per_class)).unwrap();
    pathwise_hinge: |given| Hinge::new(drawn(given.k), Margins::PerClass(&given.per_class), number(2.0)).unwrap();
    hinge_of_the_sum: |given| Hinge::new(TopKSum::new(given.k).unwrap(), Margins::Uniform(number(1.0)), number(1.0)).unwrap();
    hinge_of_the_maximum: |_| Hinge::new(Max, Margins::Uniform(number(1.0)), number(1.0)).unwrap();
    mean_of_hinge: |given| {
        let oracle = KthLargest::new(given.k).unwrap();
        MeanOfHinge::new(oracle, draws(), number(0.5), Key::new(1)).unwrap()
    };
    hard_hinges: |given| TopKHinges::new(shares(given.k)).unwrap();
    svm_of_the_kth: |given| TopKSvm::new(given.k, TopKSvmForm::KthOther).unwrap();
    svm_outside: |given| TopKSvm::new(given.k, TopKSvmForm::MeanOutside).unwrap();
    svm_inside: |given| TopKSvm::new(given.k, TopKSvmForm::MeanInside).unwrap();
    svm_with_the_label: |given| TopKSvm::new(given.k, TopKSvmForm::MeanWithLabel).unwrap();
    polyhedral_hinge: |given| PolyhedralHinge::new(given.k).unwrap();
    // A margin that no scores differ by: the soft mask has kinks there.
    margin_cross_entropy: |given| TopKMarginCrossEntropy::new(given.k, number(FRAC_PI_4)).unwrap();
    smoothed_cross_entropy: |_| SmoothedLoss::new(CrossEntropy, draws(), number(0.5), Key::new(1)).unwrap();
}

other_losses! {
    INTEGRAL on few_distinct;
    exact_hinge: |given| TopKHinge::smoothed(given.k, number(0.5)).unwrap();
    exact_hinges: |given| TopKHinges::new(shares(given.k)).unwrap().with_epsilon(Some(number(0.5))).unwrap();
    mixture_of_cross_entropies: |given| TopKCrossEntropy::mixture(shares(given.k), Gumbel, number(0.5)).unwrap();
}

/// Half of one guess and half of k.
fn shares<F: Real>(k: usize) -> Vec<F> {
    let mut shares = vec![F::zero(); k];
    for place in [0, k - 1] {
        shares[place] += number(0.5);
    }
    shares
}
