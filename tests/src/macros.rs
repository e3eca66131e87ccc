//! `loss_laws!` and its relatives: a module of tests of one subject.

/// Makes a module of tests of one loss: what every loss promises, and the laws that are listed, each in the float that is named.
///
/// The closure makes the loss for an [`Example`](crate::Example), whose `k` and number of classes it may use. A listed law is a function of
/// [`laws`](crate::laws), with what it takes beyond subject and input.
///
/// ```
/// use topk_loss::CrossEntropy;
/// use topk_loss_laws::{loss_laws, tolerances::ROUNDING};
///
/// loss_laws! {
///     cross_entropy: f64 = |_| CrossEntropy;
///     gradient_is_the_slope(ROUNDING), is_convex(ROUNDING), is_smooth(0.5, ROUNDING), is_never_negative(),
/// }
/// ```
#[macro_export]
macro_rules! loss_laws {
    ($name:ident: $float:ty = |$example:pat_param| $loss:expr; $($law:ident($($argument:expr),*)),* $(,)?) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::loss_laws!(@promises $float = |$example| $loss;
                value_is_that_of_the_gradient_call, scratch_is_irrelevant, gradient_is_overwritten, results_are_finite, is_deterministic,
                wrong_lengths_are_errors, a_label_that_is_no_class_is_an_error, scores_that_are_no_numbers_are_errors);

            $(
                #[test]
                fn $law() {
                    let loss = |$example: &$crate::Example<$float>| $loss;
                    $crate::property::holds_on_any(|input| {
                        $crate::laws::$law::<$float>(&loss(AsRef::<$crate::Example<$float>>::as_ref(&input)), &input $(, $argument)*)
                    });
                }
            )*
        }
    };
    (@promises $float:ty = |$example:pat_param| $loss:expr; $($law:ident),*) => {$(
        #[test]
        fn $law() {
            let subject = |$example: &$crate::Example<$float>| $loss;
            $crate::holds($crate::strategies::example(), |example| $crate::laws::$law(&subject(&example), &example));
        }
    )*};
}

/// Makes a module of tests of one oracle: what every oracle promises, and the laws of losses that are listed, its value being the loss.
///
/// ```
/// use topk_loss::oracle::KthLargest;
/// use topk_loss_laws::{oracle_laws, tolerances::ROUNDING};
///
/// oracle_laws! {
///     kth_largest: f64 = |example| KthLargest::new(example.k).unwrap();
///     gradient_is_the_slope(ROUNDING), is_homogeneous(ROUNDING), gradient_sums_to(1.0, ROUNDING), ties_go_to_the_lowest_index(),
/// }
/// ```
#[macro_export]
macro_rules! oracle_laws {
    ($name:ident: $float:ty = |$example:pat_param| $oracle:expr; $($law:ident($($argument:expr),*)),* $(,)?) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            #[test]
            fn gradient_is_added_with_its_weight() {
                let oracle = |$example: &$crate::Example<$float>| $oracle;
                $crate::holds($crate::strategies::example(), |example| {
                    $crate::laws::oracle::gradient_is_added_with_its_weight(&oracle(&example), &example)
                });
            }

            #[test]
            fn translation_is_as_claimed() {
                let (oracle, within) = (|$example: &$crate::Example<$float>| $oracle, $crate::tolerances::quadrature::<$float>());
                $crate::holds($crate::strategies::example(), |example| {
                    $crate::laws::oracle::translation_is_as_claimed(&oracle(&example), &example, within)
                });
            }

            $crate::loss_laws! {
                as_a_loss: $float = |$example| $crate::OfScores($oracle);
                $($law($($argument),*)),*
            }
        }
    };
}

/// Makes a module of tests of one noise law, in the float that is named.
///
/// ```
/// topk_loss_laws::noise_laws!(normal: f64 = topk_loss::noise::Normal);
/// ```
#[macro_export]
macro_rules! noise_laws {
    ($name:ident: $float:ty = $noise:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::noise_laws!(@each $float, $noise;
                probabilities_sum_to_one, quantile_inverts_the_cdf, density_is_the_slope_of_the_probability,
                score_is_the_fall_of_the_log_density, logarithms_agree, symmetry_is_as_claimed);
        }
    };
    (@each $float:ty, $noise:expr; $($law:ident),*) => {$(
        #[test]
        fn $law() {
            $crate::holds($crate::strategies::probability(), |p: $float| $crate::laws::noise::$law(&$noise, &p));
        }
    )*};
}

/// Makes a module of tests of one estimator of a smoothed function: what every oracle promises, that its draws follow its key and its
/// [`estimate`](topk_loss::estimator::Estimator::estimate) its plain call, and that it is unbiased for a known value and gradient at one θ.
///
/// ```
/// use topk_loss::estimator::Pathwise;
/// use topk_loss::noise::Normal;
/// use topk_loss::oracle::Max;
/// use topk_loss::sampler::MonteCarlo;
/// use topk_loss::Key;
/// use topk_loss_laws::estimator_laws;
///
/// // Of two equal scores either is the larger half the time; the mean of the larger of two normal numbers is 1/√π.
/// estimator_laws! {
///     largest = |_| Pathwise::new(Max, MonteCarlo::new(Normal, 20).unwrap(), 1.0, Key::new(1)).unwrap();
///     mean(&[0.0, 0.0], (core::f64::consts::PI.sqrt().recip(), vec![0.5, 0.5]), 2000)
/// }
/// ```
#[macro_export]
macro_rules! estimator_laws {
    ($name:ident = |$example:pat_param| $estimator:expr; mean($theta:expr, $expected:expr, $repeats:expr)) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            #[test]
            fn is_unbiased() {
                let estimator = |$example: &$crate::Example<f64>| $estimator;
                let example = $crate::Example { scores: $theta.to_vec(), label: 0, k: 1 };
                let verdict = $crate::laws::estimator::is_unbiased(&estimator(&example), &example.scores, &$expected, $repeats);
                verdict.unwrap_or_else(|violation| panic!("{violation}"));
            }

            #[test]
            fn estimate_is_the_plain_call() {
                let (estimator, within) = (|$example: &$crate::Example<f64>| $estimator, $crate::tolerances::ESTIMATE);
                $crate::holds($crate::strategies::moderate_example(), |example| {
                    $crate::laws::estimator::estimate_is_the_plain_call(&estimator(&example), &example, within)
                });
            }

            #[test]
            fn draws_follow_the_key() {
                let estimator = |$example: &$crate::Example<f64>| $estimator;
                $crate::holds($crate::strategies::moderate_example(), |example| {
                    $crate::laws::draws_follow_the_key(&$crate::OfScores(estimator(&example)), &example)
                });
            }

            $crate::oracle_laws!(as_an_oracle: f64 = |$example| $estimator;);
        }
    };
}
