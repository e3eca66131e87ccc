//! What the training example reads: a corpus, or an error that names the line.
#![no_main]

#[path = "../../std-ext/examples/train/corpus.rs"]
mod corpus;
#[path = "../../std-ext/examples/train/text.rs"]
mod text;
#[path = "../../std-ext/examples/train/tsv.rs"]
mod tsv;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The header is not what is to be found.
    let file = [b"split\tlabel\ttext\n", bytes].concat();
    match tsv::read(&file[..]) {
        Ok(corpus) => {
            let rows = corpus.train.len() + corpus.valid.len() + corpus.test.len();
            assert_eq!((rows, corpus.features.ncols(), corpus.labels.len()), (rows, rows, rows));
            assert!(corpus.labels.iter().all(|&label| label < corpus.num_classes));
            assert!(corpus.train_by_class().iter().all(|rows| !rows.is_empty()));
            for column in corpus.features.col_iter() {
                let norm = column.iter().map(|x| x * x).sum::<f32>();
                assert!((norm - 1.0).abs() < 1e-4 || norm == 0.0, "a text of length {norm}");
            }
            let mut gathered = faer::Mat::zeros(text::DIM, corpus.train.len());
            corpus.gather(&corpus.train, &mut gathered);
        }
        Err(error) => assert!(error.to_string().starts_with("line ") || !error.to_string().is_empty()),
    }
});
