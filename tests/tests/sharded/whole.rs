//! Any partition of the classes is the whole row, whatever the order in which sums are added.

use proptest::prelude::*;
use topk_loss::loss::PolyhedralHinge;
use topk_loss::sharded::ShardedLoss;
use topk_loss::{CrossEntropy, Loss, Real, TopKHinge};
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
        (rows(len), labels, 1..=(len - 1).min(9), cuts, orders(), orders()).prop_map(move |(rows, mut labels, k, cuts, some, others)| {
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

fn near<F: Real>(
    what: &str,
    (value, grad): (F, &[F]),
    (expected, expected_grad): (F, &[F]),
    size: f64,
    tolerance: f64,
) -> Result<(), TestCaseError> {
    let error = (to_f64(value) - to_f64(expected)).abs();
    prop_assert!(error <= tolerance * size, "{what}: {value} instead of {expected}");
    let distance: f64 = grad.iter().zip(expected_grad).map(|(&a, &b)| (to_f64(a) - to_f64(b)).abs()).sum();
    // At a kink one rounding decides; there the gradient of either side is one.
    prop_assert!(distance <= tolerance || to_f64(value) <= tolerance * size, "{what}: gradient off by {distance}");
    Ok(())
}

fn is_the_whole<F: Real, L>(loss: &L, case: &Case<F>, tolerance: &Tolerance) -> Result<(), TestCaseError>
where
    L: ShardedLoss<F> + Loss<F> + Clone + Sync,
{
    let Case { rows, labels, cuts, orders, .. } = case;
    let len = rows[0].len();
    let shards = cut(cuts, len);
    let [(values, grads, sent), other] = [0, 1].map(|i| over_shards(loss, &shards, rows, labels, &orders[i]));
    prop_assert_eq!(&(&values, &grads, &sent), &(&other.0, &other.1, &other.2), "another order has other bits");
    let (of_one, grads_of_one, _) = over_shards(loss, &cut(&[], len), rows, labels, &[vec![0]]);
    for (example, (row, &label)) in rows.iter().zip(labels).enumerate() {
        let (mut grad, mut scratch) = (vec![F::zero(); len], vec![F::zero(); Loss::scratch_len(loss, len)]);
        let value = loss.value_and_grad(row, label, &mut grad, &mut scratch).unwrap();
        let size = 1.0 + row.iter().map(|&s| to_f64(s).abs()).fold(0.0, f64::max) + to_f64(value);
        let found = (values[example], &grads[example][..]);
        near("whole", found, (value, &grad), size, tolerance.of_whole)?;
        near("one shard", found, (of_one[example], &grads_of_one[example]), size, tolerance.of_one_shard)?;
    }
    Ok(())
}

fn cross_entropy<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    is_the_whole(&CrossEntropy, &case, &Tolerance::of_rounding::<F>())
}
both_floats!(cross_entropy in case);

fn hard_hinge<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    is_the_whole(&TopKHinge::new(case.k).unwrap(), &case, &Tolerance { of_whole: 0.0, of_one_shard: 0.0 })
}
both_floats!(hard_hinge in case);

fn polyhedral_hinge<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    is_the_whole(&PolyhedralHinge::new(case.k).unwrap(), &case, &Tolerance::of_rounding::<F>())
}
both_floats!(polyhedral_hinge in case);

/// The whole row has another window, and so another quadrature of the same integral, within the same bound; any number of shards has the same.
fn exact_hinge<F: Real>(case: Case<F>) -> Result<(), TestCaseError> {
    let bound = if to_f64(F::epsilon()) < 1e-10 { 1e-7 } else { 1e-4 };
    let tolerance = Tolerance { of_whole: 2.0 * bound, ..Tolerance::of_rounding::<F>() };
    is_the_whole(&TopKHinge::smoothed(case.k, case.epsilon).unwrap(), &case, &tolerance)
}
both_floats!(exact_hinge in case);
