//! C programs compile without a warning, run, and print the bits that the Rust interface has.

mod batch;
mod example;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the library is built, and the program.
fn built() -> PathBuf {
    env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(name)
}

fn run(command: &mut Command) -> String {
    // Cargo's own path leads to whatever `cargo build` left, and comes before a program's.
    let output = command.env_remove("LD_LIBRARY_PATH").output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Compiles a program of one file against the library, and says where it is.
fn compile(name: &str, variant: &str, options: &[&str]) -> PathBuf {
    let (built, program) = (built(), built().join(format!("{name}-{variant}")));
    let mut gcc = Command::new("gcc");
    gcc.args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g", "-I"]);
    gcc.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include")).args(options).arg(source(&format!("{name}.c")));
    gcc.arg("-o").arg(&program).arg("-L").arg(&built).arg("-ltopk_loss_c").arg(format!("-Wl,-rpath,{}", built.display()));
    run(&mut gcc);
    program
}

/// Line by line, so that a difference is found.
fn assert_same(printed: &str, expected: &str) {
    for (printed, expected) in printed.lines().zip(expected.lines()) {
        assert_eq!(printed, expected);
    }
    assert_eq!(printed.lines().count(), expected.lines().count());
}

#[test]
fn an_example_has_the_same_bits() {
    assert_same(&run(&mut Command::new(compile("example", "plain", &[]))), &example::expected());
}

#[test]
fn a_batch_has_the_same_bits() {
    assert_same(&run(&mut Command::new(compile("batch", "plain", &[]))), &batch::expected());
}

#[test]
fn the_header_is_also_for_cpp_and_for_firmware() {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/topk_loss.h");
    let check = |options: &[&str]| {
        let gcc = &mut Command::new("gcc");
        run(gcc.args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]).args(options).arg(&header));
    };
    check(&["-x", "c", "-std=c11", "-Wpedantic", "-ffreestanding"]);
    check(&["-x", "c", "-std=c99", "-Wpedantic"]);
    if Command::new("g++").arg("--version").output().is_ok() {
        check(&["-x", "c++", "-std=c++17"]);
    }
}

#[test]
#[ignore = "takes a minute: cargo test --test c -- --ignored"]
fn valgrind_finds_nothing() {
    for name in ["example", "batch"] {
        let mut valgrind = Command::new("valgrind");
        // What rayon's threads still hold when the program ends is no leak.
        valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"]);
        run(valgrind.arg(compile(name, "valgrind", &[])));
    }
}

#[test]
#[ignore = "needs gcc's sanitizers: cargo test --test c -- --ignored"]
fn sanitizers_find_nothing() {
    for name in ["example", "batch"] {
        run(&mut Command::new(compile(name, "sanitized", &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])));
    }
}
