//! What blocks and their threads must not change, and sanitizers.

use topk_loss::loss::{PolyhedralHinge, TopKCrossEntropy, TopKMarginCrossEntropy};
use topk_loss::noise::Gumbel;
use topk_loss::{CrossEntropy, Key, Smoothing, TopKHinge};

use super::batch::{Batch, Outputs};
use super::driver::{Build, Driver};
use super::families::{FAMILIES, Sequence};

/// Every loss on two small batches, as bits; whatever is left to chance would show.
fn bits_of_every_loss(driver: &mut Driver, blocks: u32) -> Vec<u64> {
    let mut bits = Vec::new();
    let mut random = Sequence::new(17);
    for (num_classes, k) in [(33, 1), (150, 5)] {
        let rows: Vec<_> = FAMILIES.iter().map(|family| family.row(num_classes, &mut random)).collect();
        let batch = Batch::<f32>::new(&rows, &[0, 1, 2, 3, 4, 5, 6]);
        let key = Key::new(18);
        let mut keep = |outputs: Outputs<f32>| {
            bits.extend(outputs.values.iter().chain(&outputs.grads).map(|x| u64::from(x.to_bits())).chain(outputs.codes));
        };
        keep(batch.run(driver, &CrossEntropy, (blocks, 64)));
        keep(batch.run(driver, &TopKCrossEntropy::new(k, Gumbel, 1.0).unwrap(), (blocks, 64)));
        keep(batch.run(driver, &PolyhedralHinge::new(k).unwrap(), (blocks, 64)));
        keep(batch.run(driver, &TopKMarginCrossEntropy::new(k, 1.0).unwrap(), (blocks, 64)));
        for smoothing in [
            Smoothing::None,
            Smoothing::Exact { epsilon: 0.3 },
            Smoothing::Pathwise { epsilon: 0.3, num_samples: 2, key },
            Smoothing::Conditional { epsilon: 0.3, num_samples: 2, key },
        ] {
            keep(batch.run(driver, &TopKHinge::new(k).unwrap().with_smoothing(smoothing).unwrap(), (blocks, 64)));
        }
    }
    bits
}

#[test]
fn the_number_of_blocks_does_not_change_a_bit() {
    let Some(mut driver) = Driver::start(Build::Fast) else { return };
    let one = bits_of_every_loss(&mut driver, 1);
    assert!(one == bits_of_every_loss(&mut driver, 3) && one == bits_of_every_loss(&mut driver, 7));
}

fn sanitized(which: &'static str) {
    let (Some(mut driver), Some(mut fast)) = (Driver::start(Build::Sanitized(which)), Driver::start(Build::Fast)) else { return };
    assert!(bits_of_every_loss(&mut driver, 2) == bits_of_every_loss(&mut fast, 2));
}

#[test]
#[ignore = "slow: a thread for every thread of a block; .ci/run runs it"]
fn no_data_race() {
    sanitized("thread");
}

#[test]
#[ignore = "slow: a thread for every thread of a block; .ci/run runs it"]
fn no_bad_access() {
    sanitized("address,undefined");
}
