//! Descriptions of losses as text: of any text, and the text of any description.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use serde::Serialize;
use serde::de::DeserializeOwned;
use topk_loss::config::LossConfig;
use topk_loss_fuzz::{Float, Input, promises};

fn written_and_read<F: Float + Serialize + DeserializeOwned>(config: LossConfig<F, Vec<F>>) {
    // JSON has no word for NaN and infinities.
    let text = serde_json::to_string(&config).expect("a description is text");
    let Ok(again) = serde_json::from_str::<LossConfig<F, Vec<F>>>(&text) else { return assert!(text.contains("null"), "{text}") };
    let Ok(loss) = again.build() else { return };
    let _ = promises::loss(&loss, &[F::one(), F::zero(), -F::one(), F::one()], 1);
    assert!(text.contains("null") || config.build().is_ok_and(|first| first == loss), "{text}");
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(config) = serde_json::from_slice::<LossConfig<f32, Vec<f32>>>(bytes) {
        written_and_read(config);
    } else if let Ok(config) = serde_json::from_slice::<LossConfig<f64, Vec<f64>>>(bytes) {
        written_and_read(config);
    } else if let Ok(input) = Input::arbitrary(&mut Unstructured::new(bytes)) {
        written_and_read(input.config::<f32>(4));
        written_and_read(input.config::<f64>(4));
    }
});
