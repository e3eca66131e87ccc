//! Any partition of the classes is the whole row, whatever the order in which sums are added.

use proptest::prelude::*;
use topk_loss::loss::PolyhedralHinge;
use topk_loss::sharded::ShardedLoss;
use topk_loss::{CrossEntropy, Loss, Margins, Real, TopKHinge};
use topk_loss_laws::both_floats;
use topk_loss_laws::reference::to_f64;
use topk_loss_laws::strategies::{clustered, decided, normal, separated, tied};

use crate::threads::{cut, over_shards};

/// Rows of the same number of classes, their labels, K, and where the shards end; two lists of orders of addition.
#[derive(Debug, Clone)]
struct Case<F> {
    rows: Vec<Vec<F>>,
    labels: Vec<usize>,
    k: usize,
    cuts: Vec<usize>,
    orders: [Vec<Vec<usize>>; 2],
    epsilon: F,
}

fn rows<F: Real>(len: usize) -> BoxedStrategy<Vec<Vec<F>>> {
    let row = prop_oneof![tied(len), normal(len), separated(len), clustered(len), decided(len)];
    // Crowds about the threshold as well as scores that are far apart.
    let spread = prop_oneof![Just(1.0), Just(0.02), Just(20.0)];
    let rows = (row, spread).prop_map(|(row, spread): (Vec<F>, _)| row.iter().map(|&s| s * F::from_f64(spread)).collect());
    proptest::collection::vec(rows, 1..4).boxed()
}

fn case<F: Real>() -> impl Strategy<Value = Case<F>> {
    let len = prop_oneof![2..8_usize, 8..40_usize, 40..700_usize];
    let epsilon = prop_oneof![Just(0.05), Just(0.5), Just(5.0)].prop_map(F::from_f64);
    (len, 1..=5_usize, epsilon).prop_flat_map(|(len, shards, epsilon)| {
        let order = Just((0..shards).collect::<Vec<_>>()).prop_shuffle();
        let orders = move || proptest::collection::vec(order.clone(), shards);
        let labels = proptest::collection::vec(0..len, 3);
        let cuts = proptest::collection::vec(0..=len, shards - 1);
        (rows(len), labels, 1..=(len - 1).min(40), cuts, orders(), orders()).prop_map(move |(rows, mut labels, k, cuts, some, others)| {
            labels.truncate(rows.len());
            Case { rows, labels, k, cuts, orders: [some, others], epsilon }
        })
    })
}

/// By how much values and gradients may differ, of numbers of the size of 1.
struct Tolerance {
    of_whole: f64,
    of_one_shard: f64,
}

impl Tolerance {
    fn of_rounding<F: Real>() -> Self {
        let rounding = (to_f64(F::epsilon()) * 100.0).max(1e-12);
        Self { of_whole: rounding, of_one_shard: rounding }
    }
}

/// A value and a gradient of a row.
type Outcome<F> = (F, Vec<F>);

fn distance<F: Real>(a: &[F], b: &[F]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (to_f64(a) - to_f64(b)).abs()).sum()
}

/// The first of the expected outcomes, or, where a rounding decides on which side of a kink the row is, the gradient of another.
fn near<F: Real>(what: &str, (value, grad): &Outcome<F>, expected: &[Outcome<F>], size: f64, tolerance: f64) -> Result<(), TestCaseError> {
    let error = (to_f64(*value) - to_f64(expected[0].0)).abs();
    prop_assert!(error <= tolerance * size, "{what}: {value} instead of {}", expected[0].0);
    let off = expected.iter().map(|(_, expected)| distance(grad, expected)).fold(f64::INFINITY, f64::min);
    // So is a loss of zero.
    prop_assert!(off <= tolerance || to_f64(*value) <= tolerance * size, "{what}: gradient off by {off}");
    Ok(())
}

/// The loss of a whole row is that of its shards; the gradient may be that of any of the nearly equal losses.
fn is_the_whole<F: Real, L>(losses: &[L], case: &Case<F>, tolerance: &Tolerance) -> Result<(), TestCaseError>
where
    L: ShardedLoss<F> + Loss<F> + Clone + Sync,
{
    let Case { rows, labels, cuts, orders, .. } = case;
    let (loss, len) = (&losses[0], rows[0].len());
    let shards = cut(cuts, len);
    let [found, other] = [0, 1].map(|i| over_shards(loss, &shards, rows, labels, &orders[i]));
    prop_assert_eq!(&found, &other, "another order has other bits");
    let of_one = losses.iter().map(|loss| over_shards(loss, &cut(&[], len), rows, labels, &[vec![0]])).collect::<Vec<_>>();
    for (example, (row, &label)) in rows.iter().zip(labels).enumerate() {
        let of = |(values, grads, _): &(Vec<F>, Vec<Vec<F>>, Vec<usize>)| (values[example], grads[example].clone());
        let whole = |loss: &L| {
            let (mut grad, mut scratch) = (vec![F::zero(); len], vec![F::zero(); Loss::scratch_len(loss, len)]);
            (loss.value_and_grad(row, label, &mut grad, &mut scratch).unwrap(), grad)
        };
        let (found, whole): (_, Vec<_>) = (of(&found), losses.iter().map(whole).collect());
        let size = 1.0 + row.iter().map(|&s| to_f64(s).abs()).fold(0.0, f64::max) + to_f64(whole[0].0);
        near("whole", &found, &whole, size, tolerance.of_whole)?;
        near("one shard", &found, &of_one.iter().map(of).collect::<Vec<_>>(), size, tolerance.of_one_shard)?;
    }
    Ok(())
}

fn cross_entropy<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    is_the_whole(&[CrossEntropy], &case, &Tolerance::of_rounding::<F>())
}
both_floats!(cross_entropy in case);

fn hard_hinge<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    is_the_whole(&[TopKHinge::new(case.k).unwrap()], &case, &Tolerance { of_whole: 0.0, of_one_shard: 0.0 })
}
both_floats!(hard_hinge in case);

/// At a kink, where the threshold is a score, a hair's breadth of the margin decides.
fn polyhedral_hinge<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    let loss = PolyhedralHinge::new(case.k).unwrap();
    let hair = F::epsilon() * F::from_f64(100.0);
    let losses = [F::zero(), hair, -hair].map(|change| loss.with_margins(Margins::Uniform(F::one() + change)).unwrap());
    is_the_whole(&losses, &case, &Tolerance::of_rounding::<F>())
}
both_floats!(polyhedral_hinge in case);

/// The whole row has another window, and so another quadrature of the same integral, within the same bound; any number of shards has the same.
fn exact_hinge<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    let bound = if to_f64(F::epsilon()) < 1e-10 { 1e-7 } else { 1e-4 };
    let tolerance = Tolerance { of_whole: 2.0 * bound, ..Tolerance::of_rounding::<F>() };
    is_the_whole(&[TopKHinge::smoothed(case.k, case.epsilon).unwrap()], &case, &tolerance)
}
both_floats!(exact_hinge in case);
