//! `f32` and `f64`, with core's own functions where they are hot and libm's elsewhere.

use super::{Real, exp, normal};
use crate::compiled::{Evaluate, Example, Integrated, Portable, compile, losses};
use crate::exact::{Outcome, Task};
use crate::loss::{PolyhedralHinge, TopKMarginCrossEntropy};
use crate::{
    CrossEntropy, Focal, Gumbel, Ldam, Logistic, Margins, Noise, Normal, Ranks, Result, SmoothTopKSvm, TopKCrossEntropy, TopKHinge,
    TopKHinges, TopKSvm,
};

macro_rules! real_by_libm {
    ($float:ident, $words:literal, $uniform:expr, $sqrt:ident, $exp:ident, $expm1:ident, $log:ident, $log1p:ident, $pow:ident, $cos:ident, $erfc:ident,
    round $round:literal) => {
        impl Real for $float {
            const UNIFORM_WORDS: usize = $words;

            #[inline]
            fn from_f64(x: f64) -> Self {
                x as $float
            }
            #[inline]
            fn open_uniform(words: [u32; 2]) -> Self {
                $uniform(words)
            }
            #[inline]
            fn sqrt(self) -> Self {
                libm::$sqrt(self)
            }
            #[inline]
            fn exp(self) -> Self {
                libm::$exp(self)
            }
            #[inline]
            fn exp_m1(self) -> Self {
                libm::$expm1(self)
            }
            #[inline]
            fn ln(self) -> Self {
                libm::$log(self)
            }
            #[inline]
            fn ln_1p(self) -> Self {
                libm::$log1p(self)
            }
            #[inline]
            fn powf(self, y: Self) -> Self {
                libm::$pow(self, y)
            }
            #[inline]
            fn cos(self) -> Self {
                libm::$cos(self)
            }
            #[inline]
            fn erfc(self) -> Self {
                libm::$erfc(self)
            }
            #[inline(always)]
            fn fast_exp(self) -> Self {
                exp::$float(self)
            }
            #[inline(always)]
            fn normal_tail_and_density(self) -> (Self, Self) {
                normal::$float(self)
            }
            #[inline]
            fn integrate<N: Noise<Self>>(task: Task<'_, N, Self>) -> Result<Outcome<Self>> {
                task.run()
            }
            #[inline(never)]
            fn integrate_normal(task: Task<'_, Normal, Self>) -> Result<Outcome<Self>> {
                task.run()
            }
            #[inline(never)]
            fn integrate_gumbel(task: Task<'_, Gumbel, Self>) -> Result<Outcome<Self>> {
                task.run()
            }
            #[inline(never)]
            fn integrate_logistic(task: Task<'_, Logistic, Self>) -> Result<Outcome<Self>> {
                task.run()
            }
            losses!(compile);
            #[inline(always)]
            fn nearest_byte(self) -> u8 {
                // Adding 1.5·2^digits leaves the nearest integer in the last bits.
                (self + $round).to_bits() as u8
            }
        }
    };
}

fn uniform_f32([high, _]: [u32; 2]) -> f32 {
    const STEP: f32 = 1.0 / (1 << 24) as f32;
    ((high >> 9) * 2 + 1) as f32 * STEP
}

fn uniform_f64([high, low]: [u32; 2]) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    let bits = (u64::from(high) << 32) | u64::from(low);
    ((bits >> 12) * 2 + 1) as f64 * STEP
}

real_by_libm!(f32, 1, uniform_f32, sqrtf, expf, expm1f, logf, log1pf, powf, cosf, erfcf, round 12_582_912.0);
real_by_libm!(f64, 2, uniform_f64, sqrt, exp, expm1, log, log1p, pow, cos, erfc, round 6_755_399_441_055_744.0);

#[cfg(test)]
mod tests {
    use super::Real;
    use crate::{Noise, Normal};

    /// The largest error in units in the last place, each divided by 1 + its condition number.
    fn worst<F: Real>(
        points: impl Iterator<Item = f64>,
        of: impl Fn(F) -> F,
        truth: impl Fn(f64) -> f64,
        condition: impl Fn(f64) -> f64,
    ) -> f64 {
        let ulp = F::epsilon().to_f64().unwrap();
        points.fold(0.0, |worst: f64, x| {
            let x = F::from_f64(x);
            let (value, x) = (of(x).to_f64().unwrap(), x.to_f64().unwrap());
            worst.max(((value / truth(x) - 1.0) / (ulp * (1.0 + condition(x)))).abs())
        })
    }

    fn grid(low: f64, high: f64) -> impl Iterator<Item = f64> {
        (0..=40_000).map(move |i| low + (high - low) * f64::from(i) / 40_000.0)
    }

    fn agree<F: Real>(lowest: f64) {
        let exp = worst::<F>(grid(lowest, -lowest), F::fast_exp, libm::exp, |_| 0.0);
        let reach = (-2.0 * lowest).sqrt() - 0.1;
        let tail = worst::<F>(grid(-reach, reach), |z| z.normal_tail_and_density().0, |z| Normal.survival(z), |z| z * z);
        let density = worst::<F>(grid(-reach, reach), |z| z.normal_tail_and_density().1, |z| Normal.pdf(z), |z| z * z);
        assert!(exp < 2.0 && tail < 3.0 && density < 2.0, "{exp} {tail} {density}");
        assert!(F::from_f64(-1e30).fast_exp() == F::zero());
        for z in [1e3, 1e6, 1e15] {
            assert_eq!(F::from_f64(z).normal_tail_and_density(), (F::zero(), F::zero()));
            assert_eq!(F::from_f64(-z).normal_tail_and_density(), (F::one(), F::zero()));
        }
    }

    #[test]
    fn single_precision() {
        agree::<f32>(-87.0);
    }

    #[test]
    fn double_precision() {
        agree::<f64>(-708.0);
    }

    #[test]
    fn uniforms_stay_strictly_inside_and_mirror_exactly() {
        for words in [[0, 0], [u32::MAX, u32::MAX], [1 << 31, 0], [0x1234_5678, 0x9abc_def0]] {
            let mirrored = words.map(|w| !w);
            let (u, v) = (f32::open_uniform(words), f32::open_uniform(mirrored));
            assert!(u > 0.0 && u < 1.0);
            assert_eq!(1.0 - u, v);
            let (u, v) = (f64::open_uniform(words), f64::open_uniform(mirrored));
            assert!(u > 0.0 && u < 1.0);
            assert_eq!(1.0 - u, v);
        }
    }
}
