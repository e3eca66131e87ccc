//! The workspace's front page, whose examples are tests of this crate.
#![doc = include_str!("../../../README.md")]
