//! Draws how far draws and the exact form are from the gradient: `cargo run --release -p topk-loss --example accuracy > core/figures/accuracy.svg`.

use topk_loss::estimator::{Conditional, Exact, Pathwise};
use topk_loss::noise::{Noise, Normal};
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sampler::MonteCarlo;
use topk_loss::{Key, Result};

const CLASSES: usize = 1000;
const RANK: usize = 6;
const EPSILON: f64 = 1.0;
/// Keys over which errors of draws are averaged.
const KEYS: u64 = 8;
/// Draws are powers of two up to this.
const MOST: i32 = 12;

/// Errors from 10^HIGHEST down to 10^LOWEST are drawn.
const HIGHEST: f64 = 1.0;
const LOWEST: f64 = -14.0;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;

fn main() -> Result<()> {
    let scores: Vec<f64> = (0..CLASSES).map(|class| Normal.quantile((class as f64 + 0.5) / CLASSES as f64)).collect();
    let sixth = KthLargest::new(RANK)?;
    let exact = Exact::new(sixth, Normal, EPSILON)?;
    let reference = integrated(&scores);
    let error = |grad: Vec<f64>| grad.iter().zip(&reference).map(|(a, b)| (a - b).abs()).sum::<f64>();

    let draws: Vec<i32> = (0..=MOST).step_by(2).collect();
    let (mut pathwise, mut conditional) = (Vec::new(), Vec::new());
    for power in &draws {
        let sampler = MonteCarlo::new(Normal, 1 << power)?;
        let (mut of_pathwise, mut of_conditional) = (0.0, 0.0);
        for key in (0..KEYS).map(Key::new) {
            of_pathwise += error(gradient(&Pathwise::new(sixth, sampler, EPSILON, key)?, &scores)?);
            of_conditional += error(gradient(&Conditional::new(sixth, sampler, EPSILON, key)?, &scores)?);
        }
        pathwise.push(of_pathwise / KEYS as f64);
        conditional.push(of_conditional / KEYS as f64);
    }
    let (mut grad, mut scratch) = (vec![0.0; CLASSES], vec![0.0; Oracle::<f64>::scratch_len(&exact, CLASSES)]);
    let bound = exact.certified(&scores, 1.0, &mut grad, &mut scratch)?.error_bound;
    let exactly = error(grad);

    println!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">"#);
    for power in (LOWEST as i32..=HIGHEST as i32).step_by(2) {
        let height = y(10_f64.powi(power));
        println!(r##"<path d="M{LEFT} {height:.1}H{}" stroke="#ddd"/>"##, WIDTH - 10.0);
        println!(r#"<text x="{}" y="{:.1}" text-anchor="end">1e{power}</text>"#, LEFT - 6.0, height + 4.0);
    }
    for &power in &draws {
        println!(r#"<text x="{:.1}" y="{}" text-anchor="middle">{}</text>"#, x(power), HEIGHT - BOTTOM + 16.0, 1 << power);
    }
    for (colour, dashes, errors, name) in [
        ("#b3411a", "none", pathwise, "pathwise"),
        ("#1f5fa8", "none", conditional, "conditional"),
        ("#333333", "4 3", vec![bound; draws.len()], "the bound that the exact form reports"),
        ("#333333", "none", vec![exactly; draws.len()], "exact"),
    ] {
        let points: String = draws.iter().zip(&errors).map(|(&power, &error)| format!("{:.1},{:.1} ", x(power), y(error))).collect();
        println!(r#"<polyline fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}" points="{points}"/>"#);
        let last = errors[errors.len() - 1];
        println!(r#"<text x="{:.1}" y="{:.1}" text-anchor="end" fill="{colour}">{name}: {last:.1e}</text>"#, x(MOST), y(last) + 16.0);
    }
    println!(
        r#"<text x="{LEFT}" y="{}">draws; error of the gradient, L1. 1000 classes, the sixth largest, ε = {EPSILON}</text>"#,
        HEIGHT - 6.0
    );
    println!("</svg>");
    Ok(())
}

fn gradient(oracle: &impl Oracle<f64>, scores: &[f64]) -> Result<Vec<f64>> {
    let (mut grad, mut scratch) = (vec![0.0; scores.len()], vec![0.0; oracle.scratch_len(scores.len())]);
    oracle.value_and_add_grad(scores, 1.0, &mut grad, &mut scratch)?;
    Ok(grad)
}

/// The gradient by the trapezoid rule over far more nodes than it takes: the chance of every rank below, before and after each class.
fn integrated(scores: &[f64]) -> Vec<f64> {
    const NODES: i32 = 1500;
    const FROM: f64 = -3.0;
    const TO: f64 = 12.0;
    let step = (TO - FROM) / f64::from(NODES);
    let join = |counts: [f64; RANK], above: f64| {
        core::array::from_fn(|count| (1.0 - above) * counts[count] + if count > 0 { above * counts[count - 1] } else { 0.0 })
    };
    let none = core::array::from_fn(|count| f64::from(count == 0));
    let mut grad = vec![0.0; scores.len()];
    for t in (0..=NODES).map(|node| FROM + step * f64::from(node)) {
        let above: Vec<f64> = scores.iter().map(|score| Normal.survival((t - score) / EPSILON)).collect();
        let mut after = vec![none; scores.len() + 1];
        for class in (0..scores.len()).rev() {
            after[class] = join(after[class + 1], above[class]);
        }
        let mut before = none;
        for class in 0..scores.len() {
            let others: f64 = (0..RANK).map(|count| before[count] * after[class + 1][RANK - 1 - count]).sum();
            let density: f64 = Normal.pdf((t - scores[class]) / EPSILON);
            grad[class] += step * others * density / EPSILON;
            before = join(before, above[class]);
        }
    }
    grad
}

fn x(power: i32) -> f64 {
    LEFT + f64::from(power) / f64::from(MOST) * (WIDTH - LEFT - 30.0)
}

fn y(error: f64) -> f64 {
    TOP + (HIGHEST - error.log10()) / (HIGHEST - LOWEST) * (HEIGHT - TOP - BOTTOM)
}
