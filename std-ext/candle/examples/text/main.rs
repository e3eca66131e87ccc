//! A perceptron over the mean of word embeddings, trained with four losses. `cargo run --release --example text [FILE.tsv]`

mod corpus;
mod losses;

use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Embedding, Linear, Module, Optimizer, VarBuilder, VarMap, embedding, linear};
use corpus::{Corpus, LENGTH, Split};
use topk_loss::config::AnyLoss;
use topk_loss::metrics::TopKCounts;
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
fn train(loss: AnyLoss<f32, Vec<f32>>, corpus: &Corpus) -> Result<Model> {
    let vars = VarMap::new();
    let model = Model::new(corpus, &vars)?;
    let mut optimizer = AdamW::new_lr(vars.all_vars(), 5e-3)?;
    let criterion = Criterion::new(loss);
    let batches = (0..EPOCHS).flat_map(|epoch| corpus.batches(epoch, BATCH));
    for (step, batch) in (0..).zip(batches) {
        let labels = Tensor::new(&batch.labels[..], &Device::Cpu)?;
        let loss = criterion.fold_in(step).forward(&model.forward(&batch)?, &labels)?;
        optimizer.backward_step(&loss)?;
    }
    Ok(model)
}

/// Accuracies of one and of K guesses, and the latter's mean over the classes.
fn evaluate(model: &Model, corpus: &Corpus) -> std::result::Result<[f64; 3], Box<dyn std::error::Error>> {
    let logits = model.forward(&corpus.test)?.to_vec2::<f32>()?;
    let of = |k| {
        let mut tallies = [(); 3].map(|()| vec![0; corpus.num_classes]);
        let [examples, correct, guessed] = &mut tallies;
        let mut counts = TopKCounts::new(k, examples, correct, guessed)?;
        for (scores, &label) in logits.iter().zip(&corpus.test.labels) {
            counts.add(scores, label as usize, &mut vec![0.0; scores.len()])?;
        }
        let metrics = counts.metrics();
        Ok::<_, topk_loss::Error>((metrics.accuracy().unwrap_or(0.0), metrics.macro_accuracy().unwrap_or(0.0)))
    };
    let ((one, _), (top_k, of_classes)) = (of(1)?, of(K)?);
    Ok([one, top_k, of_classes])
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let tsv = std::env::args().nth(1).map_or_else(|| Ok(corpus::generated()), std::fs::read_to_string)?;
    let corpus = Corpus::parse(&tsv)?;
    println!("{} texts, {} words, {} classes", corpus.train.labels.len(), corpus.num_words, corpus.num_classes);
    println!("{:32} {:>8} {:>8} {:>16} {:>8}", "loss", "top-1", "top-5", "top-5 of classes", "seconds");
    for (name, config) in losses::losses::<f32>(&corpus.counts(), K)? {
        let start = Instant::now();
        let model = train(config.build()?, &corpus)?;
        let seconds = start.elapsed().as_secs_f64();
        let [one, top_k, of_classes] = evaluate(&model, &corpus)?.map(|share| 100.0 * share);
        println!("{name:32} {one:8.1} {top_k:8.1} {of_classes:16.1} {seconds:8.1}");
    }
    Ok(())
}
