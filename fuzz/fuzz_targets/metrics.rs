//! Top-K metrics from any counts.
#![no_main]

use topk_loss::metrics::{Frequency, FrequencyGroups, TopKCounts};
use topk_loss::select::rank_of;
use topk_loss_fuzz::{Float, Input, promises::scratch, target};

fn metrics<F: Float>(input: &Input) {
    let scores: Vec<F> = input.scores();
    let (len, label) = (scores.len(), input.label.label(scores.len()));
    let k = input.k.rank(len);
    // Few, or so many that another is one too many.
    let count =
        |salt: u64| move |class: usize| if input.dice[1] & 1 == 0 { 0 } else { input.key().fold_in(salt + class as u64).words()[0].into() };
    let full = |salt: u64| (0..len).map(count(salt)).map(|n: u64| if n % 4 == 3 { u64::MAX } else { n % 16 }).collect::<Vec<_>>();
    let (mut examples, mut correct, mut guessed) = (full(0), full(1 << 20), full(2 << 20));
    let before = (examples.clone(), correct.clone(), guessed.clone());
    let Ok(mut counts) = TopKCounts::new(k, &mut examples, &mut correct, &mut guessed) else { return };
    let added = counts.add(&scores, label, &mut scratch(len));
    let metrics = counts.metrics();
    let is_consistent = input.dice[1] & 1 == 0;
    let groups = FrequencyGroups::new(input.num_samples.into(), (input.num_samples / 2).into()).expect("room between them");
    let training: Vec<usize> = (0..len).map(|class| count(3)(class) as usize).collect();
    let shares = (0..len + 1).flat_map(|class| [metrics.class_accuracy(class), metrics.occupancy(class)]);
    let of_group = |group| metrics.group_accuracy(&training, groups, group).expect("one count a class");
    let grouped = [Frequency::Many, Frequency::Medium, Frequency::Few].map(of_group);
    for share in shares.chain([metrics.accuracy(), metrics.macro_accuracy()]).chain(grouped).flatten() {
        assert!(share >= 0.0 && share.is_finite(), "{share}");
        assert!(share <= 1.0 || !is_consistent, "{share}");
    }
    if is_consistent && added.is_ok() {
        let is_hit = rank_of(&scores, label).expect("they were counted") <= k;
        assert_eq!(metrics.accuracy(), Some(f64::from(u8::from(is_hit))));
        assert_eq!((0..len).filter(|&class| metrics.occupancy(class) == Some(1.0)).count(), k);
    }
    if added.is_err() {
        assert_eq!((examples, correct, guessed), before, "counted in spite of {added:?}");
    }
}

target!(metrics);
