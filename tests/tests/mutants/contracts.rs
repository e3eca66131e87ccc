//! Promises about buffers, bad input and repetition that are not kept.

use core::sync::atomic::{AtomicU32, Ordering};

use topk_loss::loss::Focal;
use topk_loss::{CrossEntropy, Error, Key, Loss, Smoothing, TopKHinge};
use topk_loss_laws::Example;

use crate::plant::{Calls, Mixed, Row, altered, calls, losses};

fn hinge(example: &Example<f64>) -> TopKHinge<f64> {
    TopKHinge::new(example.k).unwrap()
}

fn drawn(example: &Example<f64>, seed: u64) -> TopKHinge<f64> {
    let smoothing = Smoothing::Pathwise { epsilon: 0.5, num_samples: 3, key: Key::new(seed) };
    TopKHinge::new(example.k).unwrap().with_smoothing(smoothing).unwrap()
}

/// The cross-entropy's gradient call.
fn cross_entropy(scores: &[f64], label: usize, grad: &mut [f64]) -> topk_loss::Result<f64> {
    CrossEntropy.value_and_grad(scores, label, grad, &mut [])
}

/// The same into a vector of its own.
fn gradient(scores: &[f64], label: usize) -> topk_loss::Result<(f64, Vec<f64>)> {
    let mut grad = vec![0.0; scores.len()];
    Ok((cross_entropy(scores, label, &mut grad)?, grad))
}

pub fn rows() -> Vec<Row> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    losses! {
        "the value alone forgets a factor", value_is_that_of_the_gradient_call(): |_| CrossEntropy => |_| Calls {
            scratch_len: 0,
            value: |scores: &[f64], label, _: &mut [f64]| Ok(2.0 * CrossEntropy.value(scores, label, &mut [])?),
            value_and_grad: |scores: &[f64], label, grad: &mut [f64], _: &mut [f64]| cross_entropy(scores, label, grad),
        };
        "the value alone has other draws", value_is_that_of_the_gradient_call(): |e| drawn(e, 1) => |e| {
            let (one, two) = (drawn(e, 1), drawn(e, 2));
            Calls {
                scratch_len: one.scratch_len(e.scores.len()),
                value: move |scores: &[f64], label, scratch: &mut [f64]| one.value(scores, label, scratch),
                value_and_grad: move |scores: &[f64], label, grad: &mut [f64], scratch: &mut [f64]| two.value_and_grad(scores, label, grad, scratch),
            }
        };
        "the gradient is added", gradient_is_overwritten():
            |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            let (value, own) = gradient(scores, label)?;
            grad.iter_mut().zip(own).for_each(|(sum, g)| *sum += g);
            Ok(value)
        });
        "only entries that are not zero are written", gradient_is_overwritten(): hinge => |e| {
            let loss = hinge(e);
            calls(loss.scratch_len(e.scores.len()), move |scores, label, grad, scratch| {
                let mut own = vec![0.0; grad.len()];
                let value = loss.value_and_grad(scores, label, &mut own, scratch)?;
                grad.iter_mut().zip(own).filter(|(_, g)| *g != 0.0).for_each(|(entry, g)| *entry = g);
                Ok(value)
            })
        };
        "the scratch is taken to be zero", scratch_is_irrelevant():
            |_| CrossEntropy => |_| calls(1, |scores, label, grad, scratch| {
            scratch[0] += cross_entropy(scores, label, grad)?;
            Ok(scratch[0])
        });
        "the scratch's length is taken for the number of classes", scratch_is_irrelevant():
            |_| CrossEntropy => |_| calls(5, |scores, label, grad, scratch| {
            Ok(cross_entropy(scores, label, grad)? + (scratch.len() as f64).ln())
        });
        "a short scratch panics", wrong_lengths_are_errors(): hinge => |e| {
            let (loss, needed) = (hinge(e), hinge(e).scratch_len(e.scores.len()));
            calls(needed, move |scores, label, grad, scratch| loss.value_and_grad(scores, label, grad, &mut scratch[..needed]))
        };
        "a short gradient is filled as far as it goes", wrong_lengths_are_errors():
            |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            let (value, own) = gradient(scores, label)?;
            grad.iter_mut().zip(own).for_each(|(entry, g)| *entry = g);
            Ok(value)
        });
        "a wrong length is called a wrong label", wrong_lengths_are_errors():
            |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            cross_entropy(scores, label, grad).map_err(|_| Error::Label { label, num_classes: scores.len() })
        });
        "the gradient is cleared before the label is looked at", a_label_that_is_no_class_is_an_error():
            |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            grad.fill(0.0);
            cross_entropy(scores, label, grad)
        });
        "the label wraps around", a_label_that_is_no_class_is_an_error():
            |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| cross_entropy(scores, label % scores.len(), grad));
        "a label that is no class has no loss", a_label_that_is_no_class_is_an_error():
            |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            if label < scores.len() { cross_entropy(scores, label, grad) } else { Ok(0.0) }
        });
        "NaN scores are passed over", scores_that_are_no_numbers_are_errors():
            |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            let numbers: Vec<f64> = scores.iter().map(|&s| if s.is_nan() { 0.0 } else { s }).collect();
            cross_entropy(&numbers, label, grad)
        });
        "an infinite score is taken for a large one", scores_that_are_no_numbers_are_errors():
            |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            let numbers: Vec<f64> = scores.iter().map(|&s| if s == f64::INFINITY { f64::MAX } else { s }).collect();
            cross_entropy(&numbers, label, grad)
        });
        "NaN comes out in silence", scores_that_are_no_numbers_are_errors():
            |_| CrossEntropy => |_| calls(0, |scores, label, grad, _| {
            if scores.iter().any(|s| s.is_nan()) { Ok(f64::NAN) } else { cross_entropy(scores, label, grad) }
        });
        "NaN at a tie", results_are_finite(): |_| CrossEntropy => |_| altered(CrossEntropy, |scores, _, _, grad| {
            if scores[0] == scores[1] { grad[0] = 0.0 / (scores[0] - scores[1]) }
        });
        "the slope of a root where nothing is missed", results_are_finite(): |_| Focal::new(0.5).unwrap() => |_| calls(0, |scores, label, grad, _| {
            let surprise = cross_entropy(scores, label, grad)?;
            let hit = 1.0 + grad[label];
            let missed = 1.0 - hit;
            let slope = missed.sqrt() + 0.5 * missed.powf(-0.5) * hit * surprise;
            grad.iter_mut().for_each(|g| *g *= slope);
            Ok(missed.sqrt() * surprise)
        });
        "exponentials overflow", results_are_finite(): |_| CrossEntropy => |_| altered(CrossEntropy, |scores, label, value, _| {
            let exponentials: Vec<f64> = scores.iter().map(|s| (100.0 * s).exp()).collect();
            *value = -(exponentials[label] / exponentials.iter().sum::<f64>()).ln();
        });
        "a panic where the label is tied", results_are_finite(): |_| CrossEntropy => |_| altered(CrossEntropy, |scores, label, _, _| {
            assert!(scores.iter().enumerate().all(|(class, s)| class == label || s != &scores[label]), "a lead to divide by");
        });
        "every call draws anew", is_deterministic(): |e| drawn(e, 1) => |e| {
            let e = e.clone();
            calls(drawn(&e, 0).scratch_len(e.scores.len()), |_, _, _, _| Ok(f64::from(CALLS.fetch_add(1, Ordering::Relaxed))))
        };
        "the gradient call has another loss's value", value_is_that_of_the_gradient_call():
            hinge => |e| { let e = e.clone(); Calls {
                scratch_len: 3 * e.scores.len(),
                value: { let loss = hinge(&e); move |scores: &[f64], label, scratch: &mut [f64]| loss.value(scores, label, scratch) },
                value_and_grad: { let loss = Mixed(CrossEntropy, hinge(&e)); move |scores: &[f64], label, grad: &mut [f64], scratch: &mut [f64]|
                    loss.value_and_grad(scores, label, grad, scratch) },
            } };
    }
}
