//! Skips the smallest entries of a gradient, as long as all that is left out is less than rounding.

use core::cmp::Ordering;

use topk_loss::Real;

/// How large an example's gradient with respect to its scores is.
#[derive(Debug, Clone)]
pub(super) struct Mass<F> {
    /// Σ |entry| over all classes, or less.
    pub total: F,
    /// The same sum over each strip, or more.
    pub of_strips: Vec<F>,
}

/// Which strips of which examples take part in the gradient.
///
/// Left out are the lightest as long as they come to at most `tolerance` times the whole of all examples: Σ |G − G'| ≤ tolerance · Σ |G| for
/// the gradient G' that is multiplied in place of G. Rounding every entry of G once may do as much at half the float's ε.
#[derive(Debug)]
pub(super) struct Filter {
    is_left_out: Vec<bool>,
    num_strips: usize,
}

impl Filter {
    pub fn new<F: Real>(tolerance: F, masses: &[Option<Mass<F>>], num_strips: usize) -> Self {
        let mut is_left_out = vec![false; masses.len() * num_strips];
        let known = || masses.iter().enumerate().filter_map(|(example, mass)| Some((example, mass.as_ref()?)));
        let budget = tolerance * known().fold(F::zero(), |sum, (_, mass)| sum + mass.total);
        if budget > F::zero() && budget.is_finite() {
            let mut light: Vec<_> = known()
                .flat_map(|(example, mass)| mass.of_strips.iter().zip(example * num_strips..))
                .filter(|&(&mass, _)| mass <= budget)
                .collect();
            light.sort_unstable_by(|(a, at), (b, bt)| a.partial_cmp(b).unwrap_or(Ordering::Equal).then(at.cmp(bt)));
            let mut sum = F::zero();
            for (&mass, place) in light {
                sum += mass;
                if sum > budget {
                    break;
                }
                is_left_out[place] = true;
            }
        }
        Self { is_left_out, num_strips }
    }

    pub fn keeps(&self, strip: usize, example: usize) -> bool {
        !self.is_left_out[example * self.num_strips + strip]
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, Mass};

    fn mass(total: f64, of_strips: &[f64]) -> Option<Mass<f64>> {
        Some(Mass { total, of_strips: of_strips.to_vec() })
    }

    fn kept(tolerance: f64, masses: &[Option<Mass<f64>>]) -> Vec<Vec<bool>> {
        let filter = Filter::new(tolerance, masses, 3);
        (0..masses.len()).map(|example| (0..3).map(|strip| filter.keeps(strip, example)).collect()).collect()
    }

    #[test]
    fn the_lightest_are_left_out_as_long_as_their_sum_is_small() {
        let masses = [mass(1.0, &[0.9, 0.04, 0.06]), None, mass(1.0, &[0.03, 0.96, 0.02])];
        assert_eq!(kept(0.05, &masses), [[true, false, true], [true; 3], [false, true, false]]);
        assert_eq!(kept(0.03, &masses), [[true; 3], [true; 3], [false, true, false]]);
        assert_eq!(kept(0.01, &masses), [[true; 3], [true; 3], [true, true, false]]);
        assert_eq!(kept(0.0, &masses), [[true; 3]; 3]);
    }

    #[test]
    fn masses_beyond_the_range_leave_nothing_out() {
        assert_eq!(kept(0.5, &[mass(f64::INFINITY, &[1.0, 0.0, f64::INFINITY])]), [[true; 3]]);
        assert_eq!(kept(0.5, &[mass(1.0, &[f64::NAN, 0.0, f64::INFINITY])]), [[true, false, true]]);
    }
}
