//! Writes `docs/compatibility.md` from what the last run of the scenarios left in
//! `target/compatibility`. `tests/run --write-compatibility` calls it after a run without failures.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use clients::cistern::workspace;
use clients::compatibility::{CALLS, OPERATIONS, page};

fn main() -> ExitCode {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let directory = workspace().join(target).join("compatibility");
    match write(&directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compatibility: {error}; run the scenarios first: tests/run -p clients");
            ExitCode::FAILURE
        }
    }
}

fn write(directory: &Path) -> Result<(), String> {
    let read = |name: &str| {
        let path = directory.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let operations = serde_json::from_str(&read(OPERATIONS)?)
        .map_err(|error| format!("{OPERATIONS}: {error}"))?;
    let text = page::write(&operations, &page::read(&read(CALLS)?));
    let path = workspace().join(page::PATH);
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("wrote {}", page::PATH);
    Ok(())
}
