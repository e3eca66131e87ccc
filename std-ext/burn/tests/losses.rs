//! Values and gradients through burn against core.

use burn::config::Config;
use burn::module::Module;
use burn::nn::loss::{CrossEntropyLossConfig, Reduction};
use burn::tensor::{DType, Device, Element, Int, Tensor, TensorData};
use topk_loss::config::{AnyLoss, BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::TopKSvmForm;
use topk_loss::{CrossEntropy, FoldIn, Key, Loss, Real, Smoothing, TopKHinge};
use topk_loss_batch::BatchLoss;
use topk_loss_burn::{TopKLoss, TopKLossConfig, losses};

const L: usize = 7;

/// The catalogue, and whether a gradient must be the same bits.
fn catalogue() -> Vec<(TopKLossConfig, bool)> {
    let ramp = |from: f64| (0..L).map(|class| from + 0.125 * class as f64).collect::<Vec<_>>();
    let margins = || MarginConfig::Uniform(1.0);
    let hinge = |smoothing| BaseConfig::TopKHinge { k: 2, margins: margins(), scale: 1.0, smoothing, tolerance: None };
    let hinges = |epsilon| BaseConfig::TopKHinges { shares: vec![0.5, 0.0, 0.5], margins: margins(), scale: 1.0, epsilon };
    let svm = |form| BaseConfig::TopKSvm { k: 2, form, margins: margins(), scale: 1.0 };
    let by_law = |law| BaseConfig::TopKCrossEntropy { guesses: Guesses::K(2), law, epsilon: 1.0 };
    let forms = [TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside].map(svm);
    let smooth = [
        BaseConfig::CrossEntropy,
        BaseConfig::Focal { gamma: 2.0 },
        BaseConfig::Ldam { margins: MarginConfig::PerClass(ramp(0.125)), scale: 2.0 },
        hinge(Smoothing::Exact { epsilon: 0.5 }),
        hinges(Some(0.5)),
        BaseConfig::SmoothTopKSvm { k: 2, temperature: 0.5, margin: 1.0 },
        BaseConfig::PolyhedralHinge { k: 2, margins: MarginConfig::default(), scale: 1.0 },
        BaseConfig::TopKMarginCrossEntropy { k: 2, margins: MarginConfig::Uniform(0.5), scale: 1.0 },
        by_law(Law::Normal),
        by_law(Law::Gumbel),
        by_law(Law::Logistic),
    ];
    let hard = [hinge(Smoothing::None), hinge(Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(5) })];
    let around = |loss| TopKLossConfig::new(loss).with_adjustments(Some(ramp(-0.25))).with_weights(Some(ramp(0.5)));
    let smooth = smooth.into_iter().chain(forms).flat_map(|loss| [TopKLossConfig::new(loss.clone()), around(loss)]);
    smooth.map(|config| (config, false)).chain(hard.map(|loss| (TopKLossConfig::new(loss), true))).collect()
}

fn scores(batch: usize) -> Vec<f64> {
    (0..batch * L).map(|i| f64::from((i * 37 % 101) as u8) / 16.0 - 3.0).collect()
}

fn labels(batch: usize) -> Vec<i64> {
    (0..batch as i64).map(|b| b * 5 % L as i64).collect()
}

fn device() -> Device {
    Device::flex().autodiff()
}

/// With the feature `flex` a node of its own, and under gradient checkpointing the surrogate.
fn devices() -> [Device; 2] {
    [device(), device().gradient_checkpointing()]
}

fn logits_on<F: Element>(device: &Device, scores: &[F]) -> Tensor<2> {
    let data = TensorData::new(scores.to_vec(), [scores.len() / L, L]);
    Tensor::from_data(data, (device, F::dtype())).require_grad()
}

fn logits<F: Element>(scores: &[F]) -> Tensor<2> {
    logits_on(&device(), scores)
}

fn targets(labels: &[i64]) -> Tensor<1, Int> {
    Tensor::from_data(labels, &device())
}

fn numbers<F: Element>(tensor: Tensor<1>) -> Vec<F> {
    assert_eq!(tensor.dtype(), F::dtype());
    tensor.into_data().as_slice::<F>().unwrap().to_vec()
}

fn grad_of<F: Element>(loss: &Tensor<1>, logits: &Tensor<2>) -> Vec<F> {
    numbers(logits.grad(&loss.backward()).unwrap().flatten(0, 1))
}

fn assert_close<F: Real>(what: impl core::fmt::Debug, actual: &[F], expected: &[F], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().zip(expected).map(|(a, e)| (a.to_f64().unwrap(), e.to_f64().unwrap())) {
        assert!((a - e).abs() <= tolerance * e.abs().max(1.0), "{what:?}: {a} is not {e}");
    }
}

/// By core, example by example.
fn by_core<F: Real>(loss: &AnyLoss<F, Vec<F>>, scores: &[F], labels: &[i64]) -> (Vec<F>, Vec<F>) {
    let (mut values, mut grads, mut scratch) = (vec![], vec![F::zero(); scores.len()], vec![F::zero(); loss.scratch_len(L)]);
    for (example, (scores, &label)) in scores.chunks(L).zip(labels).enumerate() {
        let grad = &mut grads[example * L..][..L];
        values.push(loss.fold_in(example as u64).value_and_grad(scores, label as usize, grad, &mut scratch).unwrap());
    }
    (values, grads)
}

fn all_losses_are_those_of_core<F: Real + Element + serde::de::DeserializeOwned>(tolerance: f64) {
    for (batch, device) in [1, 6].into_iter().flat_map(|batch| devices().map(|device| (batch, device))) {
        let (scores, labels): (Vec<F>, _) = (scores(batch).into_iter().map(Real::from_f64).collect(), labels(batch));
        for (config, same_bits) in catalogue() {
            let TopKLossConfig { loss, adjustments, weights: class_weights, .. } = config.clone();
            let json = serde_json::to_value(LossConfig { loss, adjustments, class_weights }).unwrap();
            let loss = serde_json::from_value::<LossConfig<F, Vec<F>>>(json).unwrap().build().unwrap();
            let (values, grads) = by_core(&loss, &scores, &labels);
            let (criterion, logits) = (config.clone().with_reduction(Reduction::Sum).init(&device), logits_on(&device, &scores));

            let losses = criterion.forward_no_reduction(logits.clone(), targets(&labels));
            let not_tracked = criterion.forward_no_reduction(logits.clone().inner(), targets(&labels).inner());
            assert_eq!(numbers::<F>(not_tracked), numbers::<F>(losses.clone()));
            assert_close(&config, &numbers::<F>(losses), &values, tolerance);
            let sum = criterion.forward(logits.clone(), targets(&labels));
            assert_close(&config, &grad_of::<F>(&sum, &logits), &grads, if same_bits { 0.0 } else { tolerance });
            let total = values.iter().fold(F::zero(), |sum, &value| sum + value);
            assert_close(&config, &numbers::<F>(sum), &[total], tolerance);
        }
    }
}

#[test]
fn all_losses_in_f32() {
    all_losses_are_those_of_core::<f32>(1e-6);
}

#[test]
fn all_losses_in_f64() {
    all_losses_are_those_of_core::<f64>(1e-12);
}

/// Logits of half precision are those numbers, and losses and gradients are rounded.
#[test]
fn half_precision() {
    let (scores, labels): (Vec<f32>, _) = (scores(6).into_iter().map(|score| score as f32).collect(), labels(6));
    for (config, _) in catalogue() {
        let criterion = config.clone().with_reduction(Reduction::Sum).init(&device());
        let wide = logits(&scores);
        let losses = numbers::<f32>(criterion.forward_no_reduction(wide.clone(), targets(&labels)));
        let expected = grad_of::<f32>(&criterion.forward(wide.clone(), targets(&labels)), &wide);
        let halves = [(DType::F16, 0.5_f64.powi(11)), (DType::BF16, 0.5_f64.powi(8))];
        for ((dtype, half_of_epsilon), device) in halves.into_iter().flat_map(|half| devices().map(|device| (half, device))) {
            let narrow = logits_on(&device, &scores).cast(dtype).detach().require_grad();
            let rounded = criterion.forward_no_reduction(narrow.clone(), targets(&labels));
            assert_close(&config, &numbers::<f32>(rounded.cast(DType::F32)), &losses, half_of_epsilon);
            let grads = criterion.forward(narrow.clone(), targets(&labels)).backward();
            let grad = narrow.grad(&grads).unwrap();
            assert_eq!(grad.dtype(), dtype);
            assert_close(&config, &numbers::<f32>(grad.cast(DType::F32).flatten(0, 1)), &expected, half_of_epsilon);
        }
    }
}

#[test]
fn a_configuration_that_is_saved_is_the_one_that_is_loaded() {
    let file = std::env::temp_dir().join(format!("topk-loss-burn-{}.json", std::process::id()));
    for (config, _) in catalogue() {
        let config = config.with_pad_tokens(Some(vec![3])).with_weights(Some(vec![0.1 + 0.2; L]));
        config.save(&file).unwrap();
        let loaded = TopKLossConfig::load(&file).unwrap();
        assert_eq!((loaded.loss, loaded.weights, loaded.pad_tokens), (config.loss, config.weights, config.pad_tokens));
    }
    std::fs::remove_file(file).unwrap();
}

/// A model may hold its loss, which has nothing to train.
#[test]
fn a_module_holds_a_loss() {
    #[derive(Module, Debug)]
    struct Model {
        loss: TopKLoss,
    }
    let model = Model { loss: TopKLossConfig::new(BaseConfig::CrossEntropy).init(&device()) };
    assert_eq!(model.num_params(), 0);
    let loss = |model: &Model| numbers::<f64>(model.loss.forward(logits(&scores(3)), targets(&labels(3))));
    assert_eq!(loss(&model.clone().fork(&device())), loss(&model));
}

/// Padding and class weights as burn's own cross-entropy has them.
#[test]
fn reductions_are_burns() {
    let (logits, targets) = (logits(&scores(6).into_iter().map(|score| score as f32).collect::<Vec<_>>()), targets(&[1, 3, 0, 5, 3, 6]));
    let weights: Vec<_> = (0..L).map(|class| 0.5 + class as f64).collect();
    let theirs = CrossEntropyLossConfig::new().with_pad_tokens(Some(vec![3, 5]));
    let ours = TopKLossConfig::new(BaseConfig::CrossEntropy).with_pad_tokens(Some(vec![3, 5]));
    for weights in [None, Some(weights)] {
        let single = weights.clone().map(|weights| weights.into_iter().map(|weight| weight as f32).collect());
        let theirs = theirs.clone().with_weights(single).init(&device()).forward(logits.clone(), targets.clone());
        for reduction in [Reduction::Mean, Reduction::Auto] {
            let ours = ours.clone().with_weights(weights.clone()).with_reduction(reduction).init(&device());
            let loss = ours.forward(logits.clone(), targets.clone());
            assert_close("mean", &numbers::<f32>(loss), &numbers::<f32>(theirs.clone()), 1e-6);
        }
        let ours = ours.clone().with_weights(weights);
        let [sum, of_batch] = [Reduction::Sum, Reduction::BatchMean].map(|reduction| {
            numbers::<f32>(ours.clone().with_reduction(reduction).init(&device()).forward(logits.clone(), targets.clone()))[0]
        });
        let losses = numbers::<f32>(ours.init(&device()).forward_no_reduction(logits.clone(), targets.clone()));
        assert_close("sum", &[sum, of_batch], &[losses.iter().sum(), losses.iter().sum::<f32>() / 6.0], 1e-6);
        assert_eq!((losses[1], losses[3], losses[4]), (0.0, 0.0, 0.0));
    }
}

/// What is padding is not read, so it may be NaN.
#[test]
fn padding_may_be_nan() {
    let mut scores = scores(3);
    scores[L..2 * L].fill(f64::NAN);
    for device in devices() {
        let logits = logits_on(&device, &scores);
        let criterion = TopKLossConfig::new(BaseConfig::CrossEntropy).with_pad_tokens(Some(vec![0])).init(&device);
        let loss = criterion.forward(logits.clone(), targets(&[1, 0, 2]));
        let grad = grad_of::<f64>(&loss, &logits);
        assert!(numbers::<f64>(loss)[0] > 0.0);
        assert!(grad[L..2 * L].iter().all(|&entry| entry == 0.0) && grad[0] > 0.0, "{grad:?}");
    }
}

#[test]
fn distributions_and_certain_ones() {
    let logits = logits(&scores(3));
    let (hard, certain) = (labels(3), targets(&labels(3)).one_hot::<2>(L).float().cast(DType::F64));
    for loss in [BaseConfig::CrossEntropy, BaseConfig::PolyhedralHinge { k: 2, margins: MarginConfig::default(), scale: 1.0 }] {
        for weights in [None, Some(vec![2.0; L])] {
            let criterion = TopKLossConfig::new(loss.clone()).with_weights(weights).with_reduction(Reduction::Sum).init(&device());
            let soft = criterion.forward_soft(logits.clone(), certain.clone());
            let grad = grad_of::<f64>(&soft, &logits);
            let expected = criterion.forward(logits.clone(), targets(&hard));
            assert_close("grad", &grad, &grad_of::<f64>(&expected, &logits), 1e-14);
            assert_close("value", &numbers::<f64>(soft), &numbers::<f64>(expected), 1e-14);
        }
    }
}

#[test]
fn a_step_has_draws_of_its_own_and_the_same_again() {
    let smoothing = Smoothing::Pathwise { epsilon: 1.0, num_samples: 2, key: Key::new(1) };
    let loss = BaseConfig::TopKHinge { k: 2, margins: MarginConfig::Uniform(1.0), scale: 1.0, smoothing, tolerance: None };
    let criterion = TopKLossConfig::new(loss).init(&device());
    let at = |step| numbers::<f64>(criterion.forward_step(logits(&scores(6)), targets(&labels(6)), step));
    assert_eq!(at(3), at(3));
    assert_ne!(at(3), at(4));
}

/// Below a layer and above it, of logits that are a transposed view.
#[test]
fn gradients_pass_through_on_both_sides() {
    let criterion = TopKLossConfig::new(BaseConfig::CrossEntropy).init(&device());
    for device in devices() {
        let plain = logits_on(&device, &scores(3));
        let loss = criterion.forward(plain.clone(), targets(&labels(3)));
        let below = plain.clone().div_scalar(2.0).transpose().detach().require_grad();
        let squared = criterion.forward(below.clone().transpose().mul_scalar(2.0), targets(&labels(3))).square();
        let grads = squared.backward();
        let grad = numbers::<f64>(below.grad(&grads).unwrap().transpose().flatten(0, 1));
        let factor = 4.0 * numbers::<f64>(loss.clone())[0];
        let expected: Vec<_> = grad_of::<f64>(&loss, &plain).into_iter().map(|grad| grad * factor).collect();
        assert_close("squared", &grad, &expected, 1e-13);
    }
}

#[test]
fn an_update_moves_the_next_step() {
    let criterion = TopKLossConfig::new(BaseConfig::CrossEntropy).init(&device());
    let mut logits = logits(&scores(6));
    let mut last = f64::INFINITY;
    for _ in 0..3 {
        let loss = criterion.forward(logits.clone(), targets(&labels(6)));
        let grad = logits.grad(&loss.backward()).unwrap();
        logits = (logits.inner() - grad.mul_scalar(0.5)).autodiff().require_grad();
        let value = numbers::<f64>(loss)[0];
        assert!(value < last);
        last = value;
    }
}

#[test]
fn losses_of_your_own_borrowed_or_behind_dyn() {
    let (logits, margins) = (logits(&[0.5_f32; L]), [2.0_f32; L]);
    let borrowed = TopKHinge::new(1).unwrap().with_margins(topk_loss::Margins::PerClass(&margins[..])).unwrap();
    let boxed: Box<dyn BatchLoss<f32>> = Box::new(CrossEntropy);
    let of = |loss: &dyn BatchLoss<f32>| numbers::<f32>(losses(&loss, logits.clone(), targets(&[0])).unwrap())[0];
    assert_eq!((of(&borrowed), of(&boxed)), (2.0, of(&CrossEntropy)));
}
