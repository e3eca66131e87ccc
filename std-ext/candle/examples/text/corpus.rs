//! Labelled texts from tab-separated values with the header `split`, `label`, `text`; a generated set where there is no file.

use std::collections::{BTreeMap, BTreeSet};

use topk_loss::Key;

/// Tokens a text is cut or padded to.
pub const LENGTH: usize = 16;

/// Texts as numbers of words; 0 is padding and every word that no training text has.
pub struct Corpus {
    pub train: Split,
    pub test: Split,
    pub num_words: usize,
    pub num_classes: usize,
}

#[derive(Default)]
pub struct Split {
    /// [`LENGTH`] numbers a text.
    pub tokens: Vec<u32>,
    pub labels: Vec<u32>,
}

impl Corpus {
    /// Of the splits `train` and `test`; any other is left out.
    pub fn parse(tsv: &str) -> Result<Self, String> {
        let mut lines = tsv.lines();
        if lines.next() != Some("split\tlabel\ttext") {
            return Err("line 1: the header must be split, label, text, separated by tabs".into());
        }
        let rows = (2..).zip(lines).filter(|(_, line)| !line.is_empty()).map(|(number, line)| Row::parse(number, line));
        let rows: Vec<Row<'_>> = rows.collect::<Result<_, _>>()?;
        let trained = || rows.iter().filter(|row| row.split == "train");
        let vocabulary: BTreeSet<String> = trained().flat_map(|row| words(row.text)).collect();
        let numbers: BTreeMap<String, u32> = vocabulary.into_iter().zip(1..).collect();
        let num_classes = trained().map(|row| row.label + 1).max().ok_or("no row has the split train")?;
        let split = |name| {
            let mut split = Split::default();
            for row in rows.iter().filter(|row| row.split == name) {
                let known = words(row.text).map(|word| numbers.get(&word).copied().unwrap_or(0));
                split.tokens.extend(known.chain([0; LENGTH]).take(LENGTH));
                split.labels.push(row.label);
            }
            split
        };
        let test = split("test");
        if test.labels.is_empty() || test.labels.iter().any(|&label| label >= num_classes) {
            return Err("the rows of the split test must be some, of classes that are trained".into());
        }
        Ok(Self { train: split("train"), test, num_words: numbers.len() + 1, num_classes: num_classes as usize })
    }

    /// How many training texts every class has.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.num_classes];
        self.train.labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }

    /// The training texts in the batches of an epoch, in an order of its own.
    pub fn batches(&self, epoch: u64, size: usize) -> impl Iterator<Item = Split> {
        let mut order: Vec<usize> = (0..self.train.labels.len()).collect();
        let key = Key::new(2).fold_in(epoch);
        order.sort_by_cached_key(|&text| key.fold_in(text as u64).words());
        let batches: Vec<Vec<usize>> = order.chunks(size).map(<[usize]>::to_vec).collect();
        batches.into_iter().map(|batch| Split {
            tokens: batch.iter().flat_map(|&text| &self.train.tokens[text * LENGTH..][..LENGTH]).copied().collect(),
            labels: batch.iter().map(|&text| self.train.labels[text]).collect(),
        })
    }
}

struct Row<'a> {
    split: &'a str,
    label: u32,
    text: &'a str,
}

impl<'a> Row<'a> {
    fn parse(number: usize, line: &'a str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
        let [split, label, text] = fields[..] else { return Err(format!("line {number}: three fields are needed")) };
        let label = label.parse().map_err(|_| format!("line {number}: the label must be a whole number from 0, not {label:?}"))?;
        Ok(Self { split, label, text })
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Sixty classes with a long tail, in groups of four whose texts have most words in common.
pub fn generated() -> String {
    let mut draws = (0..).map(|draw| Key::new(1).fold_in(draw).words()[0]);
    let mut below = |bound: u32| draws.next().map_or(0, |word| word % bound);
    let mut tsv = String::from("split\tlabel\ttext\n");
    for class in 0..60 {
        let train = (80.0 * 0.95_f64.powi(class)) as usize + 2;
        for split in [vec!["train"; train], vec!["test"; 20]].concat() {
            let text = (0..10).map(|_| match below(20) {
                0..3 => format!(" class{class}word{}", below(5)),
                3..10 => format!(" group{}word{}", class / 4, below(10)),
                _ => format!(" word{}", below(60)),
            });
            tsv += &format!("{split}\t{class}\t{}\n", text.collect::<String>().trim());
        }
    }
    tsv
}
