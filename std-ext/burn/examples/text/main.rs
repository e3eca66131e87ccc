//! A perceptron over the mean of word embeddings, trained with four losses; draws what came of it.
//! `cargo run --release --example text --features flex [-- FOLDER [FILE.tsv]]`

mod corpus;
mod losses;
mod outcome;

use std::time::Instant;

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use corpus::{Corpus, LENGTH, Split};
use indicatif::ProgressBar;
use outcome::Outcome;
use topk_loss_burn::TopKLossConfig;

const K: usize = 5;
const EPOCHS: u64 = 20;
const BATCH: usize = 64;
const DIM: usize = 64;
const SEED: u64 = 4;

#[derive(Module, Debug)]
struct Model {
    embedding: Embedding,
    hidden: Linear,
    output: Linear,
}

impl Model {
    /// Initialised by a seed: the same for every loss.
    fn new(corpus: &Corpus, device: &Device) -> Self {
        device.seed(SEED);
        Self {
            embedding: EmbeddingConfig::new(corpus.num_words, DIM).init(device),
            hidden: LinearConfig::new(DIM, DIM).init(device),
            output: LinearConfig::new(DIM, corpus.num_classes).init(device),
        }
    }

    fn forward(&self, split: &Split, device: &Device) -> Tensor<2> {
        let tokens: Vec<_> = split.tokens.iter().map(|&token| i64::from(token)).collect();
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [split.labels.len(), LENGTH]), device);
        let features = self.embedding.forward(tokens).mean_dim(1).squeeze_dim(1);
        self.output.forward(relu(self.hidden.forward(features)))
    }
}

/// Two lines are the library's: the loss, and its step.
fn train(loss: &TopKLossConfig, corpus: &Corpus, device: &Device, outcome: &mut Outcome, progress: &ProgressBar) -> anyhow::Result<()> {
    let mut model = Model::new(corpus, device);
    let mut optimizer = AdamWConfig::new().init();
    let criterion = loss.init(device);
    let mut steps = 0..;
    for epoch in 0..EPOCHS {
        let start = Instant::now();
        for (batch, step) in corpus.batches(epoch, BATCH).zip(&mut steps) {
            let labels: Vec<_> = batch.labels.iter().map(|&label| i64::from(label)).collect();
            let targets = Tensor::<1, Int>::from_data(&labels[..], device);
            let loss = criterion.forward_step(model.forward(&batch, device), targets, step);
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(5e-3, model, grads);
        }
        outcome.seconds += start.elapsed().as_secs_f64();
        let logits = model.forward(&corpus.test, device).try_into_vec_as::<f32>().map_err(|error| anyhow::anyhow!("{error}"))?;
        outcome.measure(logits.chunks(corpus.num_classes), &corpus.test.labels, corpus.num_classes, K)?;
        progress.inc(1);
    }
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let device = Device::flex().autodiff();
    outcome::compare(K, EPOCHS, |config, corpus, outcome, progress| {
        train(&TopKLossConfig::new(config.loss).with_adjustments(config.adjustments), corpus, &device, outcome, progress)
    })
}
