//! Oracles that do not add, do not weigh, or do not know their translation.

use topk_loss::Result;
use topk_loss::oracle::{Oracle, TopKSum, Translation};
use topk_loss_laws::laws::oracle::{follows_a_common_offset, gradient_is_added_with_its_weight, translation_is_as_claimed};
use topk_loss_laws::tolerances::ROUNDING;
use topk_loss_laws::{Example, Violation};

use crate::plant::{Row, judged};

/// The sum of the k largest, with a fault.
struct Sum(TopKSum, Fault);

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Overwrites,
    IgnoresTheWeight,
    WeighsByTheSize,
    WeighsTheValue,
    HasTheMassOfOne,
    HasTheCenterTwice,
    IsAMean,
}

impl Oracle<f64> for Sum {
    fn scratch_len(&self, dim: usize) -> usize {
        Oracle::<f64>::scratch_len(&self.0, dim)
    }

    fn value(&self, theta: &[f64], scratch: &mut [f64]) -> Result<f64> {
        let mass = self.0.translation(theta, scratch)?.mass;
        let value = self.0.value(theta, scratch)?;
        Ok(if self.1 == Fault::IsAMean { value / (mass + 1.0) } else { value })
    }

    fn value_and_add_grad(&self, theta: &[f64], weight: f64, grad: &mut [f64], scratch: &mut [f64]) -> Result<f64> {
        if self.1 == Fault::Overwrites {
            grad.fill(0.0);
        }
        let used = match self.1 {
            Fault::IgnoresTheWeight => 1.0,
            Fault::WeighsByTheSize => weight.abs(),
            _ => weight,
        };
        let value = self.0.value_and_add_grad(theta, used, grad, scratch)?;
        match self.1 {
            Fault::WeighsTheValue => Ok(weight * value),
            _ => self.value(theta, scratch),
        }
    }

    fn translation(&self, theta: &[f64], scratch: &mut [f64]) -> Result<Translation<f64>> {
        let Translation { center, mass } = self.0.translation(theta, scratch)?;
        Ok(match self.1 {
            Fault::HasTheMassOfOne => Translation { center, mass: 1.0 },
            Fault::HasTheCenterTwice => Translation { center, mass: 2.0 * mass },
            _ => Translation { center, mass },
        })
    }
}

fn row(
    fault: &'static str,
    law: &'static str,
    judge: fn(&dyn Oracle<f64>, &Example<f64>) -> core::result::Result<(), Violation>,
    planted: Fault,
) -> Row {
    let with = move |fault| judged(move |example: &Example<f64>| judge(&Sum(TopKSum::new(example.k).unwrap(), fault), example));
    Row::new(fault, law, move || with(Fault::None), move || with(planted))
}

pub fn rows() -> Vec<Row> {
    let weighed = |fault, planted| row(fault, "gradient_is_added_with_its_weight", gradient_is_added_with_its_weight, planted);
    let moved = |fault, planted| row(fault, "translation_is_as_claimed", |o, e| translation_is_as_claimed(o, e, ROUNDING), planted);
    vec![
        weighed("the gradient overwrites what was there", Fault::Overwrites),
        weighed("the weight is forgotten", Fault::IgnoresTheWeight),
        weighed("a negative weight loses its sign", Fault::WeighsByTheSize),
        weighed("the value is weighed too", Fault::WeighsTheValue),
        moved("the mass of one order statistic for a sum of k", Fault::HasTheMassOfOne),
        moved("the center is added twice", Fault::HasTheCenterTwice),
        row(
            "a mean over one too many",
            "follows_a_common_offset",
            |o, e| follows_a_common_offset(o, e, e.k as f64, ROUNDING),
            Fault::IsAMean,
        ),
    ]
}
