//! Finds the settings of every loss by the same number of trials.

use std::fs::{File, create_dir_all};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use rand::RngExt;
use rand_pcg::Pcg64Dxsm;
use topk_loss::Key;

use crate::method::Method;
use crate::settings::Settings;
use crate::study::Study;

/// Of the factors; a training has seeds from 1 on.
const SEED: u64 = 0;

/// A random search around what a loss takes unless told otherwise, which is its first trial. The others change all settings at once, by the same
/// factors for all losses; those that a loss has no use for change nothing.
///
/// Bergstra, Bengio, "Random search for hyper-parameter optimization", JMLR 2012.
pub struct Search<'a> {
    study: Study<'a>,
    trials: usize,
    seeds: u64,
    log: File,
}

impl<'a> Search<'a> {
    /// By so many trials, each a training of every seed, judged by the mean macro top-K accuracy of the validation rows. All are logged in the folder.
    pub fn new(study: &Study<'a>, trials: usize, seeds: u64, folder: &Path) -> Result<Self> {
        create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join("tuning.tsv");
        let mut log = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        writeln!(log, "loss\taccuracy\t{}", Settings::TUNED.map(|(name, ..)| name).join("\t"))?;
        Ok(Self { study: Study { measure_valid: true, ..*study }, trials, seeds, log })
    }

    /// The best trial's settings.
    pub fn best(&mut self, method: &Method, start: Settings, progress: &ProgressBar) -> Result<Settings> {
        let mut rng = Key::new(SEED).rng();
        let mut best = (f64::NEG_INFINITY, start);
        for trial in 0..self.trials {
            let settings = if trial == 0 { start } else { near(start, &mut rng) };
            let accuracy = |seed| Some(self.study.run(method, &settings, seed, progress).ok()?.last.macro_accuracy);
            // What cannot be trained with is no choice.
            let sum = (1..=self.seeds).map(accuracy).sum::<Option<f64>>();
            let accuracy = sum.map_or(f64::NEG_INFINITY, |sum| sum / self.seeds as f64);
            let values = Settings::TUNED.map(|(_, _, of)| of(&mut settings.clone()).to_string());
            writeln!(self.log, "{}\t{accuracy:.4}\t{}", method.name, values.join("\t"))?;
            if accuracy > best.0 {
                best = (accuracy, settings);
            }
        }
        Ok(best.1)
    }
}

/// Every setting times a factor, its logarithm uniform.
fn near(start: Settings, rng: &mut Pcg64Dxsm) -> Settings {
    let mut settings = start;
    for (_, factor, of) in Settings::TUNED {
        *of(&mut settings) *= factor.powf(rng.random_range(-1.0..=1.0));
    }
    settings
}
