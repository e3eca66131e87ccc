//! Draws the picture of the page on the exact form: `cargo run --release -p topk-loss --example window > core/figures/window.svg`.

use topk_loss::Result;
use topk_loss::estimator::Exact;
use topk_loss::noise::{Noise, Normal};
use topk_loss::oracle::{KthLargest, Oracle};

const CLASSES: usize = 1000;
const RANK: usize = 6;
const EPSILON: f64 = 0.25;

/// The t that are drawn, and the picture's size.
const FROM: f64 = -3.5;
const TO: f64 = 4.0;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;

fn main() -> Result<()> {
    let scores: Vec<f64> = (0..CLASSES).map(|class| Normal.quantile((class as f64 + 0.5) / CLASSES as f64)).collect();
    let exact = Exact::new(KthLargest::new(RANK)?, Normal, EPSILON)?;
    let (mut grad, mut scratch) = (vec![0.0; CLASSES], vec![0.0; Oracle::<f64>::scratch_len(&exact, CLASSES)]);
    let value = exact.value_and_add_grad(&scores, 1.0, &mut grad, &mut scratch)?;

    let points: Vec<f64> = (0..=150).map(|i| FROM + (TO - FROM) * f64::from(i) / 150.0).collect();
    let at_least: Vec<f64> = points.iter().map(|&t| reached(&scores, t)).collect();
    let inside = |p: &f64| (1e-6..1.0 - 1e-6).contains(p);
    let low = at_least.iter().position(inside).map_or(FROM, |i| points[i]);
    let high = at_least.iter().rposition(inside).map_or(TO, |i| points[i]);

    let most = grad.iter().copied().fold(0.0, f64::max);
    println!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">"#);
    println!(r##"<rect x="{}" y="10" width="{}" height="{}" fill="#f3e3b3"/>"##, x(low), x(high) - x(low), HEIGHT - 40.0);
    println!(r##"<polyline fill="none" stroke="#1f5fa8" stroke-width="2" points="{}"/>"##, line(&points, &at_least));
    // The classes whose share can be seen.
    let (learning, shares): (Vec<f64>, Vec<f64>) =
        scores.iter().zip(&grad).filter(|(_, g)| **g > 1e-3 * most).map(|(s, g)| (s, g / most)).unzip();
    println!(r##"<polyline fill="none" stroke="#b3411a" stroke-width="2" points="{}"/>"##, line(&learning, &shares));
    let marks: String = scores.iter().map(|&score| format!("M{:.1} {}v6", x(score), HEIGHT - 30.0)).collect();
    println!(r##"<path d="{marks}" stroke="#555" stroke-width="0.4"/>"##);
    println!(r##"<path d="M{0:.1} 10V{1}" stroke="#333" stroke-dasharray="4 3"/>"##, x(value), HEIGHT - 30.0);
    for (place, height, words) in [
        (FROM + 0.1, 24.0, "P(N(t) ≥ 6), blue; gradient of each class over the largest, red; the window, yellow".to_owned()),
        (FROM + 0.1, 42.0, format!("1000 classes (marks), ε = {EPSILON}; dashed: the smoothed sixth largest, {value:.3}")),
    ] {
        println!(r#"<text x="{:.0}" y="{height}">{words}</text>"#, x(place));
    }
    for t in -3..=3 {
        println!(r#"<text x="{:.0}" y="{}" text-anchor="middle">{t}</text>"#, x(f64::from(t)), HEIGHT - 8.0);
    }
    println!("</svg>");
    Ok(())
}

/// P(N(t) ≥ [`RANK`]), class after class.
fn reached(scores: &[f64], t: f64) -> f64 {
    let mut fewer = [0.0; RANK];
    fewer[0] = 1.0;
    for &score in scores {
        let above: f64 = Normal.survival((t - score) / EPSILON);
        for count in (0..RANK).rev() {
            let joined = if count > 0 { above * fewer[count - 1] } else { 0.0 };
            fewer[count] = (1.0 - above) * fewer[count] + joined;
        }
    }
    1.0 - fewer.iter().sum::<f64>()
}

fn x(t: f64) -> f64 {
    (t - FROM) / (TO - FROM) * WIDTH
}

fn line(places: &[f64], heights: &[f64]) -> String {
    let y = |height: &f64| HEIGHT - 30.0 - height * (HEIGHT - 90.0);
    places.iter().zip(heights).map(|(&t, height)| format!("{:.1},{:.1} ", x(t), y(height))).collect()
}
