//! No fuzz target is here yet: this crate will hold the cargo-fuzz targets of `topk-loss`.
