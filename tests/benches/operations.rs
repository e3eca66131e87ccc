//! Instructions per class of the exact smoothed order statistic, counted by valgrind's callgrind: `cargo bench --bench operations`.
//!
//! The bench runs itself under callgrind once without and once with the call that is measured; the difference is the call.

use std::process::Command;

use topk_loss::estimator::Exact;
use topk_loss::noise::Normal;
use topk_loss::oracle::{KthLargest, Oracle};
use topk_loss::sampler::{MonteCarlo, Sampler};
use topk_loss::{Key, Real};

const LENGTHS: [usize; 3] = [1_000, 10_000, 100_000];
const RANKS: [usize; 4] = [1, 5, 20, 50];

/// One value and gradient, or only their preparation.
fn work<F: Real>(len: usize, k: usize, epsilon: f64, measured: bool) {
    let mut scores = vec![F::zero(); len];
    MonteCarlo::new(Normal, 1).and_then(|normal| normal.sample(Key::new(1), 0, &mut scores)).expect("a normal sample");
    let exact = KthLargest::new(k).and_then(|k| Exact::new(k, Normal, F::from_f64(epsilon))).expect("valid parameters");
    let (mut grad, mut scratch) = (vec![F::zero(); len], vec![F::zero(); exact.scratch_len(len)]);
    if measured {
        let value = exact.value_and_add_grad(&scores, F::one(), &mut grad, &mut scratch).expect("finite scores");
        assert!(value.is_finite());
    }
    core::hint::black_box((grad, scratch));
}

fn instructions(float: &str, len: usize, k: usize, epsilon: &str) -> Option<f64> {
    let count = |measured: &str| -> Option<f64> {
        let this = std::env::current_exe().ok()?;
        let arguments = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
        let (len, k) = (len.to_string(), k.to_string());
        let output = Command::new("valgrind").args(arguments).arg(this).args(["work", float, &len, &k, epsilon, measured]).output().ok()?;
        let report = String::from_utf8(output.stderr).ok()?;
        report.lines().find_map(|line| line.split_once("Collected :"))?.1.trim().parse().ok()
    };
    Some((count("yes")? - count("no")?) / len as f64)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, float, len, k, epsilon, measured] = arguments.as_slice()
        && word == "work"
    {
        let (len, k, epsilon) = (len.parse().expect("a length"), k.parse().expect("a rank"), epsilon.parse().expect("an epsilon"));
        let run = if float == "f32" { work::<f32> } else { work::<f64> };
        return run(len, k, epsilon, measured == "yes");
    }
    println!("instructions per class, scores N(0, 1)");
    for (float, epsilon) in [("f32", "1"), ("f64", "1"), ("f64", "0.2")] {
        println!("{float}, epsilon {epsilon}: L \\ k {RANKS:?}");
        for len in LENGTHS {
            let row: Option<Vec<f64>> = RANKS.iter().map(|&k| instructions(float, len, k, epsilon)).collect();
            let Some(row) = row else { return println!("SKIPPED: valgrind could not be run") };
            let cells: Vec<String> = row.iter().map(|n| format!("{n:8.0}")).collect();
            println!("{len:>8} {}   k = 50 against 1: {:.2}", cells.join(" "), row[3] / row[0]);
        }
    }
}
