//! What `batch.c` prints, by the Rust interface.

use std::fmt::Write;

use half::{bf16, f16};
use topk_loss::config::{BaseConfig, LossConfig, MarginConfig};
use topk_loss::{FoldIn, Key, Real, Smoothing};
use topk_loss_batch::{Elementary, Gradients, Reduction, Rows, RowsMut, Scores, Targets, Threads, objective_and_grads, values_and_grads};

const EXAMPLES: usize = 5;
const CLASSES: usize = 40;
const STRIDE: usize = 43;

pub fn expected() -> String {
    let mut printed = String::new();
    for which in 0..4 {
        printed += &of_float::<f32, f32>(which, 0, |number| number as f32, |number| format!("{:08x}", number.to_bits()));
        printed += &of_float::<f64, f64>(which, 1, |number| number, |number| format!("{:016x}", number.to_bits()));
        printed += &of_float::<f32, f16>(which, 2, f16::from_f64, |number| format!("{:04x}", number.to_bits()));
        printed += &of_float::<f32, bf16>(which, 3, bf16::from_f64, |number| format!("{:04x}", number.to_bits()));
    }
    printed
}

fn config<F: Real>(which: usize) -> LossConfig<F, Vec<F>> {
    let (epsilon, key) = (F::from_f64(0.5), Key::new(7));
    let hinge = |smoothing| BaseConfig::TopKHinge { k: 3, margins: MarginConfig::default(), scale: F::one(), smoothing, tolerance: None };
    match which {
        0 => BaseConfig::CrossEntropy,
        1 => hinge(Smoothing::Exact { epsilon }),
        2 => hinge(Smoothing::Pathwise { epsilon, num_samples: 5, key }),
        _ => BaseConfig::PolyhedralHinge { k: 3, margins: MarginConfig::default(), scale: F::one() },
    }
    .into()
}

/// Of rows of `T`, computed as `F`.
fn of_float<F: Elementary + Into<f64>, T: Copy + Default>(
    which: usize,
    float: u32,
    number: impl Fn(f64) -> T,
    bits: impl Fn(T) -> String,
) -> String
where
    for<'a> Rows<'a, T>: Scores<F>,
    for<'a> RowsMut<'a, T>: Gradients<F>,
{
    let mut scores = vec![T::default(); (EXAMPLES - 1) * STRIDE + CLASSES];
    for row in 0..EXAMPLES {
        for class in 0..CLASSES {
            scores[row * STRIDE + class] = number(((row * 17 + class * 37) % 61) as f64 / 4.0 - 7.5);
        }
    }
    let rows = Rows::strided(&scores, CLASSES, STRIDE).unwrap();
    let targets = Targets::new(&[3_i64, 39, -100, 0, 11]).ignoring(-100);
    let loss = config::<F>(which).build().unwrap().fold_in(9);
    let (mut values, mut grads) = ([F::zero(); EXAMPLES], vec![T::default(); EXAMPLES * CLASSES]);
    let into = RowsMut::new(&mut grads, CLASSES).unwrap();
    values_and_grads(&loss, rows, &targets, &mut values, into, Threads::ONE).unwrap();
    let mut printed = format!("values {which} {float}");
    for value in values {
        // A single-precision value is itself when it is widened and narrowed again.
        let value: f64 = value.into();
        let value = if float == 1 { format!("{:016x}", value.to_bits()) } else { format!("{:08x}", (value as f32).to_bits()) };
        write!(printed, " {value}").unwrap();
    }
    grads.iter().for_each(|&entry| write!(printed, " {}", bits(entry)).unwrap());
    let into = RowsMut::new(&mut grads, CLASSES).unwrap();
    let objective: f64 = objective_and_grads(&loss, rows, &targets, Reduction::Mean, into, Threads::ONE).unwrap().into();
    write!(printed, "\nobjective {which} {float} {:016x}", objective.to_bits()).unwrap();
    grads.iter().for_each(|&entry| write!(printed, " {}", bits(entry)).unwrap());
    printed + "\n"
}
