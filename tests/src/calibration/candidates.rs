//! The scores that the search for a counter-example starts from, for every distribution of the label.

use topk_loss::{Loss, Result};

use super::selection::Selection;

/// Scores worth trying for every distribution, with the loss of every label there: all weak orders of the classes, `unit` between one place
/// and the next.
///
/// For a loss that is linear between the hyperplanes sᵢ − sⱼ ∈ {0, ±unit} and knows no common offset, every vertex is one of these points,
/// whichever guesses are imposed.
pub(super) struct Candidates {
    all: Vec<(Vec<f64>, Vec<f64>)>,
    /// By how much the loss changes over one unit, so that a loss of any scale is judged alike.
    pub size: f64,
}

impl Candidates {
    /// # Errors
    /// The loss's, where all scores are equal: a loss that fails there was given a wrong K, margins of another length or the like.
    pub fn new(loss: &impl Loss<f64>, num_classes: usize, unit: f64) -> Result<Self> {
        let mut scratch = vec![0.0; loss.scratch_len(num_classes)];
        loss.value(&vec![0.0; num_classes], 0, &mut scratch)?;
        let base = num_classes as u32;
        let places = (0..base.pow(base)).map(|code| (0..base).map(|class| code / base.pow(class) % base).collect::<Vec<u32>>());
        let without_gaps = places.filter(|places| (0..*places.iter().max().unwrap_or(&0)).all(|place| places.contains(&place)));
        let mut with_losses = |places: Vec<u32>| {
            let scores: Vec<f64> = places.into_iter().map(|place| unit * f64::from(place)).collect();
            let losses = (0..num_classes).map(|label| loss.value(&scores, label, &mut scratch).unwrap_or(f64::INFINITY)).collect();
            (scores, losses)
        };
        let all: Vec<(Vec<f64>, Vec<f64>)> = without_gaps.map(&mut with_losses).collect();
        let finite = all.iter().flat_map(|(_, losses)| losses).filter(|loss| loss.is_finite());
        let (least, largest) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &loss| (low.min(loss), high.max(loss)));
        Ok(Self { all, size: (largest - least) / (num_classes - 1) as f64 })
    }

    /// The best few of those that allow a selection.
    pub fn best(&self, shares: &[f64], selection: Selection) -> Vec<&[f64]> {
        const FEW: usize = 2;
        let risk =
            |losses: &[f64]| shares.iter().zip(losses).filter(|(share, _)| **share > 0.0).map(|(share, loss)| share * loss).sum::<f64>();
        let allowed = self.all.iter().filter(|(scores, _)| selection.is_allowed_by(scores));
        let mut ranked: Vec<(f64, &[f64])> = allowed.map(|(scores, losses)| (risk(losses), &scores[..])).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        ranked.into_iter().take(FEW).map(|(_, scores)| scores).collect()
    }
}
