//! Any loss as burn configures one, and the module that is made of it.

use burn::config::Config;
use burn::nn::loss::Reduction;
use burn::tensor::Device;
use topk_loss::config::{BaseConfig, LossConfig};

use crate::{Error, TopKLoss};

/// Any loss of the catalogue as burn configures one: the loss, adjustments and weights of classes, padding, a reduction.
///
/// It is saved to JSON and loaded like any of burn's configurations.
#[derive(Config, Debug)]
pub struct TopKLossConfig {
    /// The loss itself.
    pub loss: BaseConfig<f64, Vec<f64>>,
    /// What is added to the logits, a number a class: logarithms of priors.
    pub adjustments: Option<Vec<f64>>,
    /// What multiplies the losses of a class's examples, a number a class.
    pub weights: Option<Vec<f64>>,
    /// Labels whose examples have neither loss nor gradient and do not count in a mean.
    pub pad_tokens: Option<Vec<usize>>,
    /// How losses are reduced.
    #[config(default = "Reduction::Mean")]
    pub reduction: Reduction,
}

impl TopKLossConfig {
    /// The loss as a module. It keeps what it needs on the host, whatever the device.
    ///
    /// **Cost.** A copy of the configuration's lists.
    ///
    /// # Panics
    /// Where [`try_init`](Self::try_init) gives an error.
    pub fn init(&self, device: &Device) -> TopKLoss {
        self.try_init(device).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The loss as a module, or what is wrong with the configuration.
    ///
    /// # Errors
    /// Those of the [configuration](LossConfig::build), be it in `f32` or `f64`.
    pub fn try_init(&self, _: &Device) -> crate::Result<TopKLoss> {
        let Self { loss, adjustments, weights, pad_tokens, reduction } = self.clone();
        let double = LossConfig { loss, adjustments, class_weights: weights };
        let json = serde_json::to_value(&double).and_then(serde_json::from_value);
        let single: LossConfig<f32, Vec<f32>> = json.map_err(|error| Error::Config(error.to_string()))?;
        let (single, double) = (single.build()?, double.build()?);
        // No target is larger than the largest i64.
        let pad_tokens = pad_tokens.into_iter().flatten().filter_map(|token| i64::try_from(token).ok()).collect();
        Ok(TopKLoss { single, double, pad_tokens, reduction })
    }
}
