//! The command line: the sizes of the problem, and whether each process trains alone, too.

use core::fmt;
use std::env;

/// How large the task is.
pub struct Arguments {
    pub classes: usize,
    pub features: usize,
    pub batch: usize,
    pub steps: usize,
    /// Whether each process trains alone, too, to compare with.
    pub check: bool,
}

impl Arguments {
    /// `--classes 100000 --features 32 --batch 32 --steps 10 --check 1`, each of them optional.
    pub fn from_command_line() -> Result<Self, String> {
        let mut all = Self { classes: 100_000, features: 32, batch: 32, steps: 10, check: true };
        let mut words = env::args().skip(1);
        while let Some(name) = words.next() {
            let number = words.next().and_then(|word| word.parse().ok()).ok_or(format!("{name} wants a whole number"))?;
            match name.as_str() {
                "--classes" => all.classes = number,
                "--features" => all.features = number,
                "--batch" => all.batch = number,
                "--steps" => all.steps = number,
                "--check" => all.check = number > 0,
                _ => return Err(format!("there is no {name}")),
            }
        }
        if all.classes > 5 && all.features.min(all.batch).min(all.steps) > 0 { Ok(all) } else { Err("too small for five guesses".into()) }
    }
}

impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { classes, features, batch, steps, .. } = self;
        write!(f, "{classes} classes, {features} features, batch {batch}, {steps} steps")
    }
}
