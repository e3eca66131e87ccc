//! Our side of the comparison with the Python peers: a process that does what its standard input says, one line at a time.
//!
//! `std-ext/benches/peers/run` starts it as `peers serve` and lets both sides take turns. The lines, words separated by spaces:
//!
//! | line | reply |
//! |---|---|
//! | `scores FOLDER CLASSES` | `ready`; the scores and labels in the folder are what the contestants work on from now |
//! | `head FOLDER CLASSES FEATURES` | `ready`; the same for a linear head's weights, features and labels |
//! | `time CONTESTANT THREADS` | nanoseconds of one call, by [`timing::time`] |
//! | `memory CONTESTANT THREADS` | bytes beside inputs and outputs, by [`memory::extra`] |
//! | `gradient CONTESTANT FILE` | the objective; the gradient of the scores is written to the file |
//!
//! Whatever goes wrong ends the process with a message.

mod contestants;
mod head;
mod memory;
mod problem;
mod timing;

use std::io::{BufRead, stdin};
use std::path::Path;

use anyhow::{Context, Result, bail};
use faer::Par;

use head::Head;
use problem::Problem;

/// What was loaded last.
enum Loaded {
    Nothing,
    Scores(Problem),
    Head(Head),
}

impl Loaded {
    fn evaluate(&mut self, contestant: &str, par: Par) -> Result<f32> {
        match self {
            Self::Nothing => bail!("nothing is loaded"),
            Self::Scores(problem) => contestants::evaluate(contestant, problem, par),
            Self::Head(head) => head::evaluate(contestant, head, par),
        }
    }

    fn obey(&mut self, line: &str) -> Result<String> {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["scores", folder, classes] => {
                *self = Self::Nothing; // frees the last before the next is read
                *self = Self::Scores(Problem::load(Path::new(folder), classes.parse()?)?);
                Ok("ready".into())
            }
            ["head", folder, classes, features] => {
                *self = Self::Nothing;
                *self = Self::Head(Head::load(Path::new(folder), classes.parse()?, features.parse()?)?);
                Ok("ready".into())
            }
            ["time", contestant, threads] => {
                let par = parallelism(threads)?;
                Ok(timing::time(|| self.evaluate(contestant, par))?.to_string())
            }
            ["memory", contestant, threads] => {
                let par = parallelism(threads)?;
                Ok(memory::extra(|| self.evaluate(contestant, par))?.to_string())
            }
            ["gradient", contestant, file] => {
                let objective = self.evaluate(contestant, Par::Seq)?;
                let Self::Scores(problem) = self else { bail!("there are no scores") };
                problem.write_gradient(Path::new(file))?;
                Ok(objective.to_string())
            }
            _ => bail!("no such line"),
        }
    }
}

fn parallelism(threads: &str) -> Result<Par> {
    Ok(match threads.parse()? {
        1 => Par::Seq,
        threads => Par::rayon(threads),
    })
}

fn main() -> Result<()> {
    // Cargo may run this as a bench or a test of its own accord.
    if std::env::args().nth(1).as_deref() != Some("serve") {
        println!("The comparison is run by std-ext/benches/peers/run.");
        return Ok(());
    }
    let mut loaded = Loaded::Nothing;
    for line in stdin().lock().lines() {
        let line = line?;
        println!("{}", loaded.obey(&line).with_context(|| line)?);
    }
    Ok(())
}
