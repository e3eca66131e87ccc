//! The committed header is what the sources give.

use std::path::Path;
use std::{env, fs};

#[test]
fn the_header_is_in_sync() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = folder.join("include/topk_loss.h");
    let mut made = Vec::new();
    cbindgen::generate(folder).expect("the sources can be read").write(&mut made);
    let made = String::from_utf8(made).unwrap();
    if env::var_os("BLESS").is_some() {
        fs::write(&header, &made).unwrap();
    }
    let committed = fs::read_to_string(&header).unwrap_or_default();
    assert_eq!(committed, made, "include/topk_loss.h is out of date: BLESS=1 cargo test --test header");
}
