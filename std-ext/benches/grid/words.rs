//! What the command line asks for.

use core::time::Duration;

/// Words without dashes choose: numbers among the numbers of classes, others among the contestants by a part of the name.
pub struct Words {
    lengths: Vec<usize>,
    names: Vec<String>,
    quick: bool,
    pub f64: bool,
}

impl Words {
    /// `None` where Cargo only tries whether the bench runs, as `cargo test --benches` does.
    pub fn said() -> Option<Self> {
        let (flags, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
        let said = |flag: &str| flags.iter().any(|word| word == flag);
        let lengths: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
        let names = words.into_iter().filter(|word| word.parse::<usize>().is_err()).collect();
        said("--bench").then(|| Self { lengths, names, quick: said("--quick"), f64: said("--f64") })
    }

    /// Without a word, all contestants but those that want to be named.
    pub fn choose(&self, name: &str, when_named: bool) -> bool {
        if self.names.is_empty() { !when_named } else { self.names.iter().any(|word| name.contains(word.as_str())) }
    }

    /// Of the numbers of classes; without a word, the quick run stops at 1000.
    pub fn choose_len(&self, len: usize) -> bool {
        if self.lengths.is_empty() { !self.quick || len <= 1_000 } else { self.lengths.contains(&len) }
    }

    /// How long a cell of all contestants may take.
    pub fn budget(&self) -> Duration {
        Duration::from_millis(if self.quick { 40 } else { 400 })
    }
}
