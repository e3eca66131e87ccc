//! The workspace's front page, whose examples are tests of this crate.
#![cfg_attr(doctest, doc = include_str!("../../../README.md"))]
