//! QEMU's microcontrollers print what the host prints, line by line. Needs `qemu-system-arm` and the targets.

use std::process::Command;

use topk_loss_embedded::golden::committed;
use topk_loss_embedded::{Print, golden, small, training};

fn here(report: fn(&mut Print<'_>) -> topk_loss::Result<()>) -> Vec<String> {
    let mut lines = vec![];
    report(&mut |line| lines.push(line.to_string())).unwrap();
    lines
}

fn there(image: &str, target: &str) -> Vec<String> {
    let run = Command::new(env!("CARGO")).args(["run", "--locked", "--release", "--bin", image, "--target", target]).output().unwrap();
    let actual = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{image} failed:\n{actual}\n{}", String::from_utf8_lossy(&run.stderr));
    actual.lines().map(String::from).collect()
}

fn assert_same(image: &str, target: &str, report: fn(&mut Print<'_>) -> topk_loss::Result<()>) {
    let (actual, expected) = (there(image, target), here(report));
    actual.iter().zip(&expected).for_each(|(actual, expected)| assert_eq!(actual, expected));
    assert_eq!(actual.len(), expected.len());
}

#[test]
fn a_cortex_m4_trains_to_the_same_bits() {
    assert_same("train", "thumbv7em-none-eabihf", training::print);
}

#[test]
fn losses_have_the_same_bits_in_the_16_kb_of_a_cortex_m0() {
    assert_same("small", "thumbv6m-none-eabi", small::print);
}

/// This build is for size, with link-time optimisation, and nothing in it turns on `num-traits/std`.
#[test]
fn the_host_has_the_golden_values() {
    committed::assert_are("core.txt", &here(golden::print), "for size and without std");
}

#[test]
fn a_cortex_m4_has_the_golden_values() {
    committed::assert_are("core.txt", &there("golden", "thumbv7em-none-eabihf"), "on a Cortex-M4");
}
