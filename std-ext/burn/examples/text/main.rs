//! A perceptron over the mean of word embeddings, trained with four losses. `cargo run --release --example text [FILE.tsv]`

mod corpus;
mod losses;

use std::error::Error;
use std::time::Instant;

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use corpus::{Corpus, LENGTH, Split};
use topk_loss::metrics::TopKCounts;
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
fn train(loss: &TopKLossConfig, corpus: &Corpus, device: &Device) -> Model {
    let mut model = Model::new(corpus, device);
    let mut optimizer = AdamWConfig::new().init();
    let criterion = loss.init(device);
    let batches = (0..EPOCHS).flat_map(|epoch| corpus.batches(epoch, BATCH));
    for (step, batch) in (0..).zip(batches) {
        let labels: Vec<_> = batch.labels.iter().map(|&label| i64::from(label)).collect();
        let targets = Tensor::<1, Int>::from_data(&labels[..], device);
        let loss = criterion.forward_step(model.forward(&batch, device), targets, step);
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(5e-3, model, grads);
    }
    model
}

/// Accuracies of one and of K guesses, and the latter's mean over the classes.
fn evaluate(model: &Model, corpus: &Corpus, device: &Device) -> Result<[f64; 3], Box<dyn Error>> {
    let logits = model.forward(&corpus.test, device).into_data();
    let logits = logits.as_slice::<f32>()?;
    let of = |k| {
        let mut tallies = [(); 3].map(|()| vec![0; corpus.num_classes]);
        let [examples, correct, guessed] = &mut tallies;
        let mut counts = TopKCounts::new(k, examples, correct, guessed)?;
        for (scores, &label) in logits.chunks(corpus.num_classes).zip(&corpus.test.labels) {
            counts.add(scores, label as usize, &mut vec![0.0; scores.len()])?;
        }
        let metrics = counts.metrics();
        Ok::<_, topk_loss::Error>((metrics.accuracy().unwrap_or(0.0), metrics.macro_accuracy().unwrap_or(0.0)))
    };
    let ((one, _), (top_k, of_classes)) = (of(1)?, of(K)?);
    Ok([one, top_k, of_classes])
}

fn main() -> Result<(), Box<dyn Error>> {
    let tsv = std::env::args().nth(1).map_or_else(|| Ok(corpus::generated()), std::fs::read_to_string)?;
    let (corpus, device) = (Corpus::parse(&tsv)?, Device::flex().autodiff());
    println!("{} texts, {} words, {} classes", corpus.train.labels.len(), corpus.num_words, corpus.num_classes);
    println!("{:32} {:>8} {:>8} {:>16} {:>8}", "loss", "top-1", "top-5", "top-5 of classes", "seconds");
    for (name, config) in losses::losses(&corpus.counts(), K)? {
        let start = Instant::now();
        let model = train(&TopKLossConfig::new(config.loss).with_adjustments(config.adjustments), &corpus, &device);
        let seconds = start.elapsed().as_secs_f64();
        let [one, top_k, of_classes] = evaluate(&model, &corpus, &device)?.map(|share| 100.0 * share);
        println!("{name:32} {one:8.1} {top_k:8.1} {of_classes:16.1} {seconds:8.1}");
    }
    Ok(())
}
