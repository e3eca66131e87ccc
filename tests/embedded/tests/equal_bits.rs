//! QEMU's microcontrollers print what the host prints, line by line. Needs `qemu-system-arm` and the targets.

use std::process::Command;

use topk_loss_embedded::{Print, training, values};

fn assert_same(image: &str, target: &str, report: fn(&mut Print<'_>) -> topk_loss::Result<()>) {
    let mut expected = vec![];
    report(&mut |line| expected.push(line.to_string())).unwrap();
    let run = Command::new(env!("CARGO")).args(["run", "--locked", "--release", "--bin", image, "--target", target]).output().unwrap();
    let actual = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{image} failed:\n{actual}\n{}", String::from_utf8_lossy(&run.stderr));
    for (actual, expected) in actual.lines().zip(&expected) {
        assert_eq!(actual, expected);
    }
    assert_eq!(actual.lines().count(), expected.len());
}

#[test]
fn a_cortex_m4_trains_to_the_same_bits() {
    assert_same("train", "thumbv7em-none-eabihf", training::print);
}

#[test]
fn every_loss_has_the_same_bits_on_a_cortex_m4() {
    assert_same("values", "thumbv7em-none-eabihf", values::print);
}

#[test]
fn every_loss_has_the_same_bits_in_the_16_kb_of_a_cortex_m0() {
    assert_same("small", "thumbv6m-none-eabi", values::print_small);
}
