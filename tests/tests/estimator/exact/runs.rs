//! Sums of neighbouring ranks: the bound on their gradient.

use super::*;

/// Where the last rank of many is looked for, the sum falls from as many to none within a small part of the window. How well a rule meets such
/// an edge depends on where between the nodes it lies: on the spread of the scores.
#[test]
fn the_bound_holds_wherever_the_edge_of_a_run_lies() {
    let mut passed = 0;
    for (len, k) in [(34, 23), (75, 52), (172, 108), (300, 40)] {
        for step in 0..60 {
            let spread = 0.1 * 1.08_f64.powi(step);
            let scores32: Vec<f32> = (0..len).map(|class| -(spread * f64::from(class / 7)) as f32).collect();
            let (scores, mask) = (widen(&scores32), TopKSum::new(k).unwrap());
            let double = Exact::new(mask, Normal, 1.0).unwrap();
            let single = Exact::new(mask, Normal, 1.0_f32).unwrap();
            let (plain_bound, plain) = certified_gradient(&double.plain(), &scores).unwrap();
            for (float, result) in [("f64", certified_gradient(&double, &scores)), ("f32", certified_gradient(&single, &scores32))] {
                let Ok((bound, fast)) = result else { continue };
                let error = distance(&fast, &plain);
                assert!(error <= bound + plain_bound, "{float} L {len} k {k} spread {spread}: off by {error:e}, certified {bound:e}");
                passed += 1;
            }
        }
    }
    assert!(passed > 400, "{passed} of 480");
}
