//! The values that are committed.

extern crate std;

use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;
use std::{env, format, fs};

use crate::bits::hash_bytes;

/// The files, in `values`.
pub const FILES: [&str; 3] = ["core.txt", "batch.txt", "head.txt"];

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("values").join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).expect("the file is committed")
}

/// Holds lines to those of a file. With `GOLDEN=remake` in the environment they become those of the file.
///
/// # Panics
/// A line is not as it was: a value changed.
pub fn assert_are(file: &str, lines: &[String], circumstances: &str) {
    if env::var_os("GOLDEN").is_some_and(|wish| wish == "remake") {
        fs::write(path(file), lines.join("\n") + "\n").expect("a file that can be written");
    }
    let differences = differences(&read(file), lines);
    let some = differences[..differences.len().min(8)].concat();
    assert!(
        differences.is_empty(),
        "{} values are not those of {file}, {circumstances}; the README says what to do:{some}",
        differences.len()
    );
}

/// What became of lines that are no longer as they were, by what stands before the colon.
fn differences(committed: &str, lines: &[String]) -> Vec<String> {
    fn name(line: &str) -> &str {
        line.split_once(": ").map_or(line, |(name, _)| name)
    }
    let now = lines.iter().filter_map(|line| match committed.lines().find(|committed| name(committed) == name(line)) {
        Some(committed) if committed == line => None,
        Some(committed) => Some(format!("\n  was {committed}\n  is  {line}")),
        None => Some(format!("\n  new {line}")),
    });
    let gone = committed.lines().filter(|committed| !lines.iter().any(|line| name(line) == name(committed)));
    now.chain(gone.map(|line| format!("\n  gone {line}"))).collect()
}

/// The hash of all files, by which the changelog names the values.
///
/// # Panics
/// A file is not there.
#[must_use]
pub fn hash() -> u64 {
    hash_bytes(FILES.into_iter().flat_map(|file| read(file).into_bytes()))
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec;

    use super::*;
    use crate::bits;

    #[test]
    fn one_unit_in_the_last_place_of_one_number_is_a_difference() {
        let line = |numbers: [f64; 3]| format!("a law, its score: {}, gradient {:016x}", numbers[0], bits::hash(&numbers));
        let (before, others) = (line([0.1, 0.2, 0.3]), "key: 1".to_string());
        let committed = format!("{others}\n{before}\n");
        assert!(differences(&committed, &[others.clone(), before.clone()]).is_empty());
        for after in [line([0.1_f64.next_up(), 0.2, 0.3]), line([0.1, 0.2, 0.3_f64.next_up()]), line([0.1, 0.2, -0.3])] {
            assert_eq!(differences(&committed, &[others.clone(), after.clone()]), [format!("\n  was {before}\n  is  {after}")]);
        }
    }

    #[test]
    fn a_line_more_or_less_is_a_difference() {
        let lines = vec!["a: 1".to_string(), "b: 2".to_string()];
        assert_eq!(differences("a: 1\n", &lines), ["\n  new b: 2"]);
        assert_eq!(differences("a: 1\nb: 2\nc: 3\n", &lines), ["\n  gone c: 3"]);
    }
}
