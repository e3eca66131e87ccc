//! Selection and ranks against a sorted list.
#![no_main]

use topk_loss::select::{kth_largest, rank_of};
use topk_loss_fuzz::{Float, Input, promises::scratch, target};
use topk_loss_laws::reference::ranking;

fn select<F: Float>(input: &Input) {
    let scores: Vec<F> = input.scores();
    let (k, label) = (input.k.rank(scores.len()), input.label.label(scores.len()));
    let (kth, rank) = (kth_largest(&scores, k, &mut scratch(scores.len())), rank_of(&scores, label));
    if scores.is_empty() || scores.iter().any(|score| !score.is_finite()) {
        assert!(kth.is_err() && rank.is_err());
        return;
    }
    let ranking = ranking(&scores);
    match kth {
        Ok(kth) => assert_eq!((kth.index, kth.value), (ranking[k - 1], scores[ranking[k - 1]])),
        Err(error) => assert!(k == 0 || k > scores.len(), "{error:?}"),
    }
    assert_eq!(rank.ok(), ranking.iter().position(|&class| class == label).map(|place| place + 1));
}

target!(select);
