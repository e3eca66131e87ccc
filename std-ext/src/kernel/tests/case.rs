//! A row of scores and all that a loss of it depends on, of many shapes.

use super::*;

/// A row of scores and all that a loss of it depends on.
#[derive(Debug, Clone)]
pub struct Case {
    pub scores: Vec<f64>,
    pub label: usize,
    pub k: usize,
    pub epsilon: f64,
    pub num_samples: usize,
    pub margin: f64,
    pub scale: f64,
    pub weight: f64,
    pub seed: u64,
}

/// Scores of many shapes: random, tied, of two clusters, sorted, of a huge common offset, of a huge spread, all equal.
pub fn scores(len: usize) -> impl Strategy<Value = Vec<f64>> {
    (0..8_u8, any::<u64>()).prop_map(move |(family, seed)| {
        let mut normal = vec![0.0; len];
        MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(seed), 0, &mut normal).unwrap();
        let shape = |z: f64| match family {
            1 => (2.0 * z).round(),
            2 => {
                if z > 1.5 {
                    10.0 + z
                } else {
                    z
                }
            }
            3 => 1e6 + z,
            4 => {
                if z > 2.0 {
                    1e30
                } else if z < -1.0 {
                    -1e30
                } else {
                    z
                }
            }
            5 => 0.5,
            6 => 1e-3 * z,
            _ => z,
        };
        normal.iter_mut().for_each(|z| *z = shape(*z));
        if family == 7 {
            normal.sort_by(f64::total_cmp);
        }
        normal
    })
}

pub fn cases() -> impl Strategy<Value = Case> {
    cases_of(prop_oneof![4 => 2..40_usize, 4 => 40..700_usize, 1 => 700..5000_usize])
}

pub fn cases_of(len: impl Strategy<Value = usize>) -> impl Strategy<Value = Case> {
    len.prop_flat_map(|len| {
        let k = prop_oneof![3 => 1..len.min(8), 1 => 1..len];
        let epsilon = prop_oneof![Just(1.0), Just(0.2), Just(0.01), (-9.0..4.0).prop_map(|x| f64::powf(10.0, x))];
        let weight = prop_oneof![Just(1.0), Just(0.0), 0.0..3.0];
        let rest = (1..40_usize, -6.0..3.0, prop_oneof![Just(1.0), 0.1..60.0], weight, any::<u64>());
        (scores(len), 0..len, k, epsilon, rest).prop_map(|(scores, label, k, epsilon, (num_samples, margin, scale, weight, seed))| Case {
            scores,
            label,
            k,
            epsilon,
            num_samples,
            margin,
            scale,
            weight,
            seed,
        })
    })
}

impl Case {
    pub fn scores<F: Elementary>(&self) -> Vec<F> {
        self.scores.iter().map(|&score| F::from_f64(score)).collect()
    }

    pub fn draws<F: Elementary>(&self) -> Draws<F> {
        Draws { epsilon: F::from_f64(self.epsilon), num_samples: self.num_samples, key: Key::new(self.seed) }
    }

    pub fn hinge<F: Elementary>(&self, smoothing: Smoothing<F>) -> TopKHinge<F> {
        TopKHinge::new(self.k)
            .unwrap()
            .with_margins(Margins::Uniform(F::from_f64(self.margin)))
            .unwrap()
            .with_scale(F::from_f64(self.scale))
            .unwrap()
            .with_smoothing(smoothing)
            .unwrap()
    }

    pub fn pathwise<F: Elementary>(&self) -> TopKHinge<F> {
        let Draws { epsilon, num_samples, key } = self.draws();
        self.hinge(Smoothing::Pathwise { epsilon, num_samples, key })
    }

    pub fn conditional<F: Elementary>(&self) -> TopKHinge<F> {
        let Draws { epsilon, num_samples, key } = self.draws();
        self.hinge(Smoothing::Conditional { epsilon, num_samples, key })
    }

    /// Value and gradient by a kernel.
    pub fn by<F: Elementary>(&self, kernel: &mut dyn Kernel<F>) -> Result<(F, Vec<F>)> {
        let (scores, mut grad) = (self.scores::<F>(), vec![F::nan(); self.scores.len()]);
        let value = kernel.value_and_grad(7, &scores, self.label, F::from_f64(self.weight), &mut grad)?;
        assert_eq!(kernel.value(7, &scores, self.label), Ok(value));
        Ok((value, grad))
    }

    /// The same by core.
    pub fn by_core<F: Elementary>(&self, loss: &(impl Loss<F> + FoldIn)) -> Result<(F, Vec<F>)> {
        self.by(&mut Scalar::new(self.scores.len(), |example| loss.fold_in(example)))
    }

    /// Whether the fast computation serves it.
    pub fn is_served<F: Elementary>(&self, mut fast_path: impl FastPath<F>) -> bool {
        let (scores, mut grad) = (self.scores::<F>(), vec![F::nan(); self.scores.len()]);
        let weighted = ScaledGrad { weight: F::from_f64(self.weight), grad: &mut grad };
        fast_path.try_row(7, &scores, self.label, Some(weighted)).is_some()
    }
}

/// A row of 100 classes that nothing is wrong with.
pub fn ordinary() -> Case {
    Case {
        scores: (0..100).map(|i| f64::from(i % 13)).collect(),
        label: 3,
        k: 5,
        epsilon: 1.0,
        num_samples: 5,
        margin: 1.0,
        scale: 1.0,
        weight: 1.0,
        seed: 1,
    }
}

/// What single precision refuses, and rows near the end of its range.
pub fn extremes() -> Vec<Case> {
    let with = |change: &dyn Fn(&mut Case)| {
        let mut case = ordinary();
        change(&mut case);
        case
    };
    let most = f64::from(f32::MAX);
    vec![
        with(&|case| case.k = 100),
        with(&|case| case.label = 100),
        with(&|case| case.scores[50] = f64::NAN),
        with(&|case| case.scores[99] = f64::INFINITY),
        with(&|case| case.scores[7] = -most),
        with(&|case| case.scores[3] = 0.9 * most),
        with(&|case| case.scores.iter_mut().for_each(|score| *score = if *score > 6.0 { most } else { -most })),
        with(&|case| case.epsilon = 0.3 * most),
        with(&|case| case.epsilon = 1e-40),
        with(&|case| (case.scale, case.margin) = (1e30, 1e30)),
        with(&|case| (case.scale, case.weight) = (1e30, 1e30)),
        with(&|case| case.weight = f64::INFINITY),
        with(&|case| case.scores.truncate(1)),
    ]
}
