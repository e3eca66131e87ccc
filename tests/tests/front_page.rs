//! Every example of the repository's front page stands in the README of a crate, whose documentation tests run it. Not in the package.

use std::fs;
use std::path::Path;

/// The Rust examples of a page that are meant to run, without the lines that documentation hides.
fn examples(readme: &str) -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(readme)).unwrap();
    let blocks = page.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| block.lines().filter(|line| !line.starts_with("# ")).map(|line| line.to_owned() + "\n").collect()).collect()
}

#[test]
fn every_example_of_the_front_page_is_run_in_a_crate() {
    let crates = ["core", "std-ext", "std-ext/burn", "std-ext/candle", "gpu-ext", "tests"];
    let run: Vec<_> = crates.iter().flat_map(|folder| examples(&format!("{folder}/README.md"))).collect();
    let shown = examples("README.md");
    assert!(!shown.is_empty());
    for example in shown {
        assert!(run.contains(&example), "no crate's README has this example:\n{example}");
    }
}
