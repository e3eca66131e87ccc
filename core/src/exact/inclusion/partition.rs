//! Which classes a label's chance needs, and how well.

use super::super::bounds::Bounds;
use super::super::competitors::Competitors;
use super::super::histogram::Histogram;
use super::super::partition::{FEW, Partition, bulk_probability};
use super::super::problem::Problem;
use super::{Event, Inclusion};
use crate::noise::{Side, reach};
use crate::{Noise, Real};

impl<N: Noise<F>, F: Real> Inclusion<N, F> {
    /// The classes as a label's chance needs them.
    #[inline(always)]
    pub fn partition(&self, histogram: &Histogram<N, F>, bounds: &mut Bounds<'_, F>) -> Partition<N, F> {
        let problem = self.exacting();
        let sure_above = Partition::sure_above(&problem, bounds, self.window);
        self.with_bulk(problem, sure_above, |low, high| histogram.between(low, high))
    }

    /// The same of few classes.
    #[inline(always)]
    pub fn partition_of_few(&self, row: Competitors<'_, F>) -> Partition<N, F> {
        let problem = self.exacting();
        let Problem { law, run, num_classes, precision, .. } = problem;
        let sure_above = self.window.high + reach(&law, Side::Lower, precision.outside / F::from_usize(run.last));
        if num_classes <= FEW {
            return Partition::alone(problem, self.window, sure_above);
        }
        self.with_bulk(problem, sure_above, |low, high| row.units(&problem).filter(|&u| u > low && u < high).count())
    }

    #[inline(always)]
    fn with_bulk(&self, problem: Problem<N, F>, sure_above: F, between: impl Fn(F, F) -> usize) -> Partition<N, F> {
        // That few classes are above t becomes more likely without one by no more than the class is above; that many are may be for nothing
        // else. In an interval that reaches further down than need be a bulk takes more terms.
        let outside = if self.rarer == Event::Above { self.problem.precision.outside } else { problem.precision.outside };
        // Half of all that reach the window.
        let most_alone = (self.reached.min(F::one()) * F::from_f64(0.5)).min(bulk_probability());
        Partition::with_bulk_probability(problem, self.window, sure_above, (most_alone, outside), between)
    }

    /// The problem with as little left out as the label's chance asks for.
    #[inline(always)]
    fn exacting(&self) -> Problem<N, F> {
        let mut problem = self.problem;
        problem.precision.outside = self.limit.exp();
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Inclusion, Label};
    use super::*;
    use crate::exact::histogram::MOST_BINS;
    use crate::exact::precision::Precision;
    use crate::exact::ranks::Run;
    use crate::noise::Normal;

    /// The interval that a bulk takes, from its top down to what is negligible.
    fn depth_of_bulk(below: f32) -> f32 {
        let scores: [f32; 1000] = core::array::from_fn(|class| if class == 0 { -below } else { -0.004 * class as f32 });
        let run = Run { first: 5, last: 5 };
        let (label, center) = (Label::new(-below + 0.02, &Normal), scores[5]);
        let (span, precision) = (label.span(), Precision::of_probability());
        let problem = Problem { law: Normal, run, scale: 1.0, center, span, num_classes: 999, precision };
        let histogram = Competitors { scores: &scores, label: Some(0) }.histogram(problem);
        let mut scratch = [0.0; Bounds::<f32>::len(MOST_BINS)];
        let mut bounds = Bounds::new(&histogram, &mut scratch).unwrap();
        let inclusion = Inclusion::new(&histogram, &mut bounds, label).unwrap();
        let partition = inclusion.partition(&histogram, &mut bounds);
        assert!(partition.terms() > 0, "no bulk");
        partition.at(1.0).0 - partition.at(-1.0).0
    }

    #[test]
    fn a_label_that_is_unlikely_does_not_deepen_the_bulk() {
        let usual = depth_of_bulk(0.5);
        assert!((4.0..8.0).contains(&usual), "{usual}");
        assert!((4.0..8.0).contains(&depth_of_bulk(9.0)), "{}", depth_of_bulk(9.0));
    }
}
