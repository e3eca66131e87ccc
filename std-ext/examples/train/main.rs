//! Trains a linear classifier with the losses of the field where K guesses are allowed, and compares them.
//!
//! ```sh
//! cargo run --release --example train
//! cargo run --release --example train -- --help
//! ```

mod args;
mod comparison;
mod conclusions;
mod corpus;
mod estimator;
mod evaluation;
mod method;
mod number;
mod optimizer;
mod outcome;
mod plots;
mod sample;
mod settings;
mod setup;
mod study;
mod synthetic;
mod table;
mod target;
mod text;
mod training;
mod tsv;
mod tuning;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result};
use args::{Args, Compare, Split};
use clap::Parser;
use corpus::Corpus;
use evaluation::{FEW_BELOW, MANY_ABOVE};
use faer::Par;
use indicatif::{ProgressBar, ProgressStyle};
use outcome::Outcome;
use study::Study;
use tuning::Search;

fn main() -> Result<()> {
    let args = Args::parse();
    let corpus = args.data.as_deref().map_or_else(|| Ok(synthetic::corpus(args.generate)), read)?;
    args.check_k(corpus.num_classes)?;
    let study = Study {
        corpus: &corpus,
        tail: args.tail(),
        k: args.k,
        epochs: args.epochs.get(),
        batch_size: args.batch_size,
        par: Par::rayon(args.threads()),
        measure_valid: args.measure == Split::Valid,
    };
    let outcomes = train_all(&args, &study)?;
    match args.compare {
        None => report_losses(&outcomes, &args),
        Some(Compare::Estimators) => report_estimators(&outcomes, &args),
        Some(Compare::All) => {
            report_all(&outcomes, &args);
            Ok(())
        }
    }
}

fn report_losses(outcomes: &[Outcome], args: &Args) -> Result<()> {
    println!("{}", table::of_losses(outcomes, args.k));
    println!("Per cent, mean ± standard deviation over seeds ({}); seconds a training.", args.seeds);
    println!("Many: classes with more than {MANY_ABOVE} training rows; few: with fewer than {FEW_BELOW}.\n");
    say(conclusions::of_losses(outcomes, args.k));
    plots::of_losses(outcomes, args.k, &args.out)?;
    println!("\nPlots: {}", args.out.display());
    Ok(())
}

fn report_all(outcomes: &[Outcome], args: &Args) {
    println!("{}", table::of_all(outcomes, args.k));
    println!("Per cent, mean ± standard deviation over seeds ({}).", args.seeds);
    println!("Few-shot: classes with fewer than {FEW_BELOW} training rows.\n");
    say(conclusions::of_all(outcomes, args.k));
}

fn report_estimators(outcomes: &[Outcome], args: &Args) -> Result<()> {
    for outcomes in outcomes.chunk_by(|a, b| a.method == b.method) {
        println!("{}, smoothed in {} ways:", outcomes[0].method.name, outcomes.len());
        println!("{}", table::of_estimators(outcomes, args.k));
        println!("Per cent and epochs, mean ± standard deviation over seeds ({}); seconds a training.\n", args.seeds);
        say(conclusions::of_estimators(outcomes));
        println!();
        plots::of_estimators(outcomes, args.k, &args.out)?;
    }
    println!("Plots: {}", args.out.display());
    Ok(())
}

fn say(sentences: Vec<String>) {
    sentences.iter().for_each(|sentence| println!("• {sentence}"));
}

fn read(path: &Path) -> Result<Corpus> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    tsv::read(BufReader::new(file)).with_context(|| format!("cannot use {}", path.display()))
}

fn train_all(args: &Args, study: &Study<'_>) -> Result<Vec<Outcome>> {
    let seeds = args.seeds.get() as u64;
    let contenders = args.contenders()?;
    let epochs = contenders.len() as u64 * (args.tune as u64 + 1) * seeds * study.epochs as u64;
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} epochs, {eta} left, {msg}")?;
    let progress = ProgressBar::new(epochs).with_style(style);
    let mut search = (args.tune > 0).then(|| Search::new(study, args.tune, seeds, &args.out)).transpose()?;
    let mut outcomes = Vec::new();
    for (method, settings) in contenders {
        progress.set_message(method.name);
        let settings = search.as_mut().map_or(Ok(settings), |search| search.best(&method, settings, &progress))?;
        let train = |seed| {
            let run = study.run(&method, &settings, seed, &progress);
            run.with_context(|| format!("cannot train with {}, seed {seed}", method.name))
        };
        outcomes.push(Outcome { method, settings, runs: (1..=seeds).map(train).collect::<Result<_>>()? });
    }
    progress.finish_and_clear();
    Ok(outcomes)
}
