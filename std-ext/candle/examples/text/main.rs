//! A perceptron over the mean of word embeddings, trained with four losses; draws what came of it.
//! `cargo run --release --example text [-- FOLDER [FILE.tsv]]`

mod corpus;
mod losses;
mod outcome;

use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Embedding, Linear, Module, Optimizer, VarBuilder, VarMap, embedding, linear};
use corpus::{Corpus, LENGTH, Split};
use indicatif::ProgressBar;
use outcome::Outcome;
use topk_loss::config::AnyLoss;
use topk_loss::{FoldIn, Key};
use topk_loss_candle::Criterion;

const K: usize = 5;
const EPOCHS: u64 = 20;
const BATCH: usize = 64;
const DIM: usize = 64;

struct Model {
    embedding: Embedding,
    hidden: Linear,
    output: Linear,
}

impl Model {
    /// Initialised by a key: the same for every loss.
    fn new(corpus: &Corpus, vars: &VarMap) -> Result<Self> {
        let builder = VarBuilder::from_varmap(vars, DType::F32, &Device::Cpu);
        let model = Self {
            embedding: embedding(corpus.num_words, DIM, builder.pp("embedding"))?,
            hidden: linear(DIM, DIM, builder.pp("hidden"))?,
            output: linear(DIM, corpus.num_classes, builder.pp("output"))?,
        };
        for (name, var) in vars.data().lock().unwrap().iter() {
            let key = name.bytes().fold(Key::new(4), |key, byte| key.fold_in(byte.into()));
            let bound = if name.starts_with("embedding") { 1.0 } else { (3.0 / DIM as f64).sqrt() };
            let uniform = |i| (f64::from(key.fold_in(i).words()[0]) / f64::from(u32::MAX) * 2.0 - 1.0) * bound;
            let data: Vec<f32> = (0..var.elem_count() as u64).map(|i| uniform(i) as f32).collect();
            var.set(&Tensor::from_vec(data, var.shape(), &Device::Cpu)?)?;
        }
        Ok(model)
    }

    fn forward(&self, split: &Split) -> Result<Tensor> {
        let tokens = Tensor::from_slice(&split.tokens, (split.labels.len(), LENGTH), &Device::Cpu)?;
        let features = self.embedding.forward(&tokens)?.mean(1)?;
        self.output.forward(&self.hidden.forward(&features)?.relu()?)
    }
}

/// Three lines are the library's: the criterion, its step, its loss.
fn train(loss: AnyLoss<f32, Vec<f32>>, corpus: &Corpus, outcome: &mut Outcome, progress: &ProgressBar) -> anyhow::Result<()> {
    let vars = VarMap::new();
    let model = Model::new(corpus, &vars)?;
    let mut optimizer = AdamW::new_lr(vars.all_vars(), 5e-3)?;
    let criterion = Criterion::new(loss);
    let mut steps = 0..;
    for epoch in 0..EPOCHS {
        let start = Instant::now();
        for (batch, step) in corpus.batches(epoch, BATCH).zip(&mut steps) {
            let labels = Tensor::new(&batch.labels[..], &Device::Cpu)?;
            let loss = criterion.fold_in(step).forward(&model.forward(&batch)?, &labels)?;
            optimizer.backward_step(&loss)?;
        }
        outcome.seconds += start.elapsed().as_secs_f64();
        let logits = model.forward(&corpus.test)?.to_vec2::<f32>()?;
        outcome.measure(logits.iter().map(|row| &row[..]), &corpus.test.labels, corpus.num_classes, K)?;
        progress.inc(1);
    }
    Ok(())
}

fn main() -> anyhow::Result<()> {
    outcome::compare(K, EPOCHS, |config, corpus, outcome, progress| train(config.build()?, corpus, outcome, progress))
}
