//! No CUDA kernel is here yet: this crate will hold the batch calls of `topk-loss-batch` on CUDA device memory.
