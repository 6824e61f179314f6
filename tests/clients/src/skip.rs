//! Skips that are seen: a test whose programs are not installed says so in a file that `tests/run`
//! prints at its end. It never passes in silence.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a scenario needs and this machine does not have.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The program or material, as a person would look for it.
    pub what: String,
    /// What brings it.
    pub remedy: String,
}

impl Missing {
    /// Names the absent thing and what brings it.
    #[must_use]
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

/// Yields the value, or records the [`Missing`] under the test's name and returns from the test.
#[macro_export]
macro_rules! or_skip {
    ($attempt:expr) => {
        match $attempt {
            Ok(value) => value,
            Err(missing) => {
                fn here() {}
                $crate::skip::record(std::any::type_name_of_val(&here), &missing);
                return;
            }
        }
    };
}

/// Appends one line to the skip log. `probe` is the path of a function inside the test function.
///
/// # Panics
/// When the log cannot be written: a skip that nobody sees would be a lie.
pub fn record(probe: &str, missing: &Missing) {
    let test = probe.trim_end_matches("::here").replace("::{{closure}}", "");
    let line = format!("{test}: needs {} ({})\n", missing.what, missing.remedy);
    eprint!("skipped {line}");
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(target_directory().join("skipped-tests.log"))
        .and_then(|mut log| log.write_all(line.as_bytes()))
        .expect("the target directory is writable: this test was built there");
}

/// The cargo target directory that this test was built in (`target/<profile>/deps/<test>`).
///
/// # Panics
/// When the test executable was moved out of its target directory.
#[must_use]
pub fn target_directory() -> PathBuf {
    let executable = std::env::current_exe().expect("a running test has an executable");
    executable
        .ancestors()
        .nth(3)
        .map(Path::to_path_buf)
        .expect("test executables lie in target/<profile>/deps")
}

/// Where `tests/setup` puts what is no Debian package.
#[must_use]
pub fn tools_directory() -> PathBuf {
    target_directory().join("test-tools")
}
