//! The kernels compiled for this machine's processor, as a process that runs them on request.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// How the kernels are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// Threads of a block as fibres.
    Fast,
    /// As threads, under a sanitizer: `thread`, or `address,undefined`.
    Sanitized(&'static str),
}

/// One launch: two arguments of eight-byte words, in which pointers are numbers of buffers, counted from 1.
#[derive(Debug)]
pub struct Request<'a> {
    pub entry: &'a str,
    pub blocks: u32,
    pub threads: u32,
    pub shared_bytes: u32,
    pub batch: &'a [u64],
    pub parameters: &'a [u64],
}

#[derive(Debug)]
pub struct Driver {
    process: Child,
}

impl Driver {
    /// `None`, aloud, where there is no C++ compiler.
    pub fn start(build: Build) -> Option<Self> {
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
        if Command::new(&compiler).arg("--version").output().is_err() {
            println!("SKIPPED: no C++ compiler ({compiler}) to run the kernels on the processor");
            return None;
        }
        // One compilation a build, whichever test comes first.
        static COMPILED: Mutex<Vec<(Build, PathBuf)>> = Mutex::new(Vec::new());
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = compiled.iter().find(|(other, _)| *other == build).map(|(_, binary)| binary.clone());
        let binary = known.unwrap_or_else(|| {
            let binary = compile(&compiler, build);
            compiled.push((build, binary.clone()));
            binary
        });
        let process = Command::new(binary).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the driver starts");
        Some(Self { process })
    }

    /// Runs a kernel and overwrites the buffers with what it left in them.
    pub fn run(&mut self, request: &Request<'_>, buffers: &mut [Vec<u8>]) {
        let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let mut bytes = sized(request.entry.as_bytes());
        bytes.extend([request.blocks, request.threads, request.shared_bytes].into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(sized(&words(request.batch)));
        bytes.extend(sized(&words(request.parameters)));
        bytes.extend((buffers.len() as u64).to_le_bytes());
        buffers.iter().for_each(|buffer| bytes.extend(sized(buffer)));
        let stdin = self.process.stdin.as_mut().expect("piped");
        stdin.write_all(&bytes).and_then(|()| stdin.flush()).expect("the driver listens");
        let stdout = self.process.stdout.as_mut().expect("piped");
        for buffer in buffers {
            stdout.read_exact(buffer).expect("the driver answers; its complaint is on standard error");
        }
    }
}

impl Drop for Driver {
    /// A sanitizer's verdict is the exit status.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let status = self.process.wait().expect("the driver ends");
        if !std::thread::panicking() {
            assert!(status.success(), "the driver ended with {status}");
        }
    }
}

/// The bytes after their number.
fn sized(bytes: &[u8]) -> Vec<u8> {
    (bytes.len() as u64).to_le_bytes().into_iter().chain(bytes.iter().copied()).collect()
}

fn compile(compiler: &str, build: Build) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim");
    let name = match build {
        Build::Fast => "shim-fast".into(),
        Build::Sanitized(which) => format!("shim-{}", which.replace(',', "-")),
    };
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut command = Command::new(compiler);
    command.args(["-std=c++17", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-I"]).arg(&folder);
    match build {
        Build::Fast => command.args(["-O2"]),
        Build::Sanitized(which) => {
            command.args(["-O1", "-g", "-pthread", "-DSHIM_THREADS", "-fno-sanitize-recover=all"]).arg(format!("-fsanitize={which}"))
        }
    };
    command.arg(folder.join("driver.cpp")).arg(folder.join("block.cpp")).arg("-o").arg(&binary);
    let output = command.output().expect("the compiler starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    binary
}
