//! Gives each image the memory that it may have.

use std::{env, fs, io, path::Path};

/// Image, KB of flash, KB of RAM.
const MEMORIES: [(&str, u32, u32); 4] = [
    // Of the RAM, 8 are weights.
    ("train", 192, 32),
    // The BBC micro:bit.
    ("small", 256, 16),
    // All that QEMU's machine has.
    ("golden", 4096, 4096),
    ("cost", 4096, 4096),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("arm") {
        return Ok(());
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=--nmagic");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    for (image, flash, ram) in MEMORIES {
        let folder = Path::new(&out).join(image);
        fs::create_dir_all(&folder)?;
        let memory = format!("MEMORY {{ FLASH : ORIGIN = 0, LENGTH = {flash}K  RAM : ORIGIN = 0x20000000, LENGTH = {ram}K }}\n");
        fs::write(folder.join("memory.x"), memory)?;
        if image != "cost" || env::var_os("CARGO_FEATURE_MEASURE").is_some() {
            println!("cargo::rustc-link-arg-bin={image}=-L{}", folder.display());
        }
    }
    Ok(())
}
