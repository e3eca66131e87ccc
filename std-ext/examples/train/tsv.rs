//! Labelled texts from a file of tab-separated values with the header `split`, `label`, `text`.

use std::collections::BTreeMap;
use std::io::BufRead;

use anyhow::{Context, Result, bail, ensure};
use faer::Mat;

use crate::corpus::Corpus;
use crate::text;

const HEADER: [&str; 3] = ["split", "label", "text"];

/// Reads a corpus. A mistake in the file is an error that names its line. Quotes are ordinary characters; a byte-order mark at the start
/// and empty lines are skipped.
pub fn read(file: impl BufRead) -> Result<Corpus> {
    let mut lines = (1..).zip(file.lines()).map(|(number, line)| Ok((number, line.with_context(|| format!("line {number}"))?)));
    let header = lines.next().transpose()?.map(|(_, line)| line);
    let header = header.as_deref().map(|header| header.strip_prefix('\u{feff}').unwrap_or(header));
    ensure!(header == Some(&HEADER.join("\t")), "line 1: the header must be {HEADER:?}, separated by tabs");
    let lines = lines.filter(|line| !matches!(line, Ok((_, line)) if line.is_empty()));
    let rows: Vec<Row> = lines.map(|line| line.and_then(|(number, line)| Row::parse(number, &line))).collect::<Result<_>>()?;
    let num_classes = num_classes(&rows)?;
    let split = |split: &str| -> Vec<usize> { (0..rows.len()).filter(|&i| rows[i].split == split).collect() };
    let (train, valid, test) = (split("train"), split("valid"), split("test"));
    ensure!(!test.is_empty(), "no row has the split `test`");

    let mut features = Mat::zeros(text::DIM, rows.len());
    for (i, row) in rows.iter().enumerate() {
        text::hash_features(&row.text, features.col_as_slice_mut(i));
    }
    Ok(Corpus { features, labels: rows.iter().map(|row| row.label).collect(), num_classes, train, valid, test })
}

struct Row {
    line: usize,
    split: String,
    label: usize,
    text: String,
}

impl Row {
    fn parse(line: usize, fields: &str) -> Result<Self> {
        let fields: Vec<&str> = fields.split('\t').map(str::trim).collect();
        let [split, label, content] = fields[..] else {
            bail!("line {line}: expected the 3 fields {HEADER:?}, separated by tabs, but found {}", fields.len());
        };
        ensure!(["train", "valid", "test"].contains(&split), "line {line}: the split must be train, valid or test, not {split:?}");
        let Ok(label) = label.parse() else {
            bail!("line {line}: the label must be a whole number from 0, not {label:?}");
        };
        ensure!(text::has_token(content), "line {line}: the text has no letter and no digit");
        Ok(Self { line, split: split.into(), label, text: content.into() })
    }
}

/// The classes are 0, 1, … without a gap, and each has a row to learn from.
fn num_classes(rows: &[Row]) -> Result<usize> {
    let mut first_lines = BTreeMap::new();
    for row in rows.iter().filter(|row| row.split == "train") {
        first_lines.entry(row.label).or_insert(row.line);
    }
    for (expected, (&label, line)) in first_lines.iter().enumerate() {
        ensure!(label == expected, "line {line}: label {label}, but no training row has label {expected}");
    }
    for Row { line, label, .. } in rows {
        ensure!(first_lines.contains_key(label), "line {line}: no training row has label {label}");
    }
    ensure!(first_lines.len() >= 2, "the training rows must have at least two labels");
    Ok(first_lines.len())
}

#[cfg(test)]
mod tests {
    use super::read;

    const GOOD: &str = "split\tlabel\ttext\ntrain\t0\tmy \"card\ntrain\t1\tmy phone\ntest\t1\tthat phone\n";

    fn message(tsv: &str) -> String {
        read(tsv.as_bytes()).err().expect("a malformed file").to_string()
    }

    #[test]
    fn a_good_file_is_read() {
        let corpus = read(GOOD.as_bytes()).unwrap();
        assert_eq!((corpus.labels, corpus.train, corpus.valid, corpus.test), (vec![0, 1, 1], vec![0, 1], vec![], vec![2]));
    }

    #[test]
    fn a_byte_order_mark_and_blank_lines_are_skipped() {
        let corpus = read(format!("\u{feff}{GOOD}\n\r\n").as_bytes()).unwrap();
        assert_eq!(corpus.labels, [0, 1, 1]);
        assert!(message(&format!("{GOOD}\ntrain\t0\n")).starts_with("line 6: expected the 3 fields"));
    }

    #[test]
    fn a_malformed_file_names_the_line() {
        for (rest, expected) in [
            ("train\t0\n", "line 5: expected the 3 fields"),
            ("train\t0\ta\tb\n", "line 5: expected the 3 fields"),
            ("dev\t0\ta\n", "line 5: the split must be train, valid or test, not \"dev\""),
            ("train\t-1\ta\n", "line 5: the label must be a whole number from 0, not \"-1\""),
            ("train\tcard\ta\n", "line 5: the label must be a whole number from 0, not \"card\""),
            ("train\t0\t  \n", "line 5: the text has no letter and no digit"),
            ("train\t0\t¿?\n", "line 5: the text has no letter and no digit"),
            ("train\t3\ta\n", "line 5: label 3, but no training row has label 2"),
            ("test\t2\ta\n", "line 5: no training row has label 2"),
        ] {
            let actual = message(&format!("{GOOD}{rest}"));
            assert!(actual.starts_with(expected), "{actual:?} does not start with {expected:?}");
        }
        let bad_bytes = [GOOD.as_bytes(), b"train\t0\t\xff\n"].concat();
        assert_eq!(read(&bad_bytes[..]).err().expect("not UTF-8").to_string(), "line 5");
    }

    #[test]
    fn a_file_without_what_is_needed_says_so() {
        assert!(message("text\tlabel\tsplit\n").starts_with("line 1: the header must be"));
        assert!(message("").starts_with("line 1: the header must be"));
        assert_eq!(message("split\tlabel\ttext\n"), "the training rows must have at least two labels");
        assert_eq!(message("split\tlabel\ttext\ntrain\t0\ta\ntrain\t1\ta\n"), "no row has the split `test`");
    }
}
