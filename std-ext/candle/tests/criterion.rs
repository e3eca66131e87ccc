//! Values and gradients through candle against core.

use candle_core::{DType, Device, Result, Tensor, Var, WithDType};
use half::{bf16, f16};
use topk_loss::config::{AnyLoss, BaseConfig, Guesses, Law, LossConfig, MarginConfig};
use topk_loss::loss::{ClassWeighted, ExpectedLoss, SoftLabelLoss, TopKSvmForm};
use topk_loss::{CrossEntropy, FoldIn, Key, Loss, Real, Smoothing, TopKHinge};
use topk_loss_batch::{BatchLoss, Reduction};
use topk_loss_candle::{Criterion, Precision, loss};

const L: usize = 7;

/// The catalogue, and a number that says how far a gradient may be off: 0 where it must be the same bits.
fn catalogue<F: Real>() -> Vec<(LossConfig<F, Vec<F>>, f64)> {
    let of = F::from_f64;
    let one = || MarginConfig::Uniform(of(1.0));
    let hinge = |smoothing| BaseConfig::TopKHinge { k: 2, margins: one(), scale: of(1.0), smoothing, tolerance: None };
    let svm = |form| BaseConfig::TopKSvm { k: 2, form, margins: one(), scale: of(1.0) };
    let ramp = |from: f64| (0..L).map(|class| of(from + 0.1 * class as f64)).collect::<Vec<_>>();
    let by_law = |law| BaseConfig::TopKCrossEntropy { guesses: Guesses::K(2), law, epsilon: of(1.0) };
    let smooth = [
        BaseConfig::CrossEntropy,
        BaseConfig::Focal { gamma: of(2.0) },
        BaseConfig::Ldam { margins: MarginConfig::PerClass(ramp(0.1)), scale: of(2.0) },
        hinge(Smoothing::Exact { epsilon: of(0.5) }),
        BaseConfig::TopKHinges { shares: vec![of(0.5), of(0.0), of(0.5)], margins: one(), scale: of(1.0), epsilon: Some(of(0.5)) },
        BaseConfig::SmoothTopKSvm { k: 2, temperature: of(0.5), margin: of(1.0) },
        BaseConfig::PolyhedralHinge { k: 2, margins: MarginConfig::Uniform(of(1.0)), scale: of(1.0) },
        BaseConfig::TopKMarginCrossEntropy { k: 2, margins: MarginConfig::Uniform(of(0.5)), scale: of(1.0) },
        by_law(Law::Normal),
        by_law(Law::Gumbel),
        by_law(Law::Logistic),
    ];
    let hard = [
        hinge(Smoothing::None),
        hinge(Smoothing::Pathwise { epsilon: of(0.5), num_samples: 3, key: Key::new(5) }),
        BaseConfig::TopKHinges { shares: vec![of(0.5), of(0.5)], margins: one(), scale: of(1.0), epsilon: None },
    ];
    let svms = [TopKSvmForm::KthOther, TopKSvmForm::MeanInside, TopKSvmForm::MeanWithLabel, TopKSvmForm::MeanOutside].map(svm);
    let wrapped = |loss| LossConfig { loss, adjustments: Some(ramp(-0.2)), class_weights: Some(ramp(0.5)) };
    let tolerance = if F::epsilon().to_f64() < Some(1e-10) { 1e-12 } else { 1e-6 };
    let smooth = smooth.into_iter().chain(svms).flat_map(|loss| [wrapped(loss.clone()), loss.into()]).map(|loss| (loss, tolerance));
    smooth.chain(hard.map(|loss| (loss.into(), 0.0))).collect()
}

/// Scores whose floats have few digits, so that half precision has them all.
fn scores(batch: usize) -> Vec<f64> {
    (0..batch * L).map(|i| f64::from((i * 37 % 101) as u8) / 16.0 - 3.0).collect()
}

fn labels(batch: usize) -> Vec<u32> {
    (0..batch as u32).map(|b| b * 5 % L as u32).collect()
}

/// By core, example by example.
fn by_core<F: Real>(loss: &AnyLoss<F, Vec<F>>, scores: &[F], labels: &[u32]) -> (Vec<F>, Vec<F>) {
    let (mut values, mut grads, mut scratch) = (vec![], vec![F::zero(); scores.len()], vec![F::zero(); loss.scratch_len(L)]);
    for (example, (scores, &label)) in scores.chunks(L).zip(labels).enumerate() {
        let loss = loss.fold_in(example as u64);
        values.push(loss.value_and_grad(scores, label as usize, &mut grads[example * L..][..L], &mut scratch).unwrap());
    }
    (values, grads)
}

fn tensor<F: WithDType>(data: &[F], shape: (usize, usize)) -> Tensor {
    Tensor::from_slice(data, shape, &Device::Cpu).unwrap()
}

fn var<F: WithDType>(data: &[F]) -> Var {
    Var::from_tensor(&tensor(data, (data.len() / L, L))).unwrap()
}

fn grad_of(loss: &Tensor, var: &Var) -> Tensor {
    loss.backward().unwrap().get(var).unwrap().clone()
}

fn numbers<F: WithDType>(tensor: &Tensor) -> Vec<F> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_close<F: Real>(what: impl std::fmt::Debug, actual: &[F], expected: &[F], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().zip(expected).map(|(a, e)| (a.to_f64().unwrap(), e.to_f64().unwrap())) {
        assert!((a - e).abs() <= tolerance * e.abs().max(1.0), "{what:?}: {a} is not {e}");
    }
}

type Any<F> = AnyLoss<F, Vec<F>>;

fn all_losses_are_those_of_core<F: Precision>(criterion: impl Fn(Any<F>) -> Criterion<Any<F>, F>) {
    for batch in [1, 6] {
        let scores: Vec<F> = scores(batch).into_iter().map(<F as Real>::from_f64).collect();
        let labels = labels(batch);
        let targets = Tensor::new(&labels[..], &Device::Cpu).unwrap();
        for (config, tolerance) in catalogue::<F>() {
            let loss = config.clone().build().unwrap();
            let (values, grads) = by_core(&loss, &scores, &labels);
            let (criterion, logits) = (criterion(loss), var(&scores));

            let losses = criterion.losses(&logits, &targets).unwrap();
            assert_close(&config, &numbers::<F>(&losses), &values, tolerance);
            assert_close(&config, &numbers::<F>(&grad_of(&losses.sum_all().unwrap(), &logits)), &grads, tolerance);
            // Where nothing is differentiated no gradient is computed, and the values are the same.
            assert_eq!(numbers::<F>(&criterion.losses(&logits.detach(), &targets).unwrap()), numbers::<F>(&losses));

            let mean = criterion.forward(&logits, &targets).unwrap();
            let of_batch = <F as Real>::from_f64(batch as f64);
            let expected = values.iter().fold(F::zero(), |sum, &value| sum + value) / of_batch;
            assert_close(&config, &[mean.to_scalar::<F>().unwrap()], &[expected], if F::DTYPE == DType::F64 { 1e-12 } else { 1e-6 });
            let grads: Vec<_> = grads.iter().map(|&grad| grad * (F::one() / of_batch)).collect();
            assert_close(&config, &numbers::<F>(&grad_of(&mean, &logits)), &grads, tolerance);
        }
    }
}

#[test]
fn all_losses_in_f32() {
    all_losses_are_those_of_core::<f32>(Criterion::new);
}

#[test]
fn all_losses_in_f64() {
    all_losses_are_those_of_core::<f64>(Criterion::in_f64);
}

/// Logits of half precision are those numbers, and the gradient is rounded.
fn half_precision<H: WithDType>(dtype: DType, half_of_epsilon: f64) {
    let targets = Tensor::new(labels(6), &Device::Cpu).unwrap();
    for (config, _) in catalogue::<f32>() {
        let criterion = Criterion::new(config.clone().build().unwrap()).with_reduction(Reduction::Sum);
        let wide: Vec<f32> = scores(6).into_iter().map(|score| score as f32).collect();
        let (narrow, wide) = (Var::from_tensor(&tensor(&wide, (6, L)).to_dtype(dtype).unwrap()).unwrap(), var(&wide));
        let [loss, expected] = [&narrow, &wide].map(|logits| criterion.forward(logits, &targets).unwrap());
        assert_eq!(loss.to_scalar::<f32>().unwrap(), expected.to_scalar::<f32>().unwrap(), "{config:?}");
        let grad = grad_of(&loss, &narrow);
        assert_eq!(grad.dtype(), dtype);
        let grad: Vec<f64> = numbers::<H>(&grad).into_iter().map(H::to_f64).collect();
        let expected: Vec<f64> = numbers::<f32>(&grad_of(&expected, &wide)).into_iter().map(f64::from).collect();
        assert_close(&config, &grad, &expected, half_of_epsilon);
    }
}

#[test]
fn f16_and_bf16() {
    half_precision::<f16>(DType::F16, 0.5_f64.powi(11));
    half_precision::<bf16>(DType::BF16, 0.5_f64.powi(8));
}

/// A mean over so many examples is below what f16 has, until the loss scale raises it.
#[test]
fn a_loss_scale_saves_small_gradients_of_f16() {
    let batch = 1 << 15;
    let logits = Var::zeros((batch, 2), DType::F16, &Device::Cpu).unwrap();
    let targets = Tensor::zeros(batch, DType::U8, &Device::Cpu).unwrap();
    let scaled = (loss(CrossEntropy, &logits, &targets).unwrap() * f64::from(1 << 15)).unwrap();
    assert_eq!(numbers::<f16>(&grad_of(&scaled, &logits))[..2], [f16::from_f32(-0.5), f16::from_f32(0.5)]);
}

#[test]
fn any_layout_is_read_in_place() {
    let data: Vec<f32> = scores(6).into_iter().map(|score| score as f32).collect();
    let targets = Tensor::new(labels(6), &Device::Cpu).unwrap();
    let criterion = Criterion::new(TopKHinge::new(2).unwrap());
    let plain = var(&data);
    let expected = criterion.forward(&plain, &targets).unwrap();
    let (value, grad) = (expected.to_scalar::<f32>().unwrap(), numbers::<f32>(&grad_of(&expected, &plain)));

    let transposed = Var::from_tensor(&plain.t().unwrap().contiguous().unwrap()).unwrap();
    let wide = Var::from_tensor(&Tensor::cat(&[&*plain, &*plain, &*plain], 1).unwrap()).unwrap();
    let long = Var::from_tensor(&Tensor::cat(&[&*plain, &*plain], 0).unwrap()).unwrap();
    type Back = fn(&Tensor) -> Result<Tensor>;
    let views: [(&Var, Tensor, Back); 3] = [
        (&transposed, transposed.t().unwrap(), |grad| grad.t()),
        (&wide, wide.narrow(1, L, L).unwrap(), |grad| grad.narrow(1, L, L)),
        (&long, long.narrow(0, 6, 6).unwrap(), |grad| grad.narrow(0, 6, 6)),
    ];
    for (var, logits, back) in views {
        let loss = criterion.forward(&logits, &targets).unwrap();
        assert_eq!(loss.to_scalar::<f32>().unwrap(), value);
        assert_eq!(numbers::<f32>(&back(&grad_of(&loss, var)).unwrap()), grad);
        let half = logits.to_dtype(DType::F32).unwrap();
        assert_eq!(criterion.forward(&half, &targets).unwrap().to_scalar::<f32>().unwrap(), value);
    }
    // One row that is all examples, and one number that is all classes.
    let row = var(&data[..L]);
    let same = row.broadcast_as((6, L)).unwrap();
    let losses = criterion.losses(&same, &targets).unwrap();
    assert_eq!(numbers::<f32>(&losses), numbers::<f32>(&criterion.losses(&same.contiguous().unwrap(), &targets).unwrap()));
    let number = Tensor::new(&[[1.0_f32]], &Device::Cpu).unwrap().broadcast_as((6, L)).unwrap();
    assert_eq!(numbers::<f32>(&criterion.losses(&number, &targets).unwrap()), [1.0; 6]);
}

#[test]
fn labels_of_any_integer_and_padding() {
    let logits = var(&scores(3));
    let of = |labels: &Tensor| Criterion::in_f64(CrossEntropy).ignoring(255).forward(&logits, labels).unwrap();
    let expected = of(&Tensor::new(&[1_u32, 255, 4], &Device::Cpu).unwrap());
    for dtype in [DType::U8, DType::I16, DType::I32, DType::I64] {
        let labels = Tensor::new(&[1_u32, 255, 4], &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        assert_eq!(of(&labels).to_scalar::<f64>().unwrap(), expected.to_scalar::<f64>().unwrap());
    }
    let grad = numbers::<f64>(&grad_of(&expected, &logits));
    assert!(grad[L..2 * L].iter().all(|&entry| entry == 0.0) && grad[0] > 0.0, "{grad:?}");
    let [first, _, third] =
        numbers::<f64>(&Criterion::in_f64(CrossEntropy).losses(&logits, &Tensor::new(&[1_u8, 0, 4], &Device::Cpu).unwrap()).unwrap())[..]
    else {
        panic!()
    };
    assert!((expected.to_scalar::<f64>().unwrap() - 0.5 * (first + third)).abs() < 1e-14);
}

#[test]
fn a_weighted_mean_divides_by_the_weights_of_the_labels() {
    let (logits, labels) = (var(&scores(2)), Tensor::new(&[0_u32, 3], &Device::Cpu).unwrap());
    let losses = numbers::<f64>(&Criterion::in_f64(CrossEntropy).losses(&logits, &labels).unwrap());
    let weighted = ClassWeighted::new(CrossEntropy, [1.0, 9.0, 9.0, 3.0, 9.0, 9.0, 9.0]).unwrap();
    let mean = Criterion::in_f64(weighted).with_reduction(Reduction::WeightedMean).forward(&logits, &labels).unwrap();
    assert!((mean.to_scalar::<f64>().unwrap() - (losses[0] + 3.0 * losses[1]) / 4.0).abs() < 1e-14);
}

#[test]
fn distributions_and_certain_ones() {
    let (scores, labels) = (scores(3), labels(3));
    let logits = var(&scores);
    let certain: Vec<f64> = labels.iter().flat_map(|&label| (0..L).map(move |class| f64::from(class == label as usize))).collect();
    let soft = Criterion::in_f64(CrossEntropy).forward_soft(&logits, &tensor(&certain, (3, L))).unwrap();
    let hard = Criterion::in_f64(CrossEntropy).forward(&logits, &Tensor::new(labels, &Device::Cpu).unwrap()).unwrap();
    assert_close("value", &[soft.to_scalar::<f64>().unwrap()], &[hard.to_scalar::<f64>().unwrap()], 1e-14);
    assert_close("grad", &numbers::<f64>(&grad_of(&soft, &logits)), &numbers::<f64>(&grad_of(&hard, &logits)), 1e-14);

    let (even, loss) = (vec![1.0 / L as f64; L], ExpectedLoss::new(TopKHinge::new(2).unwrap()));
    let (mut grad, mut scratch) = ([0.0; L], vec![0.0; SoftLabelLoss::<f64>::soft_scratch_len(&loss, L)]);
    let value = loss.soft_value_and_grad(&scores[..L], &even, &mut grad, &mut scratch).unwrap();
    let row = var(&scores[..L]);
    let through = Criterion::in_f64(loss).forward_soft(&row, &tensor(&even, (1, L))).unwrap();
    assert_eq!((through.to_scalar::<f64>().unwrap(), numbers::<f64>(&grad_of(&through, &row))), (value, grad.to_vec()));
}

#[test]
fn a_step_has_draws_of_its_own_and_the_same_again() {
    let (logits, labels) = (var(&scores(6)), Tensor::new(labels(6), &Device::Cpu).unwrap());
    let smoothing = Smoothing::Pathwise { epsilon: 1.0, num_samples: 2, key: Key::new(1) };
    let criterion = Criterion::in_f64(TopKHinge::new(2).unwrap().with_smoothing(smoothing).unwrap());
    let at = |step| numbers::<f64>(&criterion.fold_in(step).losses(&logits, &labels).unwrap());
    assert_eq!(at(3), at(3));
    assert_ne!(at(3), at(4));
    // Micro-batches draw what the batch would.
    let halves = [0, 3].map(|first| {
        let criterion = criterion.fold_in(3).from_example(first as u64);
        numbers::<f64>(&criterion.losses(&logits.narrow(0, first, 3).unwrap(), &labels.narrow(0, first, 3).unwrap()).unwrap())
    });
    assert_eq!(halves.concat(), at(3));
}

/// The gradient is of the logits that were given, whatever the variable is since; and the graph may be used again.
#[test]
fn an_update_leaves_the_graph_and_moves_the_next_one() {
    let (logits, labels) = (var(&scores(6)), Tensor::new(labels(6), &Device::Cpu).unwrap());
    let criterion = Criterion::in_f64(CrossEntropy);
    let loss = criterion.forward(&logits, &labels).unwrap();
    let grad = grad_of(&loss, &logits);
    logits.set(&(logits.as_tensor() - (&grad * 0.5).unwrap()).unwrap()).unwrap();
    assert_eq!(numbers::<f64>(&grad_of(&loss, &logits)), numbers::<f64>(&grad));
    let after = criterion.forward(&logits, &labels).unwrap();
    assert!(after.to_scalar::<f64>().unwrap() < loss.to_scalar::<f64>().unwrap());
    assert_ne!(numbers::<f64>(&grad_of(&after, &logits)), numbers::<f64>(&grad));
}

/// Below a layer and above it: what comes into the node is not 1, what goes out is multiplied on.
#[test]
fn gradients_pass_through_on_both_sides() {
    let (data, labels) = (scores(3), Tensor::new(labels(3), &Device::Cpu).unwrap());
    let (below, plain) = (var(&data), var(&data.iter().map(|score| 2.0 * score).collect::<Vec<_>>()));
    let criterion = Criterion::in_f64(CrossEntropy);
    let squared = criterion.forward(&(below.as_tensor() * 2.0).unwrap(), &labels).unwrap().sqr().unwrap();
    let loss = criterion.forward(&plain, &labels).unwrap();
    let factor = 4.0 * loss.to_scalar::<f64>().unwrap();
    let expected: Vec<_> = numbers::<f64>(&grad_of(&loss, &plain)).iter().map(|grad| grad * factor).collect();
    assert_close("squared", &numbers::<f64>(&grad_of(&squared, &below)), &expected, 1e-13);
}

#[test]
fn borrowed_losses_and_those_behind_dyn() {
    let (logits, labels) = (var(&[0.5_f32; L]), Tensor::new(&[0_u8], &Device::Cpu).unwrap());
    let margins = [2.0_f32; L];
    let borrowed = TopKHinge::new(1).unwrap().with_margins(topk_loss::Margins::PerClass(&margins[..])).unwrap();
    assert_eq!(loss(borrowed, &logits, &labels).unwrap().to_scalar::<f32>().unwrap(), 2.0);
    let owned = loss(CrossEntropy, &logits, &labels).unwrap().to_scalar::<f32>().unwrap();
    let losses: [Box<dyn BatchLoss<f32>>; 2] = [Box::new(CrossEntropy), Box::new(TopKHinge::new(1).unwrap())];
    assert_eq!(losses.map(|of| loss(of, &logits, &labels).unwrap().to_scalar::<f32>().unwrap()), [owned, 1.0]);
}
