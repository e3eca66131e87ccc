//! The grid that the benches of losses walk: numbers of classes, guesses, and how far the scores are spread; ε is 1.
//!
//! A bench brings its contestants. Each cell is nanoseconds a score, with the gradient, on one thread. `worst` is the slowest spread's
//! time over the fastest one's. `flushed` is the time over that with subnormal numbers taken for zero, at the spread where it is largest:
//! 1 where nothing subnormal is computed.

mod flushed;
mod machine;
pub mod parameters;
mod problem;
mod rounds;
mod words;

use topk_loss::{Real, Result};

pub use problem::Problem;
pub use words::Words;

const SPREADS: [f64; 5] = [0.1, 1.0, 3.0, 10.0, 30.0];
const LENGTHS: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];
const GUESSES: [usize; 3] = [1, 5, 50];
/// L and K beyond the middle, each before the K that it is the mirror of; for [`Contestant::smooth`] ones.
const BEYOND_THE_MIDDLE: [(usize, usize); 4] = [(24, 16), (24, 7), (100, 80), (100, 19)];

type Run<F> = dyn FnMut(&mut Problem<F>);

pub struct Contestant<F> {
    name: &'static str,
    smooth: bool,
    when_named: bool,
    run: Box<Run<F>>,
}

impl<F> Contestant<F> {
    pub fn new(name: &'static str, run: impl FnMut(&mut Problem<F>) + 'static) -> Self {
        Self { name, smooth: false, when_named: false, run: Box::new(run) }
    }

    /// One that has something to compute of every class, not only of the K largest.
    pub fn smooth(self) -> Self {
        Self { smooth: true, ..self }
    }

    /// One that runs only when a word names it: what wraps the others, or is made of their steps.
    pub fn when_named(self) -> Self {
        Self { when_named: true, ..self }
    }
}

/// A bench's batches have at most so many scores, and its contestants are for so many classes and guesses.
pub fn walk<F: Real>(
    words: &Words,
    most_scores: usize,
    mut contestants: impl FnMut(usize, usize) -> Result<Vec<Contestant<F>>>,
) -> Result<()> {
    println!("{}", machine::processor());
    println!("f{}, one thread, scores spread·N(0, 1), epsilon 1: ns a score, with the gradient", 8 * size_of::<F>());
    let in_order = LENGTHS.into_iter().flat_map(|len| GUESSES.map(|k| (len, k, false))).filter(|(len, k, _)| k < len);
    let beyond = BEYOND_THE_MIDDLE.into_iter().map(|(len, k)| (len, k, true));
    for (len, k, only_smooth) in in_order.chain(beyond).filter(|&(len, ..)| words.choose_len(len)) {
        let mut chosen = contestants(len, k)?;
        chosen.retain(|one| words.choose(one.name, one.when_named) && (one.smooth || !only_smooth));
        table(words, len, k, most_scores, &mut chosen);
    }
    Ok(())
}

fn table<F: Real>(words: &Words, len: usize, k: usize, most_scores: usize, contestants: &mut [Contestant<F>]) {
    let count = contestants.len();
    if count == 0 {
        return;
    }
    // By spread, then by contestant, first as they are and then flushed.
    let times = SPREADS.map(|spread| {
        let mut problem = Problem::new(len, spread, most_scores);
        let medians = rounds::medians(2 * count, words.budget(), |turn| {
            let run = &mut contestants[turn % count].run;
            if turn < count { run(&mut problem) } else { flushed::flushed(|| run(&mut problem)) }
        });
        medians.into_iter().map(|time| time / problem.scores.len() as f64).collect::<Vec<_>>()
    });
    println!("\n{:36}{}   worst flushed", format!("L = {len}, K = {k}; spread"), SPREADS.map(|spread| format!("{spread:11}")).concat());
    for (row, contestant) in contestants.iter().enumerate() {
        let of_spreads = times.each_ref().map(|times| times[row]);
        let largest = |ratios: [f64; SPREADS.len()]| ratios.into_iter().fold(0.0, f64::max);
        let worst = largest(of_spreads) * largest(of_spreads.map(f64::recip));
        let flushed = largest(times.each_ref().map(|times| times[row] / times[count + row]));
        let flushed = if flushed::KNOWN { format!("{flushed:8.2}") } else { "unknown".into() };
        println!("    {:32}{}{worst:8.2}{flushed}", contestant.name, of_spreads.map(|time| format!("{time:11.3}")).concat());
    }
    let row = |name| contestants.iter().position(|contestant| contestant.name == name);
    if let (Some(exact), Some(pathwise)) = (row("exact hinge"), row("pathwise hinge, 5 draws")) {
        println!("    {:32}{}", "exact / pathwise", times.map(|times| format!("{:11.2}", times[exact] / times[pathwise])).concat());
    }
}
