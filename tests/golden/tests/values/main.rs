//! No number changes unnoticed: neither the core's, nor those of batches and of the fused head under any instruction set.

mod batch;
mod head;

use std::fs;
use std::path::Path;

use topk_loss_golden::{committed, print};

#[test]
fn the_core_has_its_golden_values() {
    let mut lines = vec![];
    print(&mut |line| lines.push(line.to_string())).unwrap();
    committed::assert_are("core.txt", &lines, "on the host");
}

#[test]
fn the_changelog_names_the_golden_values() {
    let changelog = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../CHANGELOG.md")).unwrap();
    let newest = changelog.split("\n### Value-breaking\n").nth(1).and_then(|rest| rest.split("\n## ").next()?.split("\n### ").next());
    let hash = format!("`{:016x}`", committed::hash());
    assert!(
        newest.is_some_and(|section| section.contains(&hash)),
        "the newest section Value-breaking of CHANGELOG.md does not name the golden values, {hash}: tell there what changed, then name them"
    );
}
